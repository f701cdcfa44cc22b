"""Cuts a run of records into slices, knowing one record ahead so that the last slice can say that it is the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hub.records import BrokenRecord, Record

Row = tuple[int, Record | BrokenRecord]
"""A row's number and what it holds: a record, or why it could not be read."""


@dataclass(slots=True)
class Run:
    """A bounded run of rows: what becomes one slice. `count` is the number of rows read from the unit up to here."""

    records: list[Record] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    broken: list[BrokenRecord] = field(default_factory=list)
    count: int = 0
    last: bool = False

    def add(self, row: int, held: Record | BrokenRecord) -> None:
        """Take one row in."""
        self.count += 1
        if isinstance(held, BrokenRecord):
            self.broken.append(held)
        else:
            self.records.append(held)
            self.rows.append(row)

    def __len__(self) -> int:
        return len(self.records) + len(self.broken)


def cut(rows: Iterable[Row], size: int, *, skip: int = 0) -> Iterator[Run]:
    """Yield runs of at most `size` rows, leaving out the first `skip`; the last one says so, an empty one too."""
    run = Run()
    for row, held in rows:
        if run.count < skip:
            run.count += 1
            continue
        if len(run) == size:
            yield run
            run = Run(count=run.count)
        run.add(row, held)
    run.last = True
    yield run
