"""The connector of kind `database`: tables and views by a SQLAlchemy URL.

A pull is one read-only transaction with one streamed statement, ordered by cursor and key, up to a bound that is
fixed when the pull begins; with `page_rows` it is a short transaction for each page. What the cursor cannot lead to (no
value, or a date in the future) is read at every pull, so that it is never lost. A pull that broke off goes on behind
the last row that was committed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connectors.kinds.database import sought as by_number
from connectors.kinds.database.composite import tables_of
from connectors.kinds.database.engine import connected, open_engine, rest, resume
from connectors.kinds.database.fetch import Rows, first_value, printed, stream_rows
from connectors.kinds.database.plan import Plan, plan
from connectors.kinds.database.silence import SILENCE
from connectors.kinds.database.values import Made, made_of
from connectors.kinds.database.window import read as by_date
from connectors.marks import back, later, tomorrow
from connectors.seam import CheckItem, CheckReport, DiscoveredField, DiscoveredStream, KeyedHash, Sought, Window
from connectors.source import Source, StreamSpec
from connectors.throttle import Fetch, Throttle, slowed
from hub.errors import SchemaMismatch, SourceTrouble
from hub.records import Record, Slice, Unit
from hub.table import Table

Run = Rows | Table
"""A bounded run of rows as they were fetched: a driver's rows, or columns."""

_DISCOVERED = 500
_GRACE = 5.0
"""Seconds that a server has for giving a statement up by itself, before it is hung up on."""


