"""Takes the rows of one stream in one pull: first what was claimed before, then what waits, run by run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from connectors.kinds.database.values import Made, made_of
from connectors.kinds.exchange_table import receipts, statements
from connectors.kinds.exchange_table.batches import Batch, BatchRefused, Register
from connectors.kinds.exchange_table.claims import Claimer, Conditions, Taken, fetcher, passes_locked_rows_by, taken
from connectors.kinds.exchange_table.terms import Terms
from connectors.source import StreamSpec
from connectors.throttle import Fetch, Throttle, slowed
from hub.records import Record, Slice, Unit
from hub.table import TEXT, Column, Table

Connecting = Callable[[], AbstractContextManager[sa.Connection]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of rows on its way, and the unit that they are of; `owed` where they want receipts."""

    found: Taken
    unit: Unit
    owed: bool


@dataclass(slots=True)
class Taking:
    """One pull of one stream. `refused` is the first batch whose rows are not those that were declared."""

    source: str
    stream: StreamSpec
    terms: Terms
    declared: Register | None
    owner: str
    size: int
    full: bool
    unit: Unit = field(init=False)
    read: int = 0
    refused: BatchRefused | None = None
    throttle: Throttle = field(init=False)

    def __post_init__(self) -> None:
        self.throttle = Throttle.of(self.stream, "rows")
        self.size = self.throttle.portion(self.size)
        self.unit = Unit(str(self.stream.options.get("table", self.stream.name)))

    def falls_short(self, reader: sa.Connection) -> bool:
        """Say whether so few rows wait that nothing may be published; then none is claimed, and they wait on."""
        expect = self.stream.expect
        if expect is None:
            return False
        rows = self._count(reader, self._wanted(self.terms.flag.waits()))
        self.unit = Unit(self.unit.name, rows=rows)
        return 0 < rows < (expect.least or 0)

    def looked_at(self, reader: sa.Connection) -> Generator[Piece]:
        """Yield the rows that wait as they lie there."""
        ready, waits = self._ready(reader), self.terms.flag.waits()
        if ready is not None:
            waits = sa.and_(waits, self._of(ready))
        yield from self._streamed(reader, [self._wanted(waits)])

    def claimed(self, reading: Connecting, connection: sa.Connection) -> Generator[Piece]:
        """Yield what was claimed before, and claim and yield what waits.

        No more rows are claimed than waited when the first was: so it ends even where a department's trigger sets the
        flag back.
        """
        flag = self.terms.flag
        claimer = Claimer(
            connection, self.terms, self.owner, self.source, self.stream.name, passes_locked_rows_by(connection)
        )
        if self.full:
            while claimer.take([flag.column == flag.failed], self.size):
                pass  # they are claimed now, and come with what was claimed before
        with reading() as reader:
            yield from self._before(reader)
            ready, most = self._ready(reader), self._count(reader, flag.waits())
        if ready is None:
            yield from self._claims(claimer, [flag.waits()], most, self.unit)
        for batch in ready or ():
            conditions = [flag.waits(), self._of([batch])]
            yield from self._claims(claimer, conditions, batch.waiting, batch.unit(self.unit.name))

    def _before(self, reader: sa.Connection) -> Generator[Piece]:
        """Yield what is not to be claimed: what is done, what is claimed already, what no key finds again."""
        flag, nullable = self.terms.flag, self.terms.nullable
        if self.full:
            yield from self._streamed(reader, [flag.column == flag.done])
        yield from self._streamed(reader, self._ours(), owed=True)
        if nullable:
            yield from self._streamed(reader, [flag.waits(), sa.or_(*(column.is_(None) for column in nullable))])

    def _claims(self, claimer: Claimer, conditions: Conditions, most: int, unit: Unit) -> Generator[Piece]:
        while most > 0 and (found := claimer.take(conditions, min(self.size, most))) is not None:
            most -= len(found.rows)
            self.throttle.take(len(found.rows))
            yield Piece(found, unit, owed=True)

    def _streamed(self, reader: sa.Connection, conditions: Conditions, *, owed: bool = False) -> Generator[Piece]:
        fetch: Fetch[Any] = fetcher(reader, self.terms)
        for run in slowed(fetch, self.throttle)(statements.rows(self.terms, conditions), self.size):
            yield Piece(taken(run, self.terms), self.unit, owed=owed)

    def _wanted(self, waits: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
        """Return the condition of what this pull reads: what waits, and what it has claimed already."""
        flag = self.terms.flag
        found = [waits, sa.and_(*self._ours())]
        return sa.or_(*found, *([flag.column.in_([flag.failed, flag.done])] if self.full else []))

    def _ours(self) -> list[sa.ColumnElement[bool]]:
        return statements.claimed(self.terms, self.owner)

    def _count(self, reader: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
        return int(reader.execute(self.terms.plan.count(condition)).scalar_one())

    def _ready(self, reader: sa.Connection) -> list[Batch] | None:
        """Return the batches that have come whole; None where none are declared for this stream."""
        if self.declared is None:
            return None
        found = self.declared.batches(reader)
        return [batch for batch in found if batch.ready and self._agrees(self.declared, reader, batch)]

    def _agrees(self, declared: Register, reader: sa.Connection, batch: Batch) -> bool:
        try:
            declared.judge(reader, batch)
        except BatchRefused as refusal:
            self.refused = self.refused or refusal
            return False
        return True

    def _of(self, batches: Sequence[Batch]) -> sa.ColumnElement[bool]:
        assert self.declared is not None  # noqa: S101  # there are batches only where they are declared
        return self.declared.column.in_([batch.number for batch in batches])

    def slice(
        self, piece: Piece | None, coming: Piece | None, state: Mapping[str, Any], *, through: str | None
    ) -> Slice:  # fmt: skip
        """Make a slice of a run of rows, or of none where nothing waits; `coming` is what follows it."""
        piece, last = piece or Piece(Taken([], []), self.unit, owed=False), coming is None
        rows = piece.found.rows
        made: Made
        if isinstance(rows, Table):
            made = rows, range(self.read + 1, self.read + 1 + len(rows)), []
        else:
            made = made_of(rows, self.terms.plan, self.read + 1, self.terms.dialect)
        records, numbers, broken = made
        places = [*numbers, *(one.row for one in broken)] if piece.owed else []
        tokens = tuple(receipts.token(piece.found.marks[place - self.read - 1]) for place in places)
        self.read += len(rows)
        return Slice(
            self.stream.name, blanked(records, self.terms.blank), numbers, dict(state), piece.unit,
            unit_ends=coming is None or coming.unit is not piece.unit, broken=broken,
            complete_through=through if last else None, last=last, tokens=tokens,
        )  # fmt: skip


def blanked(records: Sequence[Record], names: Sequence[str]) -> Sequence[Record]:
    """Add the fields whose columns the hub writes, empty."""
    if isinstance(records, Table):
        empty = [Column(name, pa.nulls(len(records), TEXT)) for name in names]
        return Table([*records.columns, *empty], len(records))
    for record in records:
        record.update(dict.fromkeys(names))
    return records
