"""Writes canonical rows set by set: straight into `core` where nothing stood, else by one merge a table.

The merge takes rows from staging to `core` and the replaced image to `core_history` in one statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from sharedrepo.access import readers
from sharedrepo.models import MERGE_ORDER, TABLES
from sharedrepo.models.documents import SOURCE_SCOPED
from sharedrepo.staging import binarycopy, stage
from sharedrepo.staging.incoming import Rows

Integers = np.ndarray[Any, np.dtype[np.int64]]


@cache
def _columns(table: str) -> tuple[str, ...]:
    return tuple(column.name for column in TABLES[table].columns)


def staging_table(cursor: stage.Cursor, table: str) -> str:
    """Make (once a session) the staging table of a canonical table; return its name."""
    return stage.make(cursor, f"stage_{table}", like=f"core.{table}")


def columns_of(
    table: str,
    rows: Rows,
    *,
    batch_id: int,
    source_system_id: int,
    record_id: Integers,
    case_id: pa.Array | None,
    reported_at: pa.Array,
) -> dict[str, Any]:
    """Return a table's columns; `record_id` and `reported_at` run over the slice, `case_id` over the rows."""
    size = len(rows.record)
    columns: dict[str, Any] = {
        "record_id": pa.array(record_id[rows.record]),
        "part": pa.array(rows.part),
        "batch_id": pa.array(np.full(size, batch_id)),
    }
    if table in SOURCE_SCOPED:
        columns["source_system_id"] = pa.array(np.full(size, source_system_id))
    elif case_id is not None:
        columns["case_id"] = case_id
    columns |= {name: rows.columns.column(name) for name in rows.columns.column_names}
    columns["reported_at"] = reported_at.take(pa.array(rows.record))
    return columns


def append(cursor: stage.Cursor, table: str, columns: dict[str, Any]) -> None:
    """Write rows of records that never stood before; parents come before children (`in_order`)."""
    if not _row_security(cursor, table):
        binarycopy.copy(cursor, f"core.{table}", TABLES[table], columns)
        return
    # The server takes no COPY into a table whose policies hold for this role: the rows go by a temporary table.
    new = stage.make(cursor, f"stage_new_{table}", like=f"core.{table}")
    binarycopy.copy(cursor, new, TABLES[table], columns)
    cursor.execute(f"INSERT INTO core.{table} ({_listed(table)}) SELECT {_listed(table)} FROM {new}")
    cursor.execute(f"TRUNCATE {new}")


def _row_security(cursor: stage.Cursor, table: str) -> bool:
    """Say whether a table's policies hold for this role: not for a superuser, as on the embedded server."""
    if f"core.{table}" not in readers.COLUMNS:
        return False
    cursor.execute("SELECT row_security_active(%s)", (f"core.{table}",))
    return bool(stage.scalar(cursor))


def put(cursor: stage.Cursor, table: str, columns: dict[str, Any]) -> None:
    """Write rows into their staging table, for `replace` to take them on."""
    binarycopy.copy(cursor, staging_table(cursor, table), TABLES[table], columns)


def replace(cursor: stage.Cursor) -> None:
    """Write the staged rows where `stage_changed` names records that stood before.

    Rows that a record no longer yields are closed first, children before parents; then each table is merged, parents
    before children. A replaced or closed image goes to the history twin in the statement that replaces it.
    """
    for table in reversed(MERGE_ORDER):
        staging_table(cursor, table)
        cursor.execute(_close(table))
    for table in MERGE_ORDER:
        cursor.execute(_upsert(table))


def in_order(tables: Iterable[str]) -> list[str]:
    """Return tables with parents before children."""
    return sorted(tables, key=MERGE_ORDER.index)


def _listed(table: str, prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{name}"' for name in _columns(table))


@cache
def _close(table: str) -> str:
    return f"""
        WITH gone AS (
            DELETE FROM core.{table} AS t USING stage_changed AS c
            WHERE c.record_id = t.record_id AND NOT EXISTS (
                SELECT FROM stage_{table} AS s WHERE s.record_id = t.record_id AND s.part = t.part)
            RETURNING t.*, c.batch_id AS closed_by
        )
        INSERT INTO core_history.{table} ({_listed(table)}, closed_by)
        SELECT {_listed(table, "gone.")}, gone.closed_by FROM gone
    """


@cache
def _upsert(table: str) -> str:
    key = ("record_id",) if table == "approval_case" else ("record_id", "part")
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in _columns(table) if name not in key)
    return f"""
        WITH replaced AS (
            INSERT INTO core_history.{table} ({_listed(table)}, closed_by)
            SELECT {_listed(table, "t.")}, s.batch_id
            FROM core.{table} AS t
            JOIN stage_{table} AS s ON s.record_id = t.record_id AND s.part = t.part
            WHERE s.content_hash <> t.content_hash
        )
        INSERT INTO core.{table} AS t ({_listed(table)})
        SELECT {_listed(table, "s.")} FROM stage_{table} AS s ORDER BY s.record_id, s.part
        ON CONFLICT ({", ".join(key)}) DO UPDATE SET {updates} WHERE t.content_hash <> excluded.content_hash
    """
