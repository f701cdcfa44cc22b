"""Yes and no, in the closed list of words that departments' systems use; anything else needs `map` in the mapping."""

from __future__ import annotations

import pyarrow as pa

from normalization.values.common import Read, Unreadable, map_uniques
from normalization.values.text import clean_identifier

BOOLEAN = pa.bool_()

YES = frozenset({"1", "true", "y", "yes", "是"})
NO = frozenset({"0", "false", "n", "no", "否"})


def read_scalar(value: str) -> bool | None:
    """Read one yes or no; None where nothing is said.

    Raises:
        Unreadable: it is neither.
    """
    cleaned = clean_identifier(value)
    if cleaned is None:
        return None
    word = cleaned.lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise Unreadable("this is neither yes nor no", known=", ".join(sorted(YES | NO)))


def read_column(texts: pa.Array) -> Read:
    """Read a column of yes and no."""
    return map_uniques(texts, read_scalar, BOOLEAN)
