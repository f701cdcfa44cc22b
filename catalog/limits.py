"""Legal and promised time limits (期限) compared, though they are counted in unlike units.

A working day has no fixed length in calendar days, a month none in days. Each limit therefore is a span of calendar
days, from the fewest that it can last to the most; two limits are compared only where their spans do not overlap, or
where they share a unit. Nothing is guessed: what cannot be told is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["working_day", "calendar_day", "month", "year"]

_WEEK, _WORKING_DAYS = 7, 5
_LONGEST_HOLIDAYS = 16
"""Days without work beside weekends that may lie in any stretch of a few weeks (春节 and 国庆 with their weekends)."""
_MONTH = (28, 31)
_YEAR = (365, 366)


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit: a number of units."""

    value: int
    unit: Unit

    @classmethod
    def of(cls, said: Mapping[str, Any] | None) -> Limit | None:
        """Read a limit as an item's content says it; None where it says none."""
        return None if said is None else cls(int(said["value"]), said["unit"])

    @property
    def span(self) -> tuple[int, int]:
        """Return the fewest and the most calendar days that it can last."""
        if self.unit == "calendar_day":
            return self.value, self.value
        if self.unit == "working_day":
            weeks, rest = divmod(self.value, _WORKING_DAYS)
            years = self.value // 200 + 1
            fewest = weeks * _WEEK + rest if self.value else 0
            # It may begin behind a weekend, and make-up working days lie on weekends.
            return max(self.value, fewest - 6), fewest + 2 + _LONGEST_HOLIDAYS * years if self.value else 0
        fewest, most = _MONTH if self.unit == "month" else _YEAR
        return fewest * self.value, most * self.value


def exceeds(one: Limit, other: Limit) -> bool | None:
    """Say whether a limit is longer than another; None where their units do not let it be told."""
    if one.unit == other.unit:
        return one.value > other.value
    months = {"month": 1, "year": 12}
    if one.unit in months and other.unit in months:
        return one.value * months[one.unit] > other.value * months[other.unit]
    if one.span[0] > other.span[1]:
        return True
    return False if one.span[1] <= other.span[0] else None


def total(limits: Iterable[Limit]) -> Limit | None:
    """Add limits up; None where there is none, or where they are counted in unlike units."""
    listed = list(limits)
    units = {one.unit for one in listed}
    return Limit(sum(one.value for one in listed), units.pop()) if len(units) == 1 else None
