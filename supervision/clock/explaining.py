"""Explains the clock of one case: what it rests on, and each day one by one, now or as it was known at an instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from hub.workdays import local_day
from sharedrepo.models import clock as clocks
from supervision.clock import known
from supervision.clock.listing import WHY
from supervision.clock.said import Facts, Limit
from supervision.clock.walking import Walk, Walker, days_between

DOES: Final = {
    "start": ("计时起点，不计入", "the clock starts; this day is not counted"),
    "counts": ("计 1 日", "counts"),
    "rest": ("休息日，不计", "a weekend day, not counted"),
    "holiday": ("节假日，不计", "a holiday, not counted"),
    "paused": ("特别程序，不计", "the clock is stopped, not counted"),
    "due": ("期限届满", "the limit ends with this day"),
    "over": ("已超期", "after the limit"),
}
"""What a day does to the clock, in Chinese and English."""
LONGEST: Final = 4_000
"""Days that are told one by one at most: ten years."""


@dataclass(frozen=True, slots=True)
class Told:
    """One day: what it is, what it does, and how many days of the limit were used with its end."""

    day: date
    kind: str
    published: bool
    does: str
    used: int


@dataclass(frozen=True, slots=True)
class Explained:
    """The clock of one case with all that it rests on; `as_known_at` is None for what is known now."""

    facts: Facts
    walk: Walk
    as_known_at: datetime | None
    now: datetime
    days: tuple[Told, ...]
    stands_due_at: datetime | None
    """When it is due as it stands now: an open pause is counted to now."""
    stands_legal_due_at: datetime | None
    stored_due_at: datetime | None
    agrees: bool
    """Whether the stored clock says the same; an earlier knowledge need not."""

    @property
    def used(self) -> int | None:
        """Return how many days of the limit are used: when the case was closed, or so far; None without a clock."""
        if self.facts.closed_at is not None:
            return self.walk.used_days
        return max((one.used for one in self.days if one.day <= local_day(self.now)), default=None)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        walk = self.walk
        return {
            "case": asdict(self.facts), "as_known_at": self.as_known_at, "now": self.now,
            "computable": walk.why is None, "why": walk.why, "why_zh": walk.why and WHY[walk.why][0],
            "why_en": walk.why and WHY[walk.why][1], "notes": walk.notes, "basis": walk.basis, "deemed": walk.deemed,
            "received_at": walk.receipt_at, "notice_due": walk.notice_due, "started_at": walk.started_at,
            "start_day": walk.start_day, "limit": governing(self.facts), "extended": walk.extended,
            "paused_since": walk.paused_since, "due_at": walk.due_at,
            "stands_due_at": self.stands_due_at,
            "stands_legal_due_at": self.stands_legal_due_at, "legal_due_at": walk.legal_due_at,
            "provisional": walk.provisional, "verdict": walk.verdict, "used_days": walk.used_days,
            "stored_due_at": self.stored_due_at, "agrees": self.agrees,
            "days": [{**asdict(one), "says": DOES[one.does][1], "says_zh": DOES[one.does][0]} for one in self.days],
        }  # fmt: skip


def governing(facts: Facts) -> dict[str, Any] | None:
    """Return the limit that binds, for people."""
    limit: Limit | None = Walker(facts, {}).governing()
    return None if limit is None else asdict(limit)


def explain(connection: sa.Connection, case: str | int, as_known_at: datetime | None = None) -> Explained:
    """Walk the clock of a case day by day, by what is known now or was known at an instant.

    Raises:
        NoSuchCase: no case has this number, several have it, or nothing was known of it then.
        NoCalendar: there is no calendar by which to count.
    """
    case_id = known.find(connection, case)
    now = as_known_at or connection.execute(sa.text("SELECT supervision.instant()")).scalar_one()
    facts = known.facts_of(connection, case_id, as_known_at)
    walker = Walker(facts, known.calendar_days(connection, facts.calendar, as_known_at))
    walk = walker.walk()
    stored = connection.execute(sa.select(clocks).where(clocks.c.case_id == case_id)).mappings().first()
    same = stored is not None and (stored["why"], stored["due_at"]) == (walk.why, walk.due_at)
    days = tuple(_days(walker, walk, now)) if walk.due_at is not None and walk.why is None else ()
    due_at = None if stored is None else stored["due_at"]
    stands = walk if walker.open_since is None or walk.why is not None else walker.stands_at(now)
    return Explained(facts, walk, as_known_at, now, days, stands.due_at, stands.legal_due_at, due_at, same)


def _days(walker: Walker, walk: Walk, now: datetime) -> Iterator[Told]:
    """Tell the days from the start to the end of the limit, the closing, or now, whichever is last."""
    assert walk.start_day is not None  # noqa: S101  # the caller looked
    assert walk.due_at is not None  # noqa: S101  # the caller looked
    last = local_day(walk.due_at)
    until = max(last, local_day(walker.facts.closed_at or now))
    working = (walker.governing() or Limit(0, "working_day")).unit == "working_day"
    used = 0
    yield _told(walker, walk.start_day, "due" if walk.start_day == last else "start", 0)
    for place, day in enumerate(days_between(walk.start_day, until)):
        if place >= LONGEST:
            return
        counts = (walker.works(day) or not working) and not _stopped(walker, walk, day)
        used += counts
        yield _told(walker, day, _does(walker, walk, day, counts=counts), used)


def _stopped(walker: Walker, walk: Walk, day: date) -> bool:
    since = walk.paused_since
    return walker.stopped(day) or (since is not None and day > local_day(since))


def _does(walker: Walker, walk: Walk, day: date, *, counts: bool) -> str:
    assert walk.due_at is not None  # noqa: S101  # the caller looked
    if day == local_day(walk.due_at) and walk.paused_since is None:
        return "due"
    if _stopped(walker, walk, day):
        return "paused"
    if day > local_day(walk.due_at):
        return "over"
    if counts:
        return "counts"
    return "holiday" if walker.day(day).kind == "holiday" else "rest"


def _told(walker: Walker, day: date, does: str, used: int) -> Told:
    known_day = walker.day(day)
    return Told(day, known_day.kind, known_day.published, does, used)
