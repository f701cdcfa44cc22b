"""A shape that writes nothing and says everything: one record an element, so that truth and generator stand alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

from demo.catalog import REGISTER_SHAPES
from demo.model import KINDS, Answered, Case, Change, Department, Placed, Precision, Shape, UnitMark, Work

GROUPS = ("events", "suspensions", "supplements", "materials", "fees", "deliveries", "decisions", "certificates")
NAMES = (
    "zhejiang_pre", "national_up_pro", "guangdong_ex", "gbk_csv", "excel", "shenzhen_xml", "case_xml", "rest",
    "event_log", "double_publicity", "vertical", "front_end", "soap", "queue", "push", "sftp", "change_log", "singer",
    "workbook",
)  # fmt: skip
SINGLE = frozenset({"excel", "case_xml", "workbook"})


class Fake:
    """Knows every case whole and delivers its elements as records of one stream a group."""

    answered = False

    def __init__(self, name: str, *, single: bool = False, carries: frozenset[str] = frozenset(KINDS)) -> None:
        self.name, self.single, self.parks = name, single, not single
        self.precision: Precision = "s"
        self.carries = carries
        self.deletes: Literal["case", "material"] | None = "case" if single else "material"

    def answers(self, department: str, home: Path) -> Iterator[Answered]:
        raise AssertionError(f"{department} is not answered")

    def seen(self, case: Case) -> Case | None:
        if not self.single:
            return case
        late = tuple(replace(event, reported_at=case.written_at) for event in case.events)
        return replace(case, events=late)

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        if not dry:
            (home / f"{department.code}.{day}").touch()
        for plan in work.plans(department.code, day):
            if plan.day == day:
                yield UnitMark(department.code, None, None, day, KINDS[plan.kind].rule, plan.kind)
        if not department.cases:
            return
        if day == 1:
            for case in work.cases(department.code):
                yield from self._first(department.code, case, 1)
            return
        for change in work.changes(department.code):
            if change.before is None and change.after is not None:
                yield from self._first(department.code, change.after, 2)
            else:
                yield from self._changed(department.code, change)

    def _changed(self, source: str, change: Change) -> Iterator[Placed]:
        before, after = self._records(change.before), self._records(change.after)
        number = (change.after or change.before).number  # type: ignore[union-attr]
        for key in dict.fromkeys([*after, *before]):
            old, new, stream = before.get(key), after.get(key), key.rpartition(":")[0]
            outcome: Any = "deleted" if new is None else "new" if old is None else "updated"
            defect, rules = None, ()
            if old == new:
                continue
            if change.defect is not None:
                defect, rules = change.defect.kind, (KINDS[change.defect.kind].rule,)
                outcome = "stale" if change.kind == "resend_older" else "quarantined"
            yield Placed(source, stream, key, 2, outcome, number, rules=rules, defect=defect)

    def _first(self, source: str, case: Case, day: int) -> Iterator[Placed]:
        for key, element in self._records(case).items():
            stream = key.rpartition(":")[0]
            rules = faults_of(element)
            outcome: Any = "parked" if case.held and stream not in {"decisions", "certificates"} else "new"
            defect = None
            victim = "case" if self.single or (case.defect and case.defect.target == "case") else "events"
            if case.defect and case.defect.kind != "orphan" and key == self._victim(case, victim):
                kind = KINDS[case.defect.kind]
                defect, rules = kind.code, (kind.rule,)
                outcome = "new" if kind.code in {"unknown_code_other", "unreadable_date"} else "quarantined"
            yield Placed(source, stream, key, day, outcome, case.number, rules=rules, defect=defect)
        if case.defect and case.defect.kind == "orphan":
            yield Placed(source, "events", f"events:{case.number}X", day, "parked", f"{case.number}X", defect="orphan")

    def _victim(self, case: Case, stream: str) -> str:
        if stream == "case":
            return f"case:{case.number}"
        return f"events:{next(event.id for event in case.events if event.stage == 'undertake')}"

    def _records(self, case: Case | None) -> dict[str, Any]:
        if case is None:
            return {}
        own = replace(
            case, **dict.fromkeys(GROUPS, ()), acceptance=None, held=False, revision=1, written_at=case.applied
        )
        if self.single:
            return {f"case:{case.number}": case}
        found: dict[str, Any] = {} if case.held else {f"case:{case.number}": own}
        if case.acceptance is not None:
            found[f"acceptance:{case.acceptance.id}"] = case.acceptance
        for group in GROUPS:
            for element in getattr(case, group):
                found[f"{group}:{element.id}"] = element
        return found


def faults_of(element: Any) -> tuple[str, ...]:
    """Gather the faults of an element and of everything inside it, a case's own elements included."""
    found = list(getattr(element, "faults", ()))
    for field in fields(element):
        value = getattr(element, field.name)
        for inner in value if isinstance(value, tuple) else (value,):
            if is_dataclass(inner) and not isinstance(inner, type):
                found += faults_of(inner)
    return tuple(dict.fromkeys(found))


class Register:
    """A register without cases, one new record on each day."""

    single, parks, deletes, answered = True, False, None, False
    precision: Precision = "d"
    carries: frozenset[str] = frozenset()

    def __init__(self, name: str) -> None:
        self.name = name

    def seen(self, case: Case) -> Case | None:
        return case

    def answers(self, department: str, home: Path) -> Iterator[Answered]:
        raise AssertionError(f"{department} is not answered")

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        yield Placed(department.code, "register", f"r{day}", day, "new")


def fake_shapes(carries: frozenset[str] = frozenset(KINDS)) -> dict[str, Shape]:
    """Return a fake for every shape of the roster."""
    shapes: dict[str, Shape] = {name: Fake(name, single=name in SINGLE, carries=carries) for name in NAMES}
    return {**shapes, **{name: Register(name) for name in REGISTER_SHAPES}}
