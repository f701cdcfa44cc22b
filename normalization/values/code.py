"""Codes: strict lookup in a closed list, tolerant only of width and surrounding blanks.

`０１` and ` 01 ` are the code `01`; `1` is another code. A code without a line never falls into a default, except
where the mapping's own line says `unlisted: other`.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from normalization.values.common import TEXT, Read, Unknown, map_uniques
from normalization.values.text import clean_identifier

_SHOWN = 12


def key_of(code: str) -> str | None:
    """Bring a code to the form in which it is looked up; None where nothing is said."""
    return clean_identifier(code)


def read_scalar(value: str, codes: Mapping[str, str | None], unlisted: str | None = None) -> str | None:
    """Look one code up; None where nothing is said, or where the list says that the code means nothing here.

    Raises:
        Unknown: the code stands in no line of the list.
    """
    code = clean_identifier(value)
    if code is None:
        return None
    if code in codes:
        return codes[code]
    if unlisted is not None:
        return unlisted
    raise Unknown("this code is not in the code list", known=_known(codes))


def read_column(texts: pa.Array, codes: Mapping[str, str | None], unlisted: str | None = None) -> Read:
    """Look a column of codes up."""
    return map_uniques(texts, lambda text: read_scalar(text, codes, unlisted), TEXT)


def _known(codes: Mapping[str, str | None]) -> str:
    shown = list(codes)[:_SHOWN]
    return ", ".join(shown) + (f" and {len(codes) - _SHOWN} more" if len(codes) > _SHOWN else "")
