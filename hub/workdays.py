"""Working days of the legal calendar, and days that are alike (法定节假日、调休).

The calendar is the State Council's, as the package chinesecalendar publishes it each November for the year that comes.
Past its last year, and before its first, weekdays stand in and the answer says that it is provisional.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
"""The clock by which the province counts its days."""

_SATURDAY = 5
_ONE = timedelta(days=1)


class DayKind(StrEnum):
    """What the calendar makes of a day."""

    WORK = "work"
    """A weekday that is worked."""
    MAKE_UP = "make_up"
    """A Saturday or Sunday that is worked for a bridged holiday (调休上班)."""
    REST = "rest"
    """A Saturday or Sunday that is free."""
    HOLIDAY = "holiday"
    """A public holiday, or a day that is free for one."""


@dataclass(frozen=True, slots=True)
class Due:
    """A day that was counted in working days; `provisional` where the calendar does not reach so far yet."""

    day: date
    provisional: bool


def local_day(now: datetime) -> date:
    """Return the province's day at an instant."""
    return now.astimezone(ZONE).date()


def known(day: date) -> bool:
    """Say whether the published calendar knows the year of this day."""
    first, last = published()
    return first <= day.year <= last


def kind(day: date) -> DayKind:
    """Say what a day is; outside the published calendar only weekdays and weekends are told apart."""
    weekend = day.weekday() >= _SATURDAY
    if known(day):
        # Its tables and not its functions: each of those searches all days for the first and the last year.
        from chinese_calendar import holidays, workdays  # noqa: PLC0415  # only where it is asked

        if day in workdays:
            return DayKind.MAKE_UP if weekend else DayKind.WORK
        if day in holidays:
            return DayKind.HOLIDAY
    return DayKind.REST if weekend else DayKind.WORK


def is_workday(day: date) -> bool:
    """Say whether a day is worked."""
    return kind(day) in (DayKind.WORK, DayKind.MAKE_UP)


def after(day: date, count: int) -> Due:
    """Return the `count`-th working day after a day, which does not count itself (民法典 art. 201).

    Raises:
        ValueError: `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"{count} working days: count from 1")
    found = day
    for _ in range(count):
        found += _ONE
        while not is_workday(found):
            found += _ONE
    return Due(found, provisional=not known(found))


def like_days(day: date, *, most: int = 8, back: int = 400) -> list[date]:
    """Return the latest days before `day` that are like it, the newest first: `most` of them, at most `back` days ago.

    A working day is like working days of its weekday, a free weekend day like those of its weekday, a public holiday
    like public holidays, and a working day at a weekend (调休) like any working day: its own weekday is usually free.
    """
    found: list[date] = []
    for other in _backwards(day, back):
        if len(found) == most:
            break
        if _alike(day, other):
            found.append(other)
    return found


def _backwards(day: date, back: int) -> Iterator[date]:
    for step in range(1, back + 1):
        yield day - step * _ONE


def _alike(day: date, other: date) -> bool:
    mine, its = kind(day), kind(other)
    if mine is DayKind.MAKE_UP:
        return its in (DayKind.WORK, DayKind.MAKE_UP)
    return mine is its and (mine is DayKind.HOLIDAY or day.weekday() == other.weekday())


@cache
def published() -> tuple[int, int]:
    """Return the first and the last year of the published calendar, which has every year between."""
    from chinese_calendar.constants import holidays  # noqa: PLC0415  # a table of all years: only where it is asked

    return min(holidays).year, max(holidays).year
