"""What all shapes share: which records a department delivers on a day, and what the hub must make of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal, Protocol

from demo.model import Answered, Case, Change, Defect, Department, Outcome, Placed, Precision, UnitMark, Work
from demo.shapes.record import Entry, Operation, Stream, Values, joined
from demo.shapes.spoil import orphan, spoil

Deletes = Literal["case", "material"] | None


class Sink(Protocol):
    """Takes records in a system's own style and keeps them where the system keeps them."""

    def put(self, entry: Entry, values: Values) -> None:
        """Keep one record; a record of the same key that is kept already is replaced where the system can do that."""


@dataclass(slots=True)
class Delivery:
    """One record on its way out, with what the hub must make of it."""

    entry: Entry
    operation: Operation
    outcome: Outcome
    rules: tuple[str, ...]
    defect: str | None = None
    order: str | None = None
    """Stands in place of the version, where a defect made it unreadable."""
    part: int = 0
    """The number of its case on this day, for systems that write several files."""
    row: int | None = None
    """The number that the department itself gives the record, where the hub answers each one."""


class System:
    """A shape of system. Subclasses say what they send (`seen`), how (`entries`, `stamped`), and where (`sink`)."""

    name: str = ""
    single: bool = False
    parks: bool = True
    precision: Precision = "s"
    carries: frozenset[str] = frozenset()
    deletes: Deletes = None
    answered: bool = False
    streams: Mapping[str, Stream] = {}

    def seen(self, case: Case) -> Case | None:
        """Return the case as the hub can know it from this shape's records."""
        return case

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the records of a case as `seen` returns it, the application's own record first."""
        raise NotImplementedError

    def stamped(self, delivery: Delivery) -> Values:
        """Return the fields of the record as they are written, with version, time and operation."""
        raise NotImplementedError

    def sink(self, department: Department, work: Work, home: Path, day: int) -> AbstractContextManager[Sink]:
        """Open what takes the records of a day."""
        raise NotImplementedError

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Write what the department delivers on this day below `home`, and yield each record with its expectation."""
        raise NotImplementedError

    def spoiled_units(
        self, department: Department, work: Work, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Execute the unit-level defects of the day."""
        del work, home, dry  # for shapes that carry more than silence
        if day == 2 and "silent_feed" in plans:
            yield UnitMark(department.code, None, None, day, "silent_feed", "silent_feed")

    def placed(self, department: Department, delivery: Delivery, day: int) -> Placed:
        """Say what was delivered."""
        entry = delivery.entry
        return Placed(
            department.code, entry.stream, entry.key, day, delivery.outcome, entry.case,
            None if delivery.order else entry.version, delivery.rules, delivery.defect, delivery.row,
        )  # fmt: skip

    def answers(self, department: str, home: Path) -> Iterator[Answered]:
        """Yield what the hub told the department about each record; asked only of shapes that are answered."""
        raise NotImplementedError(f"shape {self.name} gets no answers")

    def numbered(self, department: Department, work: Work, day: int) -> Iterator[Delivery]:
        """Yield what the department delivers on a day, each with a number of its own: the day, then one by one."""
        cut = work.province.cut if day == 1 else work.province.cut2
        for number, delivery in enumerate(self.deliveries(department, work, day), 1):
            delivery.row = int(f"{cut:%Y%m%d}{number:08d}")
            yield delivery

    def deliveries(self, department: Department, work: Work, day: int) -> Iterator[Delivery]:
        """Yield what the department delivers on a day."""
        if day == 1:
            for number, case in enumerate(work.cases(department.code)):
                for delivery in self._first(department, case):
                    delivery.part = number
                    yield delivery
            return
        for number, change in enumerate(work.changes(department.code)):
            for delivery in self._changed(department, change, work.province.cut2):
                delivery.part = number
                yield delivery

    def first_cases(self, department: Department, work: Work, count: int) -> Iterator[Delivery]:
        """Yield what the first cases of day 1 are made of, without their defects."""
        for case in islice(work.cases(department.code), count):
            yield from self._first(department, case)

    def _spelled(self, department: Department, case: Case | None) -> list[Entry]:
        known = None if case is None else self.seen(case)
        if known is None:
            return []
        found = list(self.entries(department, known))
        return [entry for entry in found if entry.role != "case"] if known.held else found

    def _first(self, department: Department, case: Case) -> Iterator[Delivery]:
        """Yield a case that is delivered for the first time."""
        entries = self._spelled(department, case)
        if not entries:
            return
        defect = case.defect
        spoiled = {}
        if defect is not None and defect.kind != "orphan":
            spoiled = spoil(entries, defect, self.streams)
        stands = not case.held and not any(entries[i].role == "case" and one.refused for i, one in spoiled.items())
        for index, entry in enumerate(entries):
            if index in spoiled:
                done = spoiled[index]
                rules = (done.rule,) if done.refused else joined((done.rule,), entry.faults)
                outcome: Outcome = "quarantined" if done.refused else self._outcome(done.entry, "new", stands=stands)
                yield Delivery(done.entry, "I", outcome, rules, defect.kind if defect else None, done.order)
            else:
                yield Delivery(entry, "I", self._outcome(entry, "new", stands=stands), entry.faults)
        if defect is not None and defect.kind == "orphan":
            lost = orphan(entries, self.streams)
            yield Delivery(lost, "I", "parked", ("parent_missing",), "orphan")

    def _outcome(self, entry: Entry, outcome: Outcome, *, stands: bool) -> Outcome:
        if stands or entry.role == "case" or not (entry.hangs and self.streams[entry.stream].hangs):
            return outcome
        return "parked" if outcome in ("new", "updated") else outcome

    def _changed(self, department: Department, change: Change, when: datetime) -> Iterator[Delivery]:
        """Yield what became of one case: new records, changed ones, and those that are taken back."""
        if change.before is None:
            if change.after is not None:
                yield from self._first(department, change.after)
            return
        before = {one.place: one for one in self._spelled(department, change.before)}
        after = {one.place: one for one in self._spelled(department, change.after)}
        for place, entry in after.items():
            old = before.get(place)
            if old is None:
                yield Delivery(entry, "I", "new", entry.faults)
            elif old.values != entry.values:
                yield self._rewritten(change, entry)
        for place, old in before.items():
            if place not in after:
                gone = replace(old, version=old.version + 1, at=when)
                yield Delivery(gone, "D", "deleted", ())

    def _rewritten(self, change: Change, entry: Entry) -> Delivery:
        if change.kind == "resend_changed":
            return Delivery(entry, "U", "quarantined", ("version_conflict",), "duplicate_changed")
        if change.kind == "resend_older":
            return Delivery(entry, "U", "stale", ("stale_version",), "older_version")
        return Delivery(entry, "U", "updated", entry.faults)
