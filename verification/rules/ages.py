"""How long ago something may have been given, by legal limits."""

from __future__ import annotations

from datetime import date

from catalog.limits import Limit
from hub.workdays import is_workday


def earliest(day: date, limit: Limit) -> date:
    """Return the first day that is no longer ago than a limit; working days by the legal calendar."""
    if limit.unit == "working_day":
        found, left = day.toordinal(), limit.value
        while left:
            found -= 1
            left -= is_workday(date.fromordinal(found))
        return date.fromordinal(found)
    if limit.unit == "calendar_day":
        return date.fromordinal(day.toordinal() - limit.value)
    months = limit.value * (12 if limit.unit == "year" else 1)
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < date.min.year:
        return date.min
    return _last_that_exists(year, month + 1, day.day)


def _last_that_exists(year: int, month: int, day: int) -> date:
    """Return the day, or the month's last one where it has no such day (民法典 art. 202)."""
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1
