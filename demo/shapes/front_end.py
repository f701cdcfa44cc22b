"""PRE tables on a front-end machine (前置机): each report is a row, and the hub writes beside it what became of it.

Two departments hand their records over so (source folder `front-end-tables`). Rows have a number, a flag that says how
far they have come, and the columns of the receipt. They come in batches that are declared in `ex_batch` with count and
checksum; a batch is taken whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from demo.model import Answered, Case, Defect, Department, Placed, UnitMark, Work
from demo.shapes.databases import PostgresTables, server_base
from demo.shapes.folders import last_part
from demo.shapes.record import Entry, Stream, Values
from demo.shapes.system import Deletes, Delivery, System
from demo.shapes.zhejiang_pre import STREAMS, ZhejiangPreShape

_OWN = ("EXCH_ID", "EXCH_FLAG", "EXCH_CLAIM", "EXCH_TIME", "EXCH_ERROR")
"""What a front-end table has beside the fields of its records."""
_TABLES: Mapping[str, Stream] = {
    name: replace(stream, fields=(*stream.fields, *_OWN)) for name, stream in STREAMS.items()
}
_TYPES = {
    "CREATE_TIME": "timestamp(0)", "EXCH_ID": "bigint PRIMARY KEY", "EXCH_FLAG": "char(1) DEFAULT '0'",
    "EXCH_CLAIM": "varchar(40)", "EXCH_TIME": "timestamp(0)", "EXCH_ERROR": "varchar(500)",
}  # fmt: skip
_BATCH = 1_000
_SUMMED = ("EXCH_ID", "DATAVERSION", "SYNC_STATUS")
"""The columns over which the checksum of a batch goes, as the source folder says it."""
_MISCOUNTED, _MISSUMMED = "PRE_NODE", "PRE_ATTR"
_ROWS = ZhejiangPreShape()


class FrontEndShape(System):
    """PRE_* rows that wait to be taken, in a schema of the departments' server."""

    name = "front_end"
    carries = (ZhejiangPreShape.carries - {"field_added", "field_removed"}) | {"total_mismatch", "batch_checksum"}
    deletes: Deletes = "case"
    streams = STREAMS
    answered = True

    def seen(self, case: Case) -> Case | None:
        """Return the case as the PRE tables know it."""
        return _ROWS.seen(case)

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the rows of a case."""
        return _ROWS.entries(department, case)

    def stamped(self, delivery: Delivery) -> Values:
        """Add version, mark and time, and the row's own number."""
        return {**_ROWS.stamped(delivery), "EXCH_ID": delivery.row, "EXCH_FLAG": "0"}

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Write the rows of the day and declare their batches; a batch with a wrong checksum is read on day 2."""
        plans = {plan.kind: plan for plan in work.plans(department.code, day)}
        late = last_part(department) if "batch_checksum" in plans else None
        if day == 2:
            yield from self._held_back(department, work, late)
        deliveries = self.numbered(department, work, day)
        if dry:
            for delivery in deliveries:
                if not (day == 1 and _waits(department, delivery, late)):
                    yield self.placed(department, delivery, day)
        else:
            with _FrontEnd(home, department, day, plans) as tables:
                for delivery in deliveries:
                    waits = day == 1 and _waits(department, delivery, late)
                    tables.put(delivery.entry, self.stamped(delivery), apart=waits)
                    if not waits:
                        yield self.placed(department, delivery, day)
        yield from self.spoiled_units(department, work, home, day, plans, dry=dry)

    def _held_back(self, department: Department, work: Work, late: int | None) -> Iterator[Placed]:
        """Yield the rows of day 1 that wait for the right checksum."""
        if late is not None:
            for delivery in self.numbered(department, work, 1):
                if _waits(department, delivery, late):
                    yield self.placed(department, delivery, 2)

    def spoiled_units(
        self, department: Department, work: Work, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Name the findings of the batches that were declared wrongly."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if day == 1:
            for kind, stream in (("total_mismatch", _MISCOUNTED), ("batch_checksum", _MISSUMMED)):
                if kind in plans:
                    yield UnitMark(department.code, stream, None, day, "total_mismatch", kind)

    def answers(self, department: str, home: Path) -> Iterator[Answered]:
        """Yield the receipt of each row as the department finds it."""
        with PostgresTables(server_base(home), department, {}, {}, fresh=False) as tables:
            for stream in STREAMS:
                for row, flag, at, error in tables.rows(
                    f"SELECT exch_id, exch_flag, exch_time, exch_error FROM {stream.lower()}"
                ):
                    told = {"1": False, "2": True}.get(flag) if at is not None else None
                    yield Answered(stream, row, told, worded=bool(error))


def _waits(department: Department, delivery: Delivery, late: int | None) -> bool:
    """Say whether a row of day 1 stands in the batch whose checksum is wrong: materials of the newest cases."""
    part = delivery.part * 12 // max(1, department.cases)
    return late is not None and delivery.entry.stream == _MISSUMMED and part == late


class _FrontEnd:
    """The tables of one department, and the batches of one day."""

    def __init__(self, home: Path, department: Department, day: int, plans: Mapping[str, Defect]) -> None:
        self._tables = PostgresTables(
            server_base(home), department.code, _TABLES, _TYPES, fresh=day == 1, appended=True
        )
        self._day, self._plans = day, plans
        self._rows: dict[str, list[tuple[object, ...]]] = {}
        self._open: dict[str, int] = dict.fromkeys(_TABLES, 1)

    def __enter__(self) -> _FrontEnd:
        tables = self._tables.__enter__()
        if self._day == 1:
            tables.rows("CREATE TABLE ex_batch (batchno varchar(40), row_count integer, checksum varchar(64))")
        return self

    def put(self, entry: Entry, values: Values, *, apart: bool) -> None:
        """Write one row into the batch of its table that is open, or into one apart."""
        number = "X" if apart else f"{self._open[entry.stream]:02d}"
        batch = f"{entry.stream}-{self._day}-{number}"
        rows = self._rows.setdefault(batch, [])
        rows.append(tuple(values[name] for name in _SUMMED))
        if not apart and len(rows) >= _BATCH:
            self._open[entry.stream] += 1
        self._tables.put(entry, {**values, "BATCHNO": batch})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for batch, rows in self._rows.items():
                count, checksum = len(rows), _checksum(rows)
                if batch == f"{_MISCOUNTED}-1-01" and "total_mismatch" in self._plans:
                    count -= 1
                if batch.endswith("-X"):
                    checksum = _checksum([])
                self._tables.rows("INSERT INTO ex_batch VALUES (%s, %s, %s)", (batch, count, checksum))
            if self._day == 2 and "batch_checksum" in self._plans:
                self._mend()
        self._tables.__exit__(kind, error, trace)

    def _mend(self) -> None:
        """Declare the checksum anew that was wrong on day 1."""
        batch = f"{_MISSUMMED}-1-X"
        columns = ", ".join(name.lower() for name in _SUMMED)
        rows = self._tables.rows(f"SELECT {columns} FROM {_MISSUMMED.lower()} WHERE batchno = %s ORDER BY 1", (batch,))
        self._tables.rows("UPDATE ex_batch SET checksum = %s WHERE batchno = %s", (_checksum(rows), batch))


def _checksum(rows: list[tuple[object, ...]]) -> str:
    """Return the digest of rows as both sides agreed on it."""
    lines = ("|".join("" if value is None else str(value) for value in row) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
