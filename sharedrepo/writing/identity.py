"""Finds the parents that rows name, and the records that claim an identity which another record holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hub.findings import Finding
from sharedrepo.models import TABLES
from sharedrepo.models.documents import IDENTITY
from sharedrepo.staging import stage
from sharedrepo.staging.incoming import Incoming, Rows
from sharedrepo.writing.records import Fate


class Resolver:
    """Resolves case numbers to cases for one slice, from the repository and from the slice itself."""

    def __init__(self, cursor: stage.Cursor, source_system_id: int, incoming: Incoming, fate: Fate) -> None:
        self._cursor, self._source, self._incoming, self._fate = cursor, source_system_id, incoming, fate
        self._winners = set(fate.winner.values())
        self._refused: set[int] = set()
        self._cases = self._known_cases()

    def of_case(self, table: str) -> bool:
        """Say whether rows of this table hang on a case."""
        return "case_id" in TABLES[table].columns

    def _stands(self, index: int) -> bool:
        incoming = self._incoming
        gone = incoming.refused[index] or incoming.deleted[index] or incoming.excluded[index]
        return index in self._winners and index not in self._refused and not gone

    def _known_cases(self) -> dict[str, int]:
        """Read the cases that the slice's rows name and that the repository holds."""
        named = [
            rows.case_number
            for table, rows in self._incoming.tables.items()
            if table == "approval_case" or self.of_case(table)
        ]
        numbers = pa.chunked_array(named, pa.large_string()).unique().drop_null()
        if not len(numbers):
            return {}
        self._cursor.execute(
            """SELECT case_number, record_id FROM core.approval_case
               WHERE source_system_id = %s AND case_number = ANY(%s)""",
            (self._source, stage.TextArray(sorted(numbers.to_pylist()))),
        )
        return dict(self._cursor.fetchall())

    def conflicts(self) -> Iterator[tuple[int, Finding]]:
        """Yield the records that claim a number which another record holds; the first keeps it."""
        yield from self._case_conflicts()
        if "credential" in self._incoming.tables:
            yield from self._credential_conflicts(self._incoming.tables["credential"])

    def _case_conflicts(self) -> Iterator[tuple[int, Finding]]:
        rows = self._incoming.tables.get("approval_case")
        if rows is None:
            return
        for index, number in zip(rows.record.tolist(), rows.case_number.to_pylist(), strict=True):
            if number is None or not self._stands(index):
                continue
            holder = self._cases.setdefault(number, self._fate.record_id[index])
            if holder != self._fate.record_id[index]:
                self._refused.add(index)
                yield index, Finding(index, "identity_conflict", "approval_case", "case_number", refuse=True)

    def _credential_conflicts(self, rows: Rows) -> Iterator[tuple[int, Finding]]:
        names = IDENTITY["credential"]
        self._cursor.execute(
            f"""SELECT {", ".join(names)}, record_id FROM core.credential
                WHERE source_system_id = %s AND number = ANY(%s)""",
            (self._source, _texts(rows, "number")),
        )
        holders = {tuple(row[:-1]): row[-1] for row in self._cursor.fetchall()}
        columns = [_texts(rows, name) for name in names]
        for index, *identity in zip(rows.record.tolist(), *columns, strict=True):
            if not self._stands(index):
                continue
            holder = holders.setdefault(tuple(identity), self._fate.record_id[index])
            if holder != self._fate.record_id[index]:
                self._refused.add(index)
                yield index, Finding(index, "identity_conflict", "credential", "number", refuse=True)

    def orphans(self) -> list[int]:
        """Return the records that hang on a case which is neither in the repository nor in the slice."""
        lost: set[int] = set()
        for table, rows in self._incoming.tables.items():
            if not self.of_case(table):
                continue
            unknown = np.flatnonzero(pc.index_in(rows.case_number, self._numbers()).is_null())
            lost.update(index for index in rows.record[unknown].tolist() if self._stands(index))
        return sorted(lost)

    def _numbers(self) -> pa.Array:
        return pa.array(list(self._cases), pa.large_string())

    def case_ids(self, rows: Rows) -> pa.Array:
        """Return the case id of each row."""
        return pa.array(list(self._cases.values()), pa.int64()).take(pc.index_in(rows.case_number, self._numbers()))

    def new_cases(self, accepted: set[int]) -> list[str]:
        """Return the numbers of the cases that this slice brought."""
        rows = self._incoming.tables.get("approval_case")
        if rows is None:
            return []
        return [
            number
            for index, number in zip(rows.record.tolist(), rows.case_number.to_pylist(), strict=True)
            if index in accepted and number is not None
        ]


def _texts(rows: Rows, name: str) -> list[str | None]:
    if name not in rows.columns.column_names:
        return [None] * len(rows.record)
    return [None if value is None else str(value) for value in rows.columns.column(name).to_pylist()]
