"""Quiet hours (免打扰时段): texts are held until they are over, by the clock of the province."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from hub.settings import SettingError
from hub.workdays import ZONE

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Quiet:
    """From when to when nobody is told, and the levels that are told all the same."""

    begins: time | None
    ends: time | None
    through: frozenset[str]

    @classmethod
    def of(cls, span: str, through: frozenset[str]) -> Quiet:
        """Read `22:00-07:30`, or `none`.

        Raises:
            SettingError: it is neither.
        """
        if span == "none":
            return cls(None, None, through)
        found = _SPAN.fullmatch(span)
        if found is None or found.group(1, 2) == found.group(3, 4):
            raise SettingError("HUB_NOTICE_QUIET: write two different times such as 21:00-08:00, or none.")
        hours = [int(one) for one in found.groups()]
        return cls(time(hours[0], hours[1]), time(hours[2], hours[3]), through)

    def until(self, now: datetime) -> datetime | None:
        """Return when the quiet that holds now is over; None where it is not quiet."""
        if self.begins is None or self.ends is None:
            return None
        local = now.astimezone(ZONE)
        at = local.time()
        over_night = self.begins > self.ends
        inside = (at >= self.begins or at < self.ends) if over_night else self.begins <= at < self.ends
        if not inside:
            return None
        day = local.date() + timedelta(days=1 if over_night and at >= self.begins else 0)
        return datetime.combine(day, self.ends, ZONE)
