"""The names of what lies in the archive: any source and stream make a safe one."""

from __future__ import annotations

import hashlib
import re
from typing import Final
from urllib.parse import quote

from sharedrepo.archive.store import check_key

LONGEST_SEGMENT: Final = 160
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def object_key(source: str, month: str, seq: int, stream: str) -> str:
    """Return the key of a batch's object: by source and month, in the order of the batches."""
    return check_key(f"{segment(source)}/{month}/{seq:010d}-{segment(stream)}")


def key_folder(source: str, month: str | None = None) -> str:
    """Return the folder of a source's data keys, or of one month's.

    Raises:
        ValueError: the month is none.
    """
    if month is not None and not _MONTH.fullmatch(month):
        raise ValueError(f"{month!r} is no month: YYYY-MM")
    return f"{segment(source)}/" if month is None else f"{segment(source)}/{month}/"


def segment(text: str) -> str:
    """Write any name as one plain part of a key; a very long one is cut and told apart by a hash."""
    plain = (
        quote(text, safe="").replace("~", "%7E").replace(".", "%2E").replace("-", "%2D", 1 if text[:1] == "-" else 0)
    )
    if len(plain) <= LONGEST_SEGMENT:
        return plain
    return plain[:LONGEST_SEGMENT] + "+" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
