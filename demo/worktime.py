"""The working time of offices: the days of the legal calendar, 08:30-12:00 and 13:30-17:30.

Working time is counted in working seconds from the first day of the calendar, so that "two hours later" is an addition.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from hub import workdays

DAY = 27_000
"""Working seconds of one day: 7.5 hours."""
HOUR = 3_600
_MORNING = 12_600
_OPENS = timedelta(hours=8, minutes=30)
_NOON = timedelta(hours=13, minutes=30)


def works(day: date) -> bool:
    """Say whether offices are open on this day."""
    return workdays.is_workday(day)


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if works(day):
            yield day


def last_working_day_before(day: date) -> date:
    """Return the nearest working day earlier than `day`."""
    found = day - timedelta(days=1)
    while not works(found):
        found -= timedelta(days=1)
    return found


class WorkCalendar:
    """Working days from `first` on, and far enough after `last` for every due date."""

    def __init__(self, first: date, last: date) -> None:
        reach = list(_days(first, last + timedelta(days=500)))
        self.days: tuple[date, ...] = tuple(reach)
        self._opens = [datetime.combine(day, time()) + _OPENS for day in reach]
        self._noons = [datetime.combine(day, time()) + _NOON for day in reach]
        self.count = sum(day <= last for day in reach)
        """Working days from `first` to `last`, both counted."""

    def at(self, seconds: int) -> datetime:
        """Return the instant after that many working seconds."""
        day, rest = divmod(seconds, DAY)
        if rest < _MORNING:
            return self._opens[day] + timedelta(seconds=rest)
        return self._noons[day] + timedelta(seconds=rest - _MORNING)

    def evening(self, day: int, seconds: int) -> datetime:
        """Return an instant after closing time, `seconds` after 18:00 of the working day with this number."""
        return self._opens[day] + timedelta(hours=9, minutes=30, seconds=seconds)

    def end_of(self, day: int) -> datetime:
        """Return closing time of the working day with this number."""
        return self._noons[day] + timedelta(hours=4)

    def end_from(self, day: date) -> datetime:
        """Return closing time of a day, or of the next working day after it."""
        return self.end_of(bisect_left(self.days, day))

    def number(self, day: date) -> int:
        """Return the number of a working day.

        Raises:
            ValueError: it is none.
        """
        return self.days.index(day)
