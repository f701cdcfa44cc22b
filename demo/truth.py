"""The truth: what was put into each department's system, and what the hub must make of it.

It is written once, before anything is fed, and never read by the product. `truth.json` holds counts, keys and rules;
`truth-personal.jsonl` every injected personal value, for the test that searches for leaks (readable by its owner only).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from demo.casework import Casework
from demo.catalog import PLATFORM
from demo.habits import FEWEST, shows
from demo.judge import Eyes, broken_rules
from demo.model import KINDS, Case, Change, Defect, Department, Party, Placed, Province, Shape, UnitMark

VERSION = 3
DAYS = (1, 2)
Progress = Callable[[Department, int], None]
Personal = Callable[[str, str], None]


class TruthError(Exception):
    """The province contradicts itself: a clean case breaks a rule, or a defect was not put in. A fault of the demo."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One finding that must stand. `scope` is record, case or unit.

    `due` is the first day on which it must be open (a parked record is given time to be joined by its case), `until`
    the last: a finding on a unit may be settled by the next delivery.
    """

    source: str
    stream: str | None
    rule: str
    scope: str
    day: int
    key: str | None = None
    case: str | None = None
    unit: str | None = None
    defect: str | None = None
    due: int = 1
    until: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectedSet:
    """One rule over sets that the hub must raise for an organ, as `cases` of its cases show the sign.

    The rules of `follows` may be broken in its wake.
    """

    source: str
    organ: str
    rule: str
    defect: str
    cases: int
    follows: tuple[str, ...] = ()


@dataclass(slots=True)
class Truth:
    """What was put in: counts by source, stream, day and outcome; refused and parked records; findings; defects."""

    seed: int
    cases: int
    date: date
    counts: Counter[tuple[str, str, int, str]] = field(default_factory=Counter)
    waiting: list[Placed] = field(default_factory=list)
    findings: list[Expected] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    sets: list[ExpectedSet] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    """What a department asks of others at the end, and what the hub must answer (`demo.relying`)."""
    departments: list[dict[str, str]] = field(default_factory=list)
    localities: list[dict[str, str]] = field(default_factory=list)

    def take(self, said: Placed | UnitMark) -> None:
        """Write down one delivered record, or one finding on a unit."""
        if isinstance(said, UnitMark):
            self.findings.append(
                Expected(said.source, said.stream, said.rule, "unit", said.day, unit=said.unit, defect=said.defect,
                         until=said.day)
            )  # fmt: skip
            return
        self.counts[said.source, said.stream, said.day, said.outcome] += 1
        if said.outcome in {"quarantined", "parked"}:
            self.waiting.append(said)
        for rule in dict.fromkeys(said.rules):
            self.findings.append(
                Expected(said.source, said.stream, rule, "record", said.day, said.key, said.case,
                         defect=said.defect, due=DAYS[-1] if rule == "parent_missing" else said.day)
            )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return the truth as JSON values, in a stable order."""
        return {
            "version": VERSION,
            "seed": self.seed,
            "cases": self.cases,
            "date": self.date.isoformat(),
            "departments": self.departments,
            "localities": self.localities,
            "counts": [
                {"source": source, "stream": stream, "day": day, "outcome": outcome, "records": records}
                for (source, stream, day, outcome), records in sorted(self.counts.items())
            ],
            "waiting": [asdict(placed) for placed in self.waiting],
            "findings": [asdict(finding) for finding in self.findings],
            "defects": [asdict(defect) for defect in self.defects],
            "sets": [asdict(one) for one in self.sets],
            "checks": self.checks,
        }


class _Watch:
    """Hands the cases of a department to its writer, and looks at each one on its way: told once, judged once."""

    def __init__(
        self, work: Casework, department: Department, shape: Shape, given: Mapping[str | None, Defect]
    ) -> None:
        self._work, self._department, self._shape, self._given = work, department, shape, given
        self._eyes = Eyes(shape.precision, department.has_review)
        self._habit = work.cast.habits.get(department.code)
        self._showing: set[str] = set()
        self.findings: dict[tuple[str, str], Expected] = {}
        self.personal: dict[tuple[str, str], None] = dict.fromkeys(("name", one.name) for one in department.staff)

    @property
    def province(self) -> Province:
        """Return the province."""
        return self._work.province

    def plans(self, department: str, day: int) -> tuple[Defect, ...]:
        """Return the unit-level defects of the day."""
        return self._work.plans(department, day)

    def cases(self, department: str) -> Iterator[Case]:
        """Yield the cases of day 1."""
        for case in self._work.cases(department):
            self._look(case, 1)
            yield case

    def changes(self, department: str) -> Iterator[Change]:
        """Yield the changes of day 2."""
        for change in self._work.changes(department):
            if change.after is not None and not change.kind.startswith("resend"):
                self._look(change.after, 2)
            yield change

    def _look(self, case: Case, day: int) -> None:
        self.personal.update(dict.fromkeys(_values_of(case)))
        defect = self._given.get(case.number)
        seen = None if self._shape.single and case.defect is not None else self._shape.seen(case)
        if seen is None or seen.held:
            return
        if self._habit is not None and shows(seen, self._habit):
            self._showing.add(case.number)
        rules = broken_rules(seen, self._eyes)
        if self._habit is not None and defect is None and rules <= self._habit.alone:
            defect = Defect(self._habit.kind, self._department.code, day, case.number)
        if rules or (defect is not None and KINDS[defect.kind].level == "case"):
            _as_meant(case, rules, defect)
        kind = defect.kind if defect else None
        for rule in sorted(rules):
            found = Expected(self._department.code, None, rule, "case", day, case=case.number, defect=kind)
            self.findings.setdefault((case.number, rule), found)

    def habitual(self) -> Iterator[ExpectedSet]:
        """Yield what the department's habit must raise.

        Raises:
            TruthError: too few of its cases show the habit, as its system tells them.
        """
        habit = self._habit
        if habit is None:
            return
        if len(self._showing) < FEWEST:
            raise TruthError(
                f"{self._department.code} has the habit {habit.kind}, and only {len(self._showing)} cases show it"
            )
        yield ExpectedSet(
            self._department.code, self._department.serves[0].code, KINDS[habit.kind].rule, habit.kind,
            len(self._showing), tuple(sorted(habit.follows)),
        )  # fmt: skip


