"""The connector of kind `exchange_table`: rows are claimed by their flag, loaded, and get a receipt each.

A pull first hands over what an earlier one had claimed and not brought to its end, then claims what waits, run by run,
each in a short transaction of its own. Where the hub may not write (`write: false`) the table is read as kind
`database` reads it, and what was taken is known to the hub alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import replace
from functools import partial
from itertools import chain

import sqlalchemy as sa

from connectors.kinds.database.connector import DatabaseConnector
from connectors.kinds.database.engine import open_engine, working
from connectors.kinds.database.silence import SILENCE
from connectors.kinds.database.window import read as by_date
from connectors.kinds.exchange_table import receipts, statements
from connectors.kinds.exchange_table.batches import Register, register
from connectors.kinds.exchange_table.claims import passes_locked_rows_by
from connectors.kinds.exchange_table.taking import Taking, blanked
from connectors.kinds.exchange_table.terms import Terms, agree
from connectors.seam import CheckItem, KeyedHash, Receipt, Sought, Window
from connectors.source import Source, StreamSpec
from hub.errors import InternalError, SourceTrouble, StopSource
from hub.records import Record, Slice, Unit

_OWNER = 12
"""Hexadecimal digits that tell this hub's claims on one stream from another's."""


class ExchangeTableConnector(DatabaseConnector):
    """Takes rows from the exchange tables of one database, and writes receipts back into them."""

    def __init__(self, source: Source, url: str, keyed_hash: KeyedHash | None = None) -> None:
        super().__init__(source, url, keyed_hash)
        self.engine = open_engine(url, source.code, writes=True)
        self.keyed_hash = keyed_hash
        self.looks_only = False
        self._terms: dict[str, Terms] = {}

    def only_look(self) -> None:
        """From now on read what waits without claiming it, and write no receipt."""
        self.looks_only = True

    def read(self, stream: StreamSpec, state: Record, *, slice_size: int, full: bool) -> Iterator[Slice]:
        """Yield the rows that wait; see `connectors.seam.Connector.read`.

        `full` also tries the rows again that had failed, and reads those that are done, which get no new receipt.

        Raises:
            BatchRefused: at the end, when all else was handed over: a batch's rows are not those that were declared.
        """
        if not _writes(stream):
            yield from super().read(stream, state, slice_size=slice_size, full=full)
            return
        with ExitStack() as stack:
            reader = stack.enter_context(self._connected(stream))
            terms, through = self._agreed(reader, stream), self._heartbeat(reader, stream)
            declared, code = register(reader, terms, self.source.code, stream), self.source.code
            taking = Taking(code, stream, terms, declared, self._owner(stream), slice_size, full)
            if taking.falls_short(reader) or self.looks_only:
                pieces = taking.looked_at(reader)
            else:
                reader.close()  # what is read from now on is seen as it is then
                pieces = taking.claimed(partial(self._connected, stream), stack.enter_context(self._working(stream)))
            stack.enter_context(closing(pieces))
            held = next(pieces, None)
            for coming in chain(pieces, [None]):
                yield taking.slice(held, coming, state, through=through)
                held = coming
        if taking.refused is not None:
            raise taking.refused

    def read_window(self, stream: StreamSpec, window: Window, *, slice_size: int) -> Iterator[Slice]:
        """Yield what bears a business date in the window, claimed or not; none of it gets a receipt."""
        if not _writes(stream):
            yield from super().read_window(stream, window, slice_size=slice_size)
            return
        with self._connected(stream) as connection:
            terms = self._agreed(connection, stream)
            unit, ordered = Unit(str(stream.options.get("table", stream.name))), replace(terms.plan, tie=terms.order)
            for (records, rows, broken), last in by_date(connection, self.source, stream, ordered, window, slice_size):
                blank = blanked(records, terms.blank)
                yield Slice(stream.name, blank, rows, {}, unit, unit_ends=last, broken=broken, last=last)

    def look_up(self, stream: StreamSpec, sought: Sought) -> Slice:  # noqa: ARG002  # nothing is sought here
        """Refuse: rows wait there to be taken once, each with its receipt, and what was taken may be gone."""
        raise StopSource(
            source=self.source.code, stream=stream.name, got="an exchange table is not asked for one record",
            known="database", hint="Declare the department's own table or view as a source of kind `database`.",
        )  # fmt: skip

    def acknowledge(self, stream: StreamSpec, receipts_: Sequence[Receipt]) -> None:
        """Write receipts into the rows that are still as they were claimed; see `connectors.seam.Acknowledges`."""
        if self.looks_only or not receipts_ or not _writes(stream):
            return
        with self._working(stream) as connection:
            terms = self._agreed(connection, stream)
            connection.commit()
            receipts.write(connection, terms, receipts_)

    def _owner(self, stream: StreamSpec) -> str:
        """Return what begins the ids of this hub's claims: the same at each pull, another in each deployment."""
        if self.keyed_hash is None:
            raise InternalError("claims are named under a key only; open the connector with keyed_hash=…")
        return self.keyed_hash(f"claims of {self.source.code} {stream.name}".encode()).hex()[:_OWNER]

    def _working(self, stream: StreamSpec) -> AbstractContextManager[sa.Connection]:
        silence = float(stream.options.get("silence", SILENCE))
        raw = "stored_encoding" in stream.options
        return working(self.engine, self.source.code, stream.name, raw=raw, silence=silence)

    def _agreed(self, connection: sa.Connection, stream: StreamSpec) -> Terms:
        if stream.name not in self._terms:
            self._terms[stream.name] = agree(connection, self.source, stream)
        return self._terms[stream.name]

    def _check(self, stream: StreamSpec) -> CheckItem:
        if not _writes(stream):
            return super()._check(stream)
        try:
            with self._working(stream) as connection:
                terms = self._agreed(connection, stream)
                self._heartbeat(connection, stream)
                declared = register(connection, terms, self.source.code, stream)
                connection.execute(statements.nothing(terms))
                connection.rollback()
                said = [*_counted(connection, terms), *_late(declared, connection), *_worth_knowing(connection, terms)]
        except SourceTrouble as error:
            return CheckItem(stream.name, ok=False, message=error.got, hint=str(error))
        return CheckItem(stream.name, ok=True, message="; ".join(said))


def _writes(stream: StreamSpec) -> bool:
    return bool(stream.options.get("write", True))


def _counted(connection: sa.Connection, terms: Terms) -> Iterator[str]:
    """Say how far the rows have come."""
    rows = connection.execute(statements.counts(terms)).all()
    found = statements.sorted_counts(terms, [(value, int(count)) for value, count in rows])
    yield ", ".join(f"{count} {name}" for name, count in found.items() if count) or "holds no row yet"
    key = ", ".join(column.name for column in terms.key)
    yield f"found again by {key}; the columns of flag, claim and receipt can be written"


def _late(declared: Register | None, connection: sa.Connection) -> Iterator[str]:
    """Name the batches that have not come whole."""
    for batch in () if declared is None else declared.batches(connection):
        if not batch.ready:
            said = "it is not declared" if batch.declared is None else f"{batch.declared} are declared"
            yield f"batch {batch.number} waits: {batch.come} rows have come, {said}"


def _worth_knowing(connection: sa.Connection, terms: Terms) -> Iterator[str]:
    if terms.claim_id is None:
        yield "no column for claim ids: only one hub may read this table"
    if not passes_locked_rows_by(connection):
        yield "the server cannot pass locked rows by (SKIP LOCKED)"
    if terms.nullable:
        yield f"{', '.join(one.name for one in terms.nullable)} may be NULL: such rows get no receipt"
