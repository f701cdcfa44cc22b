"""How far feeds are complete, and whether that is far enough for a question: silence is never turned into a no."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from hub.workdays import ZONE


@dataclass(frozen=True, slots=True)
class Feed:
    """A stream, up to which instant it is complete (None: nobody vouches), and on whose word."""

    stream_id: int
    complete_through: datetime | None
    basis: str | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """What is asked of feeds: to be complete up to `needed`, less the hours by which they may lag."""

    needed: datetime
    lag: timedelta

    @classmethod
    def of(cls, *, on: date, now: datetime, hours: int) -> Freshness:
        """Ask for the end of the day in question, or for now where that day is not over."""
        return cls(min(now, end_of(on)), timedelta(hours=hours))

    def fresh(self, feed: Feed) -> bool:
        """Say whether a feed is far enough."""
        return feed.complete_through is not None and feed.complete_through >= self.needed - self.lag

    def least(self, feeds: Iterable[Feed]) -> tuple[datetime | None, str | None]:
        """Return how far the feed that is furthest behind is complete, and on whose word."""
        listed = list(feeds)
        if not listed or any(one.complete_through is None for one in listed):
            return None, None
        last = min(listed, key=lambda one: (one.complete_through or self.needed, one.stream_id))
        return last.complete_through, last.basis


def end_of(day: date) -> datetime:
    """Return the last instant of a day in the province."""
    return datetime.combine(day, time.max, tzinfo=ZONE)
