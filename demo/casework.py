"""The province at work: each department's cases as they stand on day 1, and what changed by day 2.

Cases are told one by one and forgotten again, so that a province of any size needs no more memory than a small one.
A day's view of a case is what its department had written down by the day's cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from demo import faults, habits, relying
from demo.aftermath import last_written
from demo.catalog import build_province
from demo.defects import cast, chance
from demo.model import KINDS, Case, Change, ChangeKind, Defect, Department, Item, Province, Shape, Suspension
from demo.people import People, posts_of
from demo.roles import Cast, Role
from demo.story import REACH, Teller
from demo.wish import Wish
from demo.worktime import DAY, WorkCalendar

_NO_ROLE = Role("")
_FIRST = Role("first")
_GROUPS = ("events", "supplements", "materials", "fees", "deliveries", "decisions")
_KIND_OF: Mapping[str, ChangeKind] = {
    "correct_event": "correction",
    "correct_subject": "correction",
    "open_correct": "correction",
    "late_child": "late",
    "late_parent": "late",
    "late_open": "late",
    "delete_case": "deletion",
    "delete_material": "deletion",
    "duplicate_changed": "resend_changed",
    "older_version": "resend_older",
}


class Casework:
    """Tells the cases of all departments (`demo.model.Work`)."""

    def __init__(self, province: Province, shapes: Mapping[str, Shape]) -> None:
        self.province = province
        self.shapes = shapes
        first, last = province.cut.date() - timedelta(days=364), province.cut.date()
        self._calendar = WorkCalendar(first, last)
        self._people = People(province.seed, province.regions)
        self._departments = {department.code: department for department in province.senders}
        self.cast: Cast = cast(province.seed, province.cases, province.senders, shapes, province.items)

    def cases(self, department: str) -> Iterator[Case]:
        """Yield the department's cases as delivered on day 1, in order of application."""
        found = self._departments[department]
        teller = self._teller(found)
        for index in range(found.cases):
            case = self._on_first(self._told(teller, index), self._role(found, index))
            if case is not None:
                yield case

    def changes(self, department: str) -> Iterator[Change]:
        """Yield what the department delivers on day 2 (nothing where its feed is silent)."""
        found = self._departments[department]
        if not found.cases or department in self.cast.silent:
            return
        teller = self._teller(found)
        for index in self._stirring(found):
            change = self._change(teller, index)
            if change is not None:
                yield change

    def _stirring(self, department: Department) -> Iterator[int]:
        """Yield the indices of cases that may change on day 2: those with a role, the younger ones, the new ones."""
        days = self._calendar.count
        young = int(department.cases * max(0, days - REACH) / days)
        yield from (index for index in sorted(self.cast.roles.get(department.code, ())) if index < young)
        yield from range(young, department.cases + max(1, round(department.cases / days)))

    def plans(self, department: str, day: int) -> tuple[Defect, ...]:
        """Return the unit-level defects that the department's writer executes on this day."""
        return self.cast.plans_of(department, day)

    def defects(self) -> Iterator[Defect]:
        """Yield every injected defect, those of cases with their numbers, in department and case order."""
        for code, roles in self.cast.roles.items():
            teller = self._teller(self._departments[code])
            for index, role in sorted(roles.items()):
                if role.defect is not None:
                    yield replace(role.defect, case=teller.number(index))
        for plans in self.cast.plans.values():
            yield from plans
        for code, habit in self.cast.habits.items():
            yield Defect(habit.kind, code, 1, note=KINDS[habit.kind].note)

    def checks(self) -> list[dict[str, Any]]:
        """Return the checks that end the demonstration, and what the hub must say; none in a province too small."""
        chosen = self.cast.relied
        if chosen is None:
            return []
        return relying.told(chosen, lambda code, index: self._told(self._teller(self._departments[code]), index))

    def _teller(self, department: Department) -> Teller:
        return Teller(
            seed=self.province.seed,
            department=department,
            items=self._items(department),
            people=self._people,
            crowd=max(20, self.province.cases * 6 // 10),
            calendar=self._calendar,
            days=self._calendar.count,
            single=self.shapes[department.shape].single if department.shape in self.shapes else False,
            posts=posts_of(department.staff),
        )

    def _items(self, department: Department) -> tuple[Item, ...]:
        """Return the department's items; a city or county carries out those of one of the departments."""
        own = tuple(item for item in self.province.items if item.department == department.code)
        if own:
            return own
        having = sorted(one.code for one in self.province.departments if one.cases and one.has_review)
        lender = having[department.index % len(having)]
        return tuple(item for item in self.province.items if item.department == lender)

    def _role(self, department: Department, index: int) -> Role:
        if index == department.cases:
            return _FIRST
        return self.cast.roles.get(department.code, {}).get(index, _NO_ROLE)

    def _told(self, teller: Teller, index: int) -> Case:
        """Tell a case to its end, bent to its role."""
        role = self._role(teller.department, index)
        random = chance(self.province.seed, teller.department, index)
        if role is _NO_ROLE:
            case = teller.tell(index, Wish())
            habit = self.cast.habits.get(teller.department.code)
            return case if habit is None else habits.bend(case, habit, random, self.province.cut)
        case = faults.bend(teller.tell(index, role.wish), role.kind, random)
        if role.defect is not None and KINDS[role.kind].level == "record":
            case = replace(case, defect=replace(role.defect, case=case.number))
        if role.kind == "late_child":
            case = self._deliver_late(case, index)
        return relying.bend(case, role.kind, lambda: self._second_day(index))

    def _second_day(self, index: int) -> datetime:
        """Return an instant of day 2 in working hours."""
        return self._calendar.at(self._calendar.count * DAY + 1_800 + index * 97 % 22_000)

    def _deliver_late(self, case: Case, index: int) -> Case:
        late = tuple(replace(one, reported_at=self._second_day(index)) for one in case.deliveries)
        moved = replace(case, deliveries=late)
        return replace(moved, written_at=last_written(moved))

    def _on_first(self, case: Case, role: Role) -> Case | None:
        """Return the case as delivered on day 1, None where nothing of it is."""
        if role.kind == "late_open":
            return None
        view = seen_by(case, self.province.cut)
        if view is None:
            return None
        if role.kind == "late_parent":
            return replace(view, held=True)
        return _newer(view) if role.kind == "older_version" else view

    def _change(self, teller: Teller, index: int) -> Change | None:
        role = self._role(teller.department, index)
        case = self._told(teller, index)
        if role.kind not in _KIND_OF and case.written_at <= self.province.cut:
            return None
        before, after = self._on_first(case, role), seen_by(case, self.province.cut2)
        if after is not None and role.kind in _KIND_OF:
            newer = _newer(after) if role.kind == "older_version" else after
            after = _changed(newer, role.kind, self._second_day(index), single=teller.single)
        if before is None and after is None:
            return None
        kind = _KIND_OF.get(role.kind, "increment" if before is None else "progress")
        if before is not None and after is not None:
            if before == after:
                return None
            revision = before.revision if kind == "resend_changed" else before.revision + 1
            after = replace(after, revision=1 if kind == "resend_older" else revision)
        defect = role.defect if role.defect is not None and kind.startswith("resend") else None
        return Change(kind, before, after, defect and replace(defect, case=case.number))


def _newer(case: Case) -> Case:
    """Return a case that was corrected once before day 1 ended, so that an older version of it exists."""
    events = tuple(
        replace(one, opinion=f"{one.opinion}(已更正)", version=2) if one.stage == "undertake" else one
        for one in case.events
    )
    return replace(case, events=events, subject=f"{case.subject}(已更正)", version=2, revision=2)


def _changed(case: Case, kind: str, when: datetime, *, single: bool) -> Case | None:
    """Return the case as it stands after the change of day 2 that its role asks for."""
    if kind == "delete_case":
        return None
    if kind == "delete_material":
        return replace(case, materials=case.materials[:-1])
    if kind in {"late_parent", "late_open"}:
        return replace(case, reported_at=when, written_at=when)
    if kind in {"correct_subject", "open_correct"}:
        return replace(case, subject=f"{case.subject}(更正)", version=2, reported_at=when, written_at=when)
    words = _REWRITTEN.get(kind)
    return case if words is None else _rewritten(case, when, *words, single=single)


_REWRITTEN: Mapping[str, tuple[str, int]] = {
    "correct_event": ("经复查更正承办意见", 2),
    "duplicate_changed": ("经办人事后改写的意见", 1),
    "older_version": ("更正前的旧意见", 1),
}
"""What the undertaking's opinion becomes on day 2, and under which version."""


def _rewritten(case: Case, when: datetime, opinion: str, version: int, *, single: bool) -> Case:
    """Return the case with another opinion; where one record holds the whole case, with another decision text too."""
    events = tuple(
        replace(one, opinion=opinion, version=version, reported_at=when) if one.stage == "undertake" else one
        for one in case.events
    )
    decisions = tuple(replace(one, content=opinion) for one in case.decisions) if single else case.decisions
    return replace(case, events=events, decisions=decisions, written_at=when)


def seen_by(case: Case, cut: datetime) -> Case | None:
    """Return the case as its department had written it down by `cut`; None where there was nothing yet."""
    if case.written_at <= cut:
        return case
    if case.reported_at > cut:
        return None
    changes: dict[str, Any] = {
        name: tuple(one for one in getattr(case, name) if one.reported_at <= cut) for name in _GROUPS
    }
    changes["suspensions"] = tuple(_so_far(one, cut) for one in case.suspensions if one.reported_at <= cut)
    changes["certificates"] = tuple(
        replace(made, statuses=known, version=len(known))
        for made in case.certificates
        if (known := tuple(one for one in made.statuses if one.reported_at <= cut))
    )
    said = case.acceptance
    changes["acceptance"] = said if said is not None and said.reported_at <= cut else None
    view = replace(case, **changes)
    return replace(view, written_at=last_written(view))


def _so_far(pause: Suspension, cut: datetime) -> Suspension:
    if pause.ended_reported_at is None or pause.ended_reported_at <= cut:
        return pause
    return replace(pause, ended=None, result=None, ended_reported_at=None, version=1)


def build(seed: int, cases: int, day: date, shapes: Mapping[str, Shape]) -> Casework:
    """Build the province that has `cases` cases in the year before `day`: equal for equal arguments."""
    return Casework(build_province(seed, cases, day), shapes)
