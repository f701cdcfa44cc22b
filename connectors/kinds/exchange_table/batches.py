"""Batches that a department declares: one is taken when all of its rows have come, and never by half.

A table beside the exchange table says for each batch how many rows it has, and may say their checksum. The checksum is
the digest of the rows' text: the values of the columns `over`, joined by `|`, NULL as nothing; the rows in the order of
the key, joined by a line feed; in UTF-8, as hexadecimal digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from connectors.kinds.database.fetch import printed, stream_rows
from connectors.kinds.database.plan import Lookup
from connectors.kinds.exchange_table.statements import AT_ONCE
from connectors.kinds.exchange_table.terms import Column, Terms
from connectors.source import StreamSpec
from hub.errors import RefuseUnit, StopSource, StreamMissing
from hub.records import Unit

_RUN = 5_000


class BatchRefused(RefuseUnit):
    """All rows of a batch have come, and they are not those whose checksum was declared."""

    rule = "total_mismatch"
    left_waiting = True
    next_step = "It is left waiting. Ask the department to compare its rows and to declare the checksum anew."


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch with rows that wait: how many are declared, how many have come, how many of them wait."""

    number: str
    declared: int | None
    come: int
    waiting: int
    checksum: str | None = None

    @property
    def ready(self) -> bool:
        """Say whether all of its rows have come."""
        return self.declared is not None and self.come >= self.declared

    def unit(self, table: str) -> Unit:
        """Return the unit that its waiting rows are; those that were taken before are off its declared total."""
        left = max(0, (self.declared or 0) - (self.come - self.waiting))
        return Unit(f"{table}/{self.number}", declared={"records": left})


@dataclass(frozen=True, slots=True)
class Register:
    """The table in which a department declares its batches, and the column of each row's batch."""

    terms: Terms
    source: str
    stream: str
    column: Column
    table: sa.TableClause
    number: Column
    rows: Column
    checksum: Column | None
    over: tuple[Column, ...]
    algorithm: str

    def batches(self, connection: sa.Connection) -> list[Batch]:
        """Return the batches that have rows which wait, in the order of their numbers."""
        waits = self.terms.flag.waits()
        wanted = sa.select(self.column).where(waits, self.column.is_not(None)).scalar_subquery()
        counted = connection.execute(
            sa.select(self.column, sa.func.count(), sa.func.sum(sa.case((waits, 1), else_=0)))
            .select_from(self.terms.plan.table)
            .where(self.column.in_(wanted))
            .group_by(self.column)
            .order_by(self.column)
        ).all()
        said = self._declared(connection, [str(number) for number, *_ in counted])
        return [
            Batch(str(number), declared, int(come), int(waiting), checksum)
            for number, come, waiting in counted
            for declared, checksum in (said.get(str(number), (None, None)),)
        ]

    def _declared(
        self, connection: sa.Connection, numbers: Sequence[str]
    ) -> dict[str, tuple[int | None, str | None]]:  # fmt: skip
        """Return what is declared of batches; one that is declared twice is not declared yet."""
        found: dict[str, tuple[int | None, str | None]] = {}
        for start in range(0, len(numbers), AT_ONCE):
            some = self.number.in_(numbers[start : start + AT_ONCE])
            columns = (self.number, self.rows, sa.null() if self.checksum is None else self.checksum)
            for number, rows, checksum in connection.execute(sa.select(*columns).where(some)):
                once = str(number) not in found and rows is not None
                found[str(number)] = (int(rows) if once else None, None if checksum is None else str(checksum).strip())
        return found

    def of(self, batch: Batch) -> sa.ColumnElement[bool]:
        """Return the condition of a batch's rows."""
        return self.column == batch.number

    def judge(self, connection: sa.Connection, batch: Batch) -> None:
        """Compare a batch's rows with its checksum.

        Raises:
            BatchRefused: they are others than those declared.
        """
        if not self.over:
            return
        found = self._digest(connection, batch)
        if found != (batch.checksum or "").lower():
            raise BatchRefused(
                source=self.source, stream=self.stream, unit=batch.unit(str(self.terms.plan.table.name)).name,
                got=f"{batch.come} rows have come, of {batch.declared} declared, and their {self.algorithm} is {found}",
                known=f"declared {batch.checksum}" if batch.checksum else "none is declared",
            )  # fmt: skip

    def _digest(self, connection: sa.Connection, batch: Batch) -> str:
        digest = hashlib.new(self.algorithm, usedforsecurity=False)
        statement = sa.select(*self.over).where(self.of(batch)).order_by(*self.terms.key)
        between = b""
        for run in stream_rows(connection, statement, _RUN):
            for row in run:
                line = "|".join("" if value is None else str(printed(value)) for value in row)
                digest.update(between + line.encode())
                between = b"\n"
        return digest.hexdigest()


def register(connection: sa.Connection, terms: Terms, source: str, stream: StreamSpec) -> Register | None:
    """Bind what is declared of batches to its columns; None where nothing is.

    Raises:
        StreamMissing: there is no such table of batches.
        SchemaMismatch: it has no such column.
        StopSource: this machine cannot compute the checksum.
    """
    options = stream.options.get("batches")
    if options is None:
        return None
    own = Lookup(source, stream.name, {column.name: column for column in terms.plan.table.c})
    schema = options.get("schema", stream.options.get("schema"))
    try:
        found = sa.inspect(connection).get_columns(options["table"], schema=schema)
    except sa.exc.NoSuchTableError:
        raise StreamMissing(
            source=source, stream=stream.name, got=f"there is no table of batches {options['table']!r}"
        ) from None
    table = sa.table(options["table"], *(sa.column(one["name"]) for one in found), schema=schema)
    theirs = Lookup(source, stream.name, {column.name: column for column in table.c})
    checksum = options.get("checksum", {})
    algorithm = checksum.get("algorithm", "sha256")
    if algorithm not in hashlib.algorithms_available:
        raise StopSource(source=source, stream=stream.name, got=f"this machine has no digest {algorithm}",
                         hint="Agree on sha256, or install an OpenSSL that has it.")  # fmt: skip
    return Register(
        terms, source, stream.name, own.column(options["column"], "the column of the batch"), table,
        theirs.column(options.get("number", options["column"]), "the number of the batch"),
        theirs.column(options["rows"], "the count of the batch's rows"),
        theirs.column(checksum["column"], "the checksum of the batch") if checksum else None,
        tuple(own.column(name, "part of the checksum") for name in checksum.get("over", ())), algorithm,
    )  # fmt: skip
