"""Reads ISO 8601 durations of fixed length (`PT10M`, `P30D`), as source files write them."""

from __future__ import annotations

import re
from datetime import timedelta

_FORM = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8})S)?)?"
)


def read_duration(text: str) -> timedelta:
    """Return the length of a duration; months and years have none that is fixed, and are refused.

    Raises:
        ValueError: the text is no such duration.
    """
    found = _FORM.fullmatch(text)
    if found is None or not any(found.groupdict().values()):
        raise ValueError(f"{text!r} is no duration like PT10M, PT2H or P30D (ISO 8601, without months and years)")
    return timedelta(**{name: int(value) for name, value in found.groupdict().items() if value})
