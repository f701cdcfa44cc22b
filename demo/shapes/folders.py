"""Systems that drop files into a folder: day 1 in monthly parts, day 2 in one, and what can be wrong with a file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Protocol

from demo.model import Defect, Department, Placed, UnitMark, Work
from demo.shapes.layout import department_folder
from demo.shapes.record import Entry, Values
from demo.shapes.system import Delivery, System

PARTS = 12
_COPIED = 3


Found = Iterator[Placed | UnitMark]
"""What writing yields: records, and marks of whole units."""


class Files(Protocol):
    """Takes records into the files of one part."""

    def put(self, entry: Entry, values: Values) -> None:
        """Write one record."""


class FolderSystem(System):
    """A system that delivers files. Subclasses open the files of one part, and know how a file can be spoiled.

    `added` and `removed` name a stream whose file of day 2 has a column more or less.
    """

    def files(
        self, folder: Path, name: str, department: Department, day: date, plans: Mapping[str, Defect]
    ) -> AbstractContextManager[Files]:
        """Open the files of one part; `name` is the part's date and number."""
        raise NotImplementedError

    def cut_short(self, folder: Path, name: str) -> None:
        """Cut the files of a part short, as a transfer does that breaks off."""
        raise NotImplementedError

    def spoiled_file(
        self, kind: str, folder: Path, name: str, department: Department, copies: list[Delivery], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Deliver a spoiled file of its own beside the honest ones."""
        del folder, name, department, copies, dry
        raise NotImplementedError(f"shape {self.name} has no file for {kind}")

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Write the files of the day below the department's folder, and yield each record with its expectation."""
        folder = department_folder(home, department.code) / "out"
        folder.mkdir(exist_ok=True)
        plans = {plan.kind: plan for plan in work.plans(department.code, day)}
        if day == 1:
            yield from self._first_day(department, work, folder, plans, dry=dry)
        else:
            yield from self._second_day(department, work, folder, plans, dry=dry)
        name = part_name(work, day, 99)
        spoils = [kind for kind in plans if kind in EXTRA]
        copies = list(islice(self.first_cases(department, work, _COPIED), 40)) if spoils else []
        for kind in spoils:
            for found in self.spoiled_file(kind, folder, name, department, copies, dry=dry):
                yield _on(found, day)
        yield from self.spoiled_units(department, work, home, day, plans, dry=dry)

    def _first_day(
        self, department: Department, work: Work, folder: Path, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        cut = "truncated_file" in plans
        for part, deliveries in self._parts(department, work):
            kept = not (cut and part == last_part(department))
            name = part_name(work, 1, part)
            yield from self._written(
                department, folder, name, work.province.cut.date(), deliveries, plans, 1, kept=kept, dry=dry
            )
            if not kept:
                if not dry:
                    self.cut_short(folder, name)
                yield UnitMark(department.code, None, None, 1, "truncated_file", "truncated_file")

    def _second_day(
        self, department: Department, work: Work, folder: Path, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        if "truncated_file" in plans:
            for part, deliveries in self._parts(department, work):
                if part < last_part(department):
                    deque(deliveries, maxlen=0)  # used up, so that the next part can be asked for
                    continue
                name, today = part_name(work, 1, part), work.province.cut.date()
                yield from self._written(department, folder, name, today, deliveries, {}, 2, dry=dry)
        name, today = part_name(work, 2, 1), work.province.cut2.date()
        deliveries = self.deliveries(department, work, 2)
        yield from self._written(department, folder, name, today, deliveries, plans, 2, dry=dry)

    def _written(
        self, department: Department, folder: Path, name: str, today: date, deliveries: Iterator[Delivery],
        plans: Mapping[str, Defect], day: int, *, dry: bool, kept: bool = True,
    ) -> Iterator[Placed]:  # fmt: skip
        """Write the files of one part; what goes into a file that will be cut short is not yielded."""
        if dry:
            yield from (self.placed(department, one, day) for one in deliveries if kept)
            return
        with self.files(folder, name, department, today, plans) as files:
            for delivery in deliveries:
                files.put(delivery.entry, self.stamped(delivery))
                if kept:
                    yield self.placed(department, delivery, day)

    def _parts(self, department: Department, work: Work) -> Iterator[tuple[int, Iterator[Delivery]]]:
        """Yield the parts of day 1 with what each holds; each must be used up before the next is asked for."""
        deliveries = self.deliveries(department, work, 1)
        waiting = next(deliveries, None)
        while waiting is not None:
            part = waiting.part * PARTS // max(1, department.cases)
            rest: list[Delivery | None] = []
            yield part, self._of_part(department, waiting, part, deliveries, rest)
            waiting = rest[0] if rest else None

    def _of_part(
        self, department: Department, first: Delivery, part: int, deliveries: Iterator[Delivery],
        rest: list[Delivery | None],
    ) -> Iterator[Delivery]:  # fmt: skip
        yield first
        for delivery in deliveries:
            if delivery.part * PARTS // max(1, department.cases) != part:
                rest.append(delivery)
                return
            yield delivery


def last_part(department: Department) -> int:
    """Return the part whose file is cut short where that is planned: the newest cases have no other defect."""
    return (department.cases - 1) * PARTS // max(1, department.cases)


EXTRA = frozenset({"wrong_encoding", "volume_below", "hostile_input"})
"""Kinds of defects that are delivered as a file of their own."""


def part_name(work: Work, day: int, part: int) -> str:
    """Return the date and number that a part's files bear."""
    cut = work.province.cut if day == 1 else work.province.cut2
    return f"{cut:%Y%m%d}_{part + 1:02d}"


def _on(found: Placed | UnitMark, day: int) -> Placed | UnitMark:
    if found.day != day:
        raise ValueError(f"a defect of day {day} says that it is of day {found.day}")
    return found
