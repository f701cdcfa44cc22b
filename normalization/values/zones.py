"""From a source's local time to the instant.

Where clocks are put back an hour happens twice: the first is meant. Where they are put forward an hour does not
happen: the offset of before the change is used. Both are what RFC 5545 section 3.3.5 prescribes; nothing is dropped.
China had summer time from 1986 to 1991, so Asia/Shanghai needs this too.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

SECOND = 1_000_000
DAY = 86_400 * SECOND
"""A day in microseconds."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a local time has no zone until its offset is found
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return the time zone of this IANA name.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    return ZoneInfo(name)


def to_instant(local: datetime, zone_name: str) -> datetime:
    """Tell the instant (UTC) of a local time without offset."""
    return local.replace(tzinfo=zone(zone_name), fold=0).astimezone(UTC)


def local_microseconds(local: datetime) -> int:
    """Count the microseconds of a local time since 1970-01-01 of the same clock."""
    return (local - _EPOCH) // _MICROSECOND


def offsets(local: npt.NDArray[np.int64], zone_name: str) -> npt.NDArray[np.int64]:
    """Find the offset from UTC (microseconds) of each local time (microseconds since 1970 of the local clock)."""
    days, where = np.unique(local // DAY, return_inverse=True)
    by_day = [_offset_of_day(zone_name, int(day)) for day in days]
    found = np.array([0 if offset is None else offset for offset in by_day], dtype=np.int64)[where]
    changing = np.array([offset is None for offset in by_day], dtype=np.bool_)[where]
    for row in np.flatnonzero(changing):
        found[row] = _offset(zone_name, int(local[row]))
    return found


@lru_cache(maxsize=200_000)
def _offset_of_day(zone_name: str, day: int) -> int | None:
    """Tell the offset of a whole local day, or None where it changes within the day."""
    morning, evening = _offset(zone_name, day * DAY), _offset(zone_name, (day + 1) * DAY)
    return morning if morning == evening else None


def _offset(zone_name: str, local: int) -> int:
    offset = (_EPOCH + timedelta(microseconds=local)).replace(tzinfo=zone(zone_name), fold=0).utcoffset()
    return 0 if offset is None else offset // _MICROSECOND