class DatabaseConnector:
    """Reads the declared tables and views of one database."""

    def __init__(self, source: Source, url: str, keyed_hash: KeyedHash | None = None) -> None:
        del keyed_hash  # a table has no delivered unit to be told from another
        self.source = source
        self.engine = open_engine(url, source.code)

    def check(self) -> CheckReport:
        """Connect, and read one row of each declared stream."""
        items: list[CheckItem] = []
        try:
            with connected(self.engine, self.source.code, None) as connection:
                items.append(CheckItem(None, ok=True, message=f"connected to {connection.dialect.name}"))
        except SourceTrouble as error:
            return CheckReport(self.source.code, (CheckItem(None, ok=False, message=error.got, hint=str(error)),))
        items.extend(self._check(stream) for stream in self.source.streams.values())
        return CheckReport(self.source.code, tuple(items))

    def _check(self, stream: StreamSpec) -> CheckItem:
        try:
            with self._connected(stream) as connection:
                chosen = plan(connection, self.source.code, stream)
                rows = connection.execute(chosen.select([], limit=1)).all()
                self._heartbeat(connection, stream)
                asked = [
                    by_number.tried(connection, self.source, stream, chosen, what, field)
                    for what, field in stream.look_up.items()
                ]
        except SourceTrouble as error:
            return CheckItem(stream.name, ok=False, message=error.got, hint=str(error))
        order = ", ".join(column.name for column in chosen.order) or "nothing: rows come in no order"
        message = f"{len(chosen.columns)} columns, ordered by {order}" + ("" if rows else "; holds no row yet")
        return CheckItem(stream.name, ok=True, message="; ".join((message, *asked)))

    def _connected(
        self, stream: StreamSpec, silence: float | None = None
    ) -> contextlib.AbstractContextManager[sa.Connection]:
        silence = silence or float(stream.options.get("silence", SILENCE))
        raw = "stored_encoding" in stream.options
        return connected(self.engine, self.source.code, stream.name, raw=raw, silence=silence)

    def discover(self) -> list[DiscoveredStream]:
        """List the tables and views that the account can see, with their columns."""
        with connected(self.engine, self.source.code, None) as connection:
            inspector = sa.inspect(connection)
            schemas = {stream.options.get("schema") for stream in self.source.streams.values()} | {None}
            names = [
                (schema, name)
                for schema in sorted(schemas, key=str)
                for name in (*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema))
            ]
            return [self._discovered(inspector, schema, name) for schema, name in names[:_DISCOVERED]]

    def _discovered(self, inspector: sa.Inspector, schema: str | None, name: str) -> DiscoveredStream:
        fields = tuple(
            DiscoveredField(column["name"], str(column["type"]))
            for column in inspector.get_columns(name, schema=schema)
        )
        key = tuple(inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or ())
        return DiscoveredStream(f"{schema}.{name}" if schema else name, fields, key=key)

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield what is new since `state`; see `connectors.seam.Connector.read`."""
        with self._connected(stream) as connection:
            chosen = plan(connection, self.source.code, stream)
            pull = _Pull(self.source, stream, chosen, {} if full else dict(state), dict(state), connection)
            pull.begin()
            through = self._heartbeat(connection, stream)
            unit = Unit(str(stream.options.get("table", stream.name)), rows=pull.count() if stream.expect else None)
            for made, after, last in pull.slices(slice_size):
                records, rows, broken = made
                yield Slice(
                    stream.name, records, rows, after, unit, unit_ends=last, broken=broken,
                    complete_through=through if last else None, last=last,
                )  # fmt: skip

    def read_window(self, stream: StreamSpec, window: Window, *, slice_size: int) -> Iterator[Slice]:
        """Yield what bears a business date in the window; see `connectors.seam.ReadsWindows`."""
        with self._connected(stream) as connection:
            chosen = plan(connection, self.source.code, stream)
            unit = Unit(str(stream.options.get("table", stream.name)))
            for made, last in by_date(connection, self.source, stream, chosen, window, slice_size):
                records, rows, broken = made
                yield Slice(stream.name, records, rows, {}, unit, unit_ends=last, broken=broken, last=last)

    def look_up(self, stream: StreamSpec, sought: Sought) -> Slice:
        """Return the records that bear a number; see `connectors.seam.LooksUp`."""
        with self._connected(stream, silence=sought.seconds + _GRACE) as connection:
            chosen = plan(connection, self.source.code, stream)
            records, rows, broken = by_number.read(connection, self.source, stream, chosen, sought)
            # The unit does not end with them: a few records settle nothing that is open on the delivery of the whole.
            unit = Unit(str(stream.options.get("table", stream.name)))
            return Slice(stream.name, records, rows, {}, unit, unit_ends=False, broken=broken, last=True)

    def _heartbeat(self, connection: sa.Connection, stream: StreamSpec) -> str | None:
        """Read up to when the source vouches for completeness, before its rows are read."""
        declared = stream.options.get("heartbeat")
        if declared is None:
            return None
        column: sa.ColumnClause[Any] = sa.column(declared["column"])
        table = sa.table(declared["table"], column, schema=declared.get("schema"))
        value = first_value(connection, sa.select(sa.func.max(column)).select_from(table))
        try:
            moment = None if value is None else datetime.fromisoformat(str(value))
        except ValueError:
            raise SchemaMismatch(
                source=self.source.code,
                stream=stream.name,
                got=f"heartbeat {declared['table']}.{declared['column']} holds no instant",
            ) from None
        if moment is None:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.source.time_zone))).isoformat()


@dataclass(slots=True)
class _Pull:
    """One pull of one stream: its bounds, and the state after each slice. `start` is where it begins reading,
    `known` what was committed before; a `full` pull begins at nothing and still never moves the cursor back."""

    source: Source
    stream: StreamSpec
    plan: Plan
    start: Record
    known: Record
    connection: sa.Connection
    since: Any = None
    after: Sequence[Any] | None = None
    until: Any = None
    newest: Any = None
    read: int = 0
    fetch: Callable[[sa.Select[Any], int], Iterator[Run]] = field(init=False)

    def begin(self) -> None:
        """Fix the bounds of this pull."""
        fetch: Fetch[Any] = tables_of(self.connection, self.plan) or partial(stream_rows, self.connection)
        self.fetch = slowed(fetch, Throttle.of(self.stream, "rows"))
        cursor = self.plan.cursor
        if cursor is None:
            return
        stood = self.start.get("cursor")
        if stood is not None and self.stream.cursor is not None:
            tie = self.start.get("tie")
            if tie is not None and self.plan.resumable and not self.stream.cursor.looks_back:
                self.after = [stood, *tie]
            self.since = back(stood, self.stream.cursor, source=self.source.code, stream=self.stream.name)
        newest = sa.select(sa.func.max(cursor)).select_from(self.plan.table)
        self.until = self.newest = first_value(self.connection, newest)
        limit = tomorrow(self.until, self.source.time_zone)
        if limit is not None:
            self.until = first_value(self.connection, newest.where(cursor <= limit))

    def count(self) -> int:
        """Count the rows that this pull will read."""
        total = 0
        if self.plan.cursor is None:
            return int(self.connection.execute(self.plan.count()).scalar_one())
        if self.until is not None:
            total = int(self.connection.execute(self.plan.count(*self._bounds())).scalar_one())
        return total + int(
            self.connection.execute(self.plan.count(self.plan.astray(self.until, self.newest))).scalar_one()
        )

    def _bounds(self) -> list[sa.ColumnElement[bool]]:
        return self.plan.between(self.since, self.after, self.until)

    def slices(self, size: int) -> Iterator[tuple[Made, Record, bool]]:
        """Yield the records of each slice, the state after it, and whether it is the last."""
        held: tuple[Run, bool] | None = None
        for found in self._chunks(size):
            if held is not None:
                yield self._slice(*held, last=False, ordered_ends=not found[1])
            held = found
        rows, ordered = held or ((), False)
        yield self._slice(rows, ordered, last=True, ordered_ends=True)

    def _slice(self, rows: Run, ordered: bool, *, last: bool, ordered_ends: bool) -> tuple[Made, Record, bool]:
        if ordered and rows:
            self._advance(_place(rows, self.plan), ends=ordered_ends)
        if last:
            self.known.pop("tie", None)
        made = self._made(rows)
        self.read += len(rows)
        return made, dict(self.known), last

    def _made(self, rows: Run) -> Made:
        if isinstance(rows, Table):
            return rows, range(self.read + 1, self.read + 1 + len(rows)), []
        return made_of(rows, self.plan, self.read + 1, self.connection.dialect.name)

    def _advance(self, place: Sequence[Any], *, ends: bool) -> None:
        """Move the state to a row, never back. The tie is kept only while rows are still to come: the next pull
        begins at the cursor's value itself, because rows of that value may have been written since."""
        if self.plan.cursor is None:
            return
        value, *tie = place
        newest = later(value, self.known.get("cursor"), as_text=self.plan.cursor_is_text)
        if newest != value and newest == self.known.get("cursor"):
            return
        self.known = {"cursor": value} if ends else {"cursor": value, "tie": tie}

    def _chunks(self, size: int) -> Iterator[tuple[Run, bool]]:
        """Yield bounded runs of rows: those that the cursor leads to, then those astray."""
        if self.plan.cursor is None or self.until is not None:
            for rows in self._ordered(size):
                yield rows, True
        if self.plan.cursor is not None:
            statement = self.plan.select([self.plan.astray(self.until, self.newest)])
            with self._briefly() if self.page else contextlib.nullcontext():
                for rows in self.fetch(statement, size):
                    yield rows, False

    @property
    def page(self) -> int | None:
        """Return how many rows are read in one short transaction; None where one reads them all."""
        rows: int | None = self.stream.options.get("page_rows")
        return rows

    @contextlib.contextmanager
    def _briefly(self) -> Iterator[None]:
        """Read in a transaction of its own: before and after it nobody at the department waits for us."""
        rest(self.connection)
        resume(self.connection)
        yield
        rest(self.connection)

    def _ordered(self, size: int) -> Iterator[Run]:
        if self.page is None:
            yield from self.fetch(self.plan.select(self._bounds()), size)
            return
        if not (self.plan.exact and self.plan.resumable):
            raise SchemaMismatch(
                source=self.source.code,
                stream=self.stream.name,
                got="option page_rows needs a key that is unique and never empty",
                hint="Name such a key in option `key`, or leave page_rows out.",
            )
        while True:
            with self._briefly():
                runs = list(self.fetch(self.plan.select(self._bounds(), limit=self.page), size))
            yield from runs
            if sum(map(len, runs)) < self.page:
                return
            self.after = _place(runs[-1], self.plan)


def _place(rows: Run, plan: Plan) -> list[Any]:
    """Return where the last row stands in the plan's order, as the state holds it."""
    last = rows[-1]
    values = tuple(last.values()) if isinstance(last, dict) else last
    return [printed(values[position]) for position in plan.positions]
