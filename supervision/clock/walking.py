"""The clock of one case walked day by day: slow, plain, without SQL. It explains what `cases` computes in sets.

A property test holds the two together; the rules themselves stand in `dues`, `pauses`, `cases` and the page
docs/supervise/clock.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from hub.workdays import ZONE, local_day
from supervision.calendar.service import FIRST, LAST
from supervision.clock.facts import DELIVERY_DAYS, EXTENSION, JOINT_EXTENSION, NOTICE_DAYS
from supervision.clock.said import Day, Facts, Limit

_ONE: Final = timedelta(days=1)
_END: Final = time(23, 59, 59)
_MONTHS: Final = 12


@dataclass(slots=True)
class Walk:
    """What the walk found."""

    why: str | None = None
    notes: list[str] = field(default_factory=list)
    basis: str | None = None
    deemed: bool = False
    receipt_at: datetime | None = None
    notice_due: date | None = None
    started_at: datetime | None = None
    start_day: date | None = None
    due_at: datetime | None = None
    legal_due_at: datetime | None = None
    provisional: bool = False
    paused_since: datetime | None = None
    extended: int = 0
    verdict: str | None = None
    used_days: int | None = None
    delivery_due: date | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """Where a limit ends: the instant, and the day with which its days have run.

    The two differ where a limit in calendar days, months or years runs out on a free day: the end moves to the next
    working day (民法典 art. 203), but no day of the limit is left that a pause could stop.
    """

    at: datetime
    ran_out: date


class OutOfCalendar(Exception):
    """A day that the walk needs is not in the calendar."""


class Walker:
    """Walks the calendar for one case."""

    def __init__(self, facts: Facts, calendar: Mapping[date, Day]) -> None:
        self.facts, self._calendar = facts, calendar
        self._ended = [(one.start, one.end or facts.closed_at) for one in facts.pauses]
        opened = [one.start for one in facts.pauses if one.start is not None and one.end is None]
        self.open_since = min(opened) if opened and facts.closed_at is None else None

    def stands_at(self, now: datetime) -> Walk:
        """Compute the clock as if the open pause ended now: it is counted so far, by the unit of what it stops."""
        ended = tuple(replace(one, end=now) if one.end is None else one for one in self.facts.pauses)
        return Walker(replace(self.facts, pauses=ended), self._calendar).walk()

    def walk(self) -> Walk:
        """Compute the clock; what cannot be computed says why."""
        found, closed = Walk(), self.facts.closed_at
        try:
            if closed is not None and self.facts.closing_outcome == "granted":
                found.delivery_due = self.workday_after(local_day(closed), DELIVERY_DAYS)
            self._start(found)
            found.why = self._fault(found)
            if found.why is None and found.start_day is not None and not self.facts.not_accepted:
                self._limits(found)
                self._ends(found)
        except OutOfCalendar as gone:
            found.why = str(gone)
        if self.facts.not_accepted:
            found.why = None
        return found

    def day(self, day: date) -> Day:
        """Look a day up."""
        known = self._calendar.get(day)
        if known is None:
            raise OutOfCalendar("calendar_hole" if FIRST <= day <= LAST else "calendar_ends")
        return known

    def works(self, day: date) -> bool:
        """Say whether a day is worked."""
        return self.day(day).works

    def stopped(self, day: date) -> bool:
        """Say whether an ended pause stops a day: after that of its start, up to that of its end."""
        return any(
            start is not None and end is not None and local_day(start) < day <= local_day(end)
            and (self.open_since is None or day <= local_day(self.open_since))
            for start, end in self._ended
        )  # fmt: skip

    def workday_after(self, day: date, count: int) -> date:
        """Return the n-th working day after a day."""
        while count > 0:
            day += _ONE
            count -= self.works(day)
        return day

    def _start(self, found: Walk) -> None:
        facts = self.facts
        found.receipt_at = self._receipt()
        if found.receipt_at is not None:
            due = found.notice_due = self.workday_after(local_day(found.receipt_at), NOTICE_DAYS)
            ended = facts.accepted_at or facts.closed_at
            found.deemed = not facts.not_accepted and (ended is None or local_day(ended) > due)
        if facts.version_id is not None:
            found.basis = "receipt" if found.deemed else facts.basis
        found.started_at = found.receipt_at if facts.basis == "receipt" or found.deemed else facts.accepted_at
        if facts.from_stage:
            found.notes.append("acceptance_from_stage")
        if found.started_at is None:
            return
        day = found.start_day = local_day(found.started_at)
        late = found.started_at.astimezone(ZONE).time() > facts.closes_at
        if facts.kind == "immediate" and (late or not self.works(day)):
            found.start_day = self.workday_after(day, 1)

    def _receipt(self) -> datetime | None:
        """Return when everything was received."""
        facts = self.facts
        told = [one for one, _ in facts.supplements if one is not None]
        received = [one for _, one in facts.supplements if one is not None]
        if facts.applied_at is None:
            # Nothing says when it was received; an answered request in time cannot be told either.
            return None
        if not told or local_day(min(told)) > self.workday_after(local_day(facts.applied_at), NOTICE_DAYS):
            return facts.applied_at
        waiting = len(told) > len(received)
        if waiting and facts.accepted_at is None:
            return None
        known = [one for one in (max(received, default=None), facts.accepted_at) if one is not None]
        return min(known, default=None)

    def _fault(self, found: Walk) -> str | None:
        facts = self.facts
        if facts.why is not None:
            return facts.why
        if facts.applied_at is None and facts.accepted_at is None:
            return "no_day"
        if before(facts.accepted_at, facts.applied_at):
            return "accepted_before_applied"
        limit = self.governing()
        fault = self._pause_fault() or self._extension()[2] or self._limit_fault(limit)
        if fault is None and found.started_at is not None and before(facts.closed_at, found.started_at):
            return "closed_before_start"
        return fault

    def _pause_fault(self) -> str | None:
        ends = [one for pause in self.facts.pauses for one in (pause.start, pause.end) if one is not None]
        if sum(one.start is None for one in self.facts.pauses) > len(self.facts.extensions):
            return "suspension_without_start"
        if any(not FIRST <= local_day(one) <= LAST for one in ends):
            return "suspension_outside_calendar"
        return "suspension_reversed" if any(before(one.end, one.start) for one in self.facts.pauses) else None

    @property
    def at_once(self) -> bool:
        """Say whether the item is decided at once."""
        promised = self.facts.promised
        return self.facts.kind == "immediate" and (promised is None or promised.fault == "limit_zero")

    def governing(self) -> Limit | None:
        """Return the limit that binds: what is promised, else what the law sets; none for what is decided at once."""
        if self.at_once:
            return Limit(0, "working_day")
        return self.facts.promised or self.facts.legal

    def _limit_fault(self, limit: Limit | None) -> str | None:
        if limit is None:
            return "no_limit"
        return None if self.at_once else limit.fault

    def _extension(self) -> tuple[int, str, str | None, date | None]:
        """Return how long extensions are in all, their unit, what is wrong with them, and the first day."""
        counted = [one for one in self.facts.extensions if one.approved and one.start is not None]
        if not counted:
            return 0, "working_day", None, None
        units = {one.unit or "working_day" for one in counted}
        days = sum(one.value or 0 for one in counted)
        first = min(local_day(one.start) for one in counted if one.start is not None)
        if any((one.value or 0) <= 0 for one in counted):
            return 0, "working_day", "extension_length_unknown", first
        if len(units) > 1:
            return 0, "working_day", "extension_units_differ", first
        if days > 3660:  # noqa: PLR2004  # ten years
            return 0, "working_day", "extension_too_long", first
        unit = units.pop()
        most = JOINT_EXTENSION if self.facts.joint else EXTENSION
        return (min(days, most) if unit == "working_day" else days), unit, None, first

    def _limits(self, found: Walk) -> None:
        start, limit = found.start_day, self.governing()
        assert start is not None  # noqa: S101  # the caller looked
        assert limit is not None  # noqa: S101  # _fault looked
        assert found.started_at is not None  # noqa: S101  # it has a day
        ended, unit = self._extended(found, self.end(start, found.started_at, limit), limit, note=True)
        found.due_at = ended.at
        if limit is self.facts.legal:
            found.legal_due_at = ended.at
        elif self.facts.legal is not None and self.facts.legal.fault is None:
            legal = self.facts.legal
            by_law, _ = self._extended(found, self.end(start, found.started_at, legal), legal, note=False)
            found.legal_due_at = by_law.at
        if self.open_since is not None and _in_time(self.open_since, unit, ended):
            found.paused_since = max(self.open_since, found.started_at)
        if not all(_in_time(one, unit, ended) for one in self._pauses_begin(unit)):
            found.notes.append("pause_after_due")
        found.provisional = not (self.day(start).published and self.day(local_day(ended.at)).published)

    def _pauses_begin(self, unit: str) -> Iterator[datetime]:
        """Give where pauses begin, those that overlap as one."""
        if self.open_since is not None:
            yield self.open_since
        if unit == "hour":
            yield from (start for start, _ in self._united_instants())
            return
        for start, end in self._ended:
            if start is None or end is None or self.stopped(local_day(start)):
                continue
            last = min(local_day(end), local_day(self.open_since or end))
            if local_day(start) < last:
                yield start

    def _extended(self, found: Walk, ended: Ended, limit: Limit, *, note: bool) -> tuple[Ended, str]:
        days, unit, _, first = self._extension()
        if first is None or not days:
            return ended, str(limit.unit)
        last = local_day(ended.at)
        stands = self.open_since is not None and _in_time(self.open_since, str(limit.unit), ended)
        if first > last and not stands:
            if note:
                found.notes.append("extension_after_due")
            return ended, str(limit.unit)
        if note:
            found.extended = days
        return self.end(last, ended.at, Limit(days, unit)), unit

    def end(self, start: date, started_at: datetime, limit: Limit) -> Ended:
        """Return when a limit ends that starts on a day."""
        value = limit.value or 0
        if limit.unit == "hour":
            return self._hours(started_at, value)
        if limit.unit == "working_day":
            day = start
            while value > 0:
                day += _ONE
                value -= self.works(day) and not self.stopped(day)
            return Ended(end_of(day), day)
        left = (_plain(start, value, str(limit.unit)) - start).days
        day = start
        while left > 0:
            day += _ONE
            self.day(day)
            left -= not self.stopped(day)
        ran_out = day
        while not self.works(day):
            day += _ONE
        return Ended(end_of(day), ran_out)

    def _hours(self, started_at: datetime, hours: int) -> Ended:
        """Run minute by minute would be too slow: go from one end of a pause to the next."""
        left, at = timedelta(hours=hours), started_at
        for start, end in self._united_instants():
            if end <= at:
                continue
            ran = max(start, at) - at
            if ran >= left:
                break
            left, at = left - ran, end
        due = at + left
        self.day(local_day(due))
        return Ended(due, local_day(due))

    def _united_instants(self) -> list[tuple[datetime, datetime]]:
        united: list[tuple[datetime, datetime]] = []
        spans = [(s, min(e, self.open_since) if self.open_since else e) for s, e in self._ended if s and e]
        for start, end in sorted(one for one in spans if one[0] < one[1]):
            if united and start <= united[-1][1]:
                united[-1] = (united[-1][0], max(united[-1][1], end))
            else:
                united.append((start, end))
        return united

    def _ends(self, found: Walk) -> None:
        closed, start, due = self.facts.closed_at, found.start_day, found.due_at
        assert start is not None  # noqa: S101  # the caller looked
        assert due is not None  # noqa: S101  # _limits set it
        if closed is None:
            return
        day, last = local_day(closed), local_day(due)
        found.used_days = sum(self.works(one) and not self.stopped(one) for one in days_between(start, day))
        limit_unit = (self.governing() or Limit(0, "working_day")).unit
        if limit_unit == "hour" and not found.extended:
            found.verdict = "early" if closed < due else "on_time" if closed == due else "late"
        else:
            found.verdict = "early" if day < last else "on_time" if day == last else "late"


def _in_time(pause: datetime, unit: str, ended: Ended) -> bool:
    """Say whether a pause began before the limit was over."""
    return pause < ended.at if unit == "hour" else local_day(pause) < ended.ran_out


def _plain(start: date, value: int, unit: str) -> date:
    """Return where a limit ends on the plain calendar (民法典 art. 202: the day of that number, or the last one)."""
    if unit == "calendar_day":
        return start + timedelta(days=value)
    months = start.year * _MONTHS + start.month - 1 + value * (_MONTHS if unit == "year" else 1)
    year, month = divmod(months, _MONTHS)
    after = date(year + (month == _MONTHS - 1), (month + 1) % _MONTHS + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=start.day - 1), after - _ONE)


def before(one: datetime | None, other: datetime | None) -> bool:
    """Say whether an instant lies on an earlier day than another."""
    return one is not None and other is not None and local_day(one) < local_day(other)


def end_of(day: date) -> datetime:
    """Return the last second of a day in the province."""
    return datetime.combine(day, _END, ZONE)


def days_between(first: date, last: date) -> Iterator[date]:
    """Give the days after one up to another."""
    for number in range(first.toordinal() + 1, last.toordinal() + 1):
        yield date.fromordinal(number)
