"""Region codes after GB/T 2260: six digits.

Statistics write nine digits (with the township) and twelve (with the village, GB/T 10114); both are cut to the
county. Two and four digits (province, city) are filled with zeros. Names are left as they are said: which region a
name means is for the dated region table to tell, not for a guess here.
"""

from __future__ import annotations

import pyarrow as pa

from normalization.values.common import Read, Unreadable, map_uniques
from normalization.values.text import clean_identifier

_LENGTHS = frozenset({2, 4, 6, 9, 12})


def read_scalar(value: str) -> str | None:
    """Read one region code as six digits, or a name as it stands; None where nothing is said.

    Raises:
        Unreadable: digits, but not as many as a region code has.
    """
    cleaned = clean_identifier(value)
    if cleaned is None or not (cleaned.isascii() and cleaned.isdigit()):
        return cleaned
    if len(cleaned) not in _LENGTHS:
        raise Unreadable("a region code has 6 digits (also read: 2, 4, 9, 12)")
    return cleaned[:6].ljust(6, "0")


def read_column(texts: pa.Array) -> Read:
    """Read a column of region codes."""
    return map_uniques(texts, read_scalar)