def build_truth(
    work: Casework,
    shapes: Mapping[str, Shape],
    home: Path,
    *,
    dry: bool = False,
    progress: Progress | None = None,
    personal: Personal | None = None,
) -> Truth:
    """Let every department write day 1 and say what day 2 will be; return what was put in.

    With `dry`, nothing is written. `personal` is called with every personal value that is put in, as kind and value,
    once a department.

    Raises:
        TruthError: a clean case breaks a rule, or a defect that was given out was not put in.
    """
    province = work.province
    truth = Truth(province.seed, province.cases, province.date)
    truth.defects = list(work.defects())
    truth.checks = work.checks()
    for department in province.senders:
        shape = shapes.get(department.shape)
        if shape is None:
            continue
        said = {"code": department.code, "name": department.name, "shape": department.shape}
        (truth.localities if department.shape == PLATFORM else truth.departments).append(said)
        given = {defect.case: defect for defect in truth.defects if defect.department == department.code}
        watch = _Watch(work, department, shape, given)
        for day in DAYS:
            for placed in shape.write(department, watch, home, day, dry=dry or day > 1):
                truth.take(placed)
        truth.findings.extend(watch.findings.values())
        truth.sets.extend(watch.habitual())
        for kind, value in watch.personal if personal is not None else ():
            personal(kind, value)  # type: ignore[misc]  # it is not None where there is a value
        if progress is not None:
            progress(department, department.cases)
    _all_put_in(truth)
    return truth


def _as_meant(case: Case, rules: frozenset[str], defect: Defect | None) -> None:
    if defect is None:
        raise TruthError(f"the clean case {case.number} of {case.department} breaks {', '.join(sorted(rules))}")
    kind = KINDS[defect.kind]
    if kind.level == "case" and kind.rule not in rules:
        raise TruthError(
            f"case {case.number} of {case.department} carries the defect {defect.kind}, but its system cannot show it "
            f"(breaks: {', '.join(sorted(rules)) or 'nothing'})"
        )


def _all_put_in(truth: Truth) -> None:
    """Prove that every defect that was given out left its finding (or, for an orphan, its parked record)."""
    marks = {(one.source, one.defect, one.case) for one in truth.findings if one.scope != "unit"}
    marks |= {(one.source, one.defect, one.case) for one in truth.waiting}
    rules = {(one.source, one.rule, one.case) for one in truth.findings}
    units = {(one.source, one.defect) for one in truth.findings} | {(one.source, one.defect) for one in truth.waiting}
    habits = {(one.source, one.defect) for one in truth.sets}
    missing = []
    for defect in truth.defects:
        kind, place = KINDS[defect.kind], (defect.department, defect.kind)
        if kind.level == "unit" or kind.code in {"orphan", "missing_key"}:
            found = place in units
        elif kind.level == "set":
            found = place in habits
        else:
            found = (*place, defect.case) in marks or (defect.department, kind.rule, defect.case) in rules
        if not found:
            missing.append(f"{defect.kind} in {defect.department} (case {defect.case})")
    if missing:
        raise TruthError("defects were given out and not put in: " + "; ".join(missing))


def _values_of(case: Case) -> Iterator[tuple[str, str]]:
    for party in case.parties:
        yield from _values_of_party(party)
    yield from (("name", one.receiver) for one in case.deliveries)


def _values_of_party(party: Party) -> Iterator[tuple[str, str]]:
    yield "phone", party.phone
    yield "address", party.address
    if party.kind == "natural":
        yield "number", party.number
        if "placeholder_value" not in party.faults:
            yield "name", party.name


@contextmanager
def _private(file: Path) -> Iterator[TextIO]:
    """Write a file that only its owner may read."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as lines:
        yield lines


def truth_file(home: Path) -> Path:
    """Return where the truth stands."""
    return home / "demo" / "truth.json"


def personal_file(home: Path) -> Path:
    """Return where the injected personal values stand."""
    return home / "demo" / "truth-personal.jsonl"


@contextmanager
def personal_writer(home: Path) -> Iterator[Personal]:
    """Open the file of personal values and return what writes one of them."""
    file = personal_file(home)
    file.parent.mkdir(parents=True, exist_ok=True)
    with _private(file) as lines:
        yield lambda kind, value: _write_line(lines, {"kind": kind, "value": value})


def _write_line(lines: TextIO, value: Mapping[str, str]) -> None:
    lines.write(json.dumps(value, ensure_ascii=False) + "\n")


def write_truth(truth: Truth, home: Path) -> Path:
    """Write the truth, whole or not at all, and return its path."""
    file = truth_file(home)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(truth.as_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(file)
    return file


def read_truth(home: Path) -> dict[str, Any]:
    """Read the truth.

    Raises:
        TruthError: there is none, or another version of this program wrote it.
    """
    file = truth_file(home)
    if not file.is_file():
        raise TruthError(f"no truth at {file}: build the province first (hub demo build).")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if found.get("version") != VERSION:
        raise TruthError(f"{file} has version {found.get('version')}, this program reads {VERSION}: build again.")
    return found
