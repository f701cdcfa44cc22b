"""What passes between the generator, the shapes that write, and the truth: changes, placed records, protocols."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from demo.model.case import Case
from demo.model.defect import Defect
from demo.model.province import Department, Province
from demo.model.words import ChangeKind, Outcome, Precision


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one case on day 2: compare `before` and `after` element by element (by `id`).

    An element only in `after` is new; one in both but unequal is written again with the version that `after` says;
    one only in `before` is deleted. `after` None: the whole case is deleted (only asked of shapes that delete cases).
    `increment`: a new case. `progress`: the case went on. `correction`: something was mended. `late`: it belongs to
    earlier days and comes only now. `resend_changed` / `resend_older`: `defect` says which; write the unequal
    elements of `after` word for word with their (unraised, or older) versions.
    """

    kind: ChangeKind
    before: Case | None
    after: Case | None
    defect: Defect | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """One source record as a writer delivered it, with what the hub must make of it.

    `key` is the hub's source key of the record (None where it has none, or where it is a fingerprint that only the
    hub computes: `case` then finds it). `rules` are the record-level rules it must raise: the faults of the elements
    that it carries and those of an executed defect. Case-level rules are not the writer's business.
    """

    source: str
    stream: str
    key: str | None
    day: int
    outcome: Outcome
    case: str | None = None
    version: int | None = None
    rules: tuple[str, ...] = ()
    defect: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class UnitMark:
    """A finding that must stand on a whole unit, stream or source. `stream` and `unit` may be None: any of them."""

    source: str
    stream: str | None
    unit: str | None
    day: int
    rule: str
    defect: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What the hub told a department about one record, as the department finds it: its own number, refused or taken.

    `failed` None: the record still waits for its answer. `worded` says that the answer names what is to be mended.
    """

    stream: str
    row: int
    failed: bool | None
    worded: bool


class Work(Protocol):
    """The province at work: generated department by department, the same each time, never held in memory whole."""

    @property
    def province(self) -> Province:
        """Return the registers, departments and the two cuts."""

    def cases(self, department: str) -> Iterator[Case]:
        """Yield the department's cases as delivered on day 1, in order of application."""

    def changes(self, department: str) -> Iterator[Change]:
        """Yield what the department delivers on day 2 (nothing where its feed is silent)."""

    def plans(self, department: str, day: int) -> tuple[Defect, ...]:
        """Return the unit-level defects that the department's writer executes on this day."""


class Shape(Protocol):
    """How one kind of department system writes cases down."""

    name: str
    single: bool
    """One record holds the whole case: no child records, no parking."""
    parks: bool
    """Child records may come before their case, which is then asked for (`Case.held`)."""
    precision: Precision
    """How exact its instants are."""
    carries: frozenset[str]
    """The kinds of defects (keys of `KINDS`) that it can carry, each with exactly the rule of its kind."""
    deletes: Literal["case", "material"] | None
    """What it can take back on day 2: whole cases, single materials, or nothing."""
    answered: bool
    """The hub tells it what became of each record; `answers` reads that back."""

    def seen(self, case: Case) -> Case | None:
        """Return the case as the hub can know it from this shape's records; None where it cannot be sent at all.

        Elements that the shape does not send are dropped, instants that it merges are made equal, times are cut to
        its precision: the case rules that must fire are computed from what this returns.
        """

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Write what the department delivers on this day below `home`, and yield each record with its expectation.

        With `dry`, the same is yielded and nothing is written: the truth of day 2 is known before day 1 is fed.
        """

    def answers(self, department: str, home: Path) -> Iterator[Answered]:
        """Yield what the hub told the department about each of its records; asked only where `answered`."""
