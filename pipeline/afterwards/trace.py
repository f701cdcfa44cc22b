"""Walks a canonical row back to what the department sent: the archived record, and the mapping line of each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub import jsontext
from hub.errors import RepositoryError
from hub.mends import taken
from hub.remark import one_line
from normalization.mapping import Mapping as FieldMapping
from normalization.model import ColumnMap, Field
from pipeline.afterwards import deeds
from pipeline.afterwards.deeds import Deed
from pipeline.preparing import archived
from pipeline.pulls import snapshots
from pipeline.runtime import Runtime
from sharedrepo.models import TABLES

HIDDEN = "(protected)"
LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class Traced:
    """One row of `core`, and where each of its columns comes from."""

    table: str
    source: str
    stream: str
    key: str
    batch: int
    archive: str | None
    row: int
    mapping_version: str
    columns: list[dict[str, Any]]
    record: Mapping[str, Any] | None
    mended: list[dict[str, Any]]
    """What the hub mended, field by field: why, by whom proposed and approved, and what the source had said."""


@dataclass(frozen=True, slots=True)
class Look:
    """Who sees personal values, and why."""

    actor: str
    reason: str


def trace(runtime: Runtime, table: str, key: str, *, reveal: Look | None = None) -> list[Traced]:
    """Return every row of `core.<table>` whose source key or case number is `key`.

    Personal values are shown only with `reveal`: who looks at which record and why is logged before.

    Raises:
        RepositoryError: no such table, or no such row; or personal values are to be seen without a reason.
    """
    why = "" if reveal is None else one_line(reveal.reason)
    if reveal is not None and not 1 <= len(why) <= LONGEST_REASON:
        raise RepositoryError(
            f"a reason of 1 to {LONGEST_REASON} characters is needed to see personal values. Give it with --reason; "
            "who looked at what, when and why stands in `hub quarantine log`."
        )
    if table not in TABLES:
        raise RepositoryError(f"no table core.{table}; known: {', '.join(sorted(TABLES))}.")
    rows = _rows(runtime, table, key)
    if not rows:
        raise RepositoryError(
            f"core.{table} holds no row of key {key!r}. Give the source's own key or the case number; "
            "records that wait are in `hub quarantine list`."
        )
    if reveal is not None:
        _log(runtime, table, rows, reveal.actor, why)
    return [_traced(runtime, table, row, reveal=reveal is not None) for row in rows]


def _log(runtime: Runtime, table: str, rows: list[dict[str, Any]], actor: str, why: str) -> None:
    """Write down who sees which records, before anything is shown; each source's in its own archive."""
    seen = {(row["_source"], row["record_id"]): row["_stream_id"] for row in rows}
    for source in sorted({source for source, _ in seen}):
        deeds.write(
            runtime,
            *(
                Deed(actor, "reveal", stream_id=stream, record_id=record, reason=why, detail={"table": f"core.{table}"})
                for (said, record), stream in seen.items() if said == source
            ),
        )  # fmt: skip


def _rows(runtime: Runtime, table: str, key: str) -> list[dict[str, Any]]:
    case = "t.case_number" if "case_number" in TABLES[table].columns else "NULL"
    join = ""
    if "case_id" in TABLES[table].columns:
        case, join = "c.case_number", "JOIN core.approval_case AS c ON c.record_id = t.case_id"
    query = f"""
        SELECT t.*, ss.code AS _source, s.name AS _stream, s.stream_id AS _stream_id,
               r.source_key AS _key, r.batch_id AS _batch, r.row AS _row,
               b.archive_key AS _archive, b.mapping_version AS _mapping
        FROM core.{table} AS t {join}
        JOIN ledger.source_record AS r ON r.record_id = t.record_id
        JOIN ledger.stream AS s ON s.stream_id = r.stream_id
        JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
        JOIN ledger.batch AS b ON b.batch_id = r.batch_id
        WHERE r.source_key = :key OR {case} = :key ORDER BY t.record_id, t.part LIMIT 200"""
    with runtime.engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query), {"key": key}).mappings()]


def _traced(runtime: Runtime, table: str, row: dict[str, Any], *, reveal: bool) -> Traced:
    line = _line(runtime, row)
    record = None if line is None else jsontext.loads(line.body)
    with snapshots.opened(runtime, row["_mapping"]) as mapping:
        columns = _columns(mapping, row, record, reveal=reveal)
        shown = record if reveal or record is None else _masked(mapping, row["_stream"], record)
    return Traced(
        table, row["_source"], row["_stream"], row["_key"], row["_batch"], row["_archive"], row["_row"],
        row["_mapping"], columns, shown, _mended(runtime, row, line, record, reveal=reveal),
    )  # fmt: skip


def _line(runtime: Runtime, row: dict[str, Any]) -> archived.Line | None:
    if row["_archive"] is None:
        return None
    _header, lines = runtime.archive.open(row["_archive"])
    return next((one for one in archived.records(lines) if one.place == (row["_row"], row["_key"])), None)


def _mended(
    runtime: Runtime, row: dict[str, Any], line: archived.Line | None, record: dict[str, Any] | None, *, reveal: bool
) -> list[dict[str, Any]]:
    """Return what was mended by hand, as the archive has it, then what the source's own declaration put right."""
    if line is None:
        return []
    out = [
        {
            "field": pointer, "was": value if reveal else HIDDEN, "reason": step.reason,
            "proposed_by": step.proposed_by, "approved_by": step.approved_by, "approved_at": step.approved_at,
        }
        for step in (line.mend.steps if line.mend is not None else ())
        for pointer, value in step.was.items()
    ]  # fmt: skip
    query = """SELECT pointer, detail ->> 'reason', detail ->> 'by' FROM quality.finding
               WHERE record_id = :record AND rule = 'value_mended' AND state = 'open' AND detail ? 'by' ORDER BY 1"""
    with runtime.engine.connect() as connection:
        put_right = connection.execute(sa.text(query), {"record": row["record_id"]}).all()
    return out + [
        {
            "field": pointer, "was": taken(record, Field.of(pointer).path) if reveal else HIDDEN, "reason": reason,
            "proposed_by": by, "approved_by": by, "approved_at": None,
        }
        for pointer, reason, by in put_right
    ]  # fmt: skip


def _columns(
    mapping: FieldMapping, row: dict[str, Any], record: dict[str, Any] | None, *, reveal: bool
) -> list[dict[str, Any]]:
    stream = mapping.streams[row["_stream"]]
    made = stream.yields[row["part"]]
    out = []
    for column in made.columns:
        personal = column.column.personal
        raw = {one.name: taken(record, one.path) for one in column.fields} if record is not None else {}
        hidden = personal and not reveal
        name = column.column.name
        out.append(
            {
                "column": name,
                "value": row.get(f"{name}_mask", HIDDEN) if personal else row.get(name),
                "made_from": _how(column),
                "said": {field: HIDDEN if hidden and value is not None else value for field, value in raw.items()},
                "mapping_line": column.line,
            }
        )
    return out


def _how(column: ColumnMap) -> str:
    if column.how == "field":
        return ", ".join(one.name for one in column.fields)
    return f"constant {column.const!r}" if column.how == "const" else column.how


def _masked(mapping: FieldMapping, stream: str, record: dict[str, Any]) -> dict[str, Any]:
    """Hide every field that may hold something personal: those of person columns and those the mapping ignores."""
    found = mapping.streams[stream]
    personal = {one.path[0] for one in found.personal} | {name.lstrip("/").split("/")[0] for name in found.ignore}
    return {name: HIDDEN if name in personal and value is not None else value for name, value in record.items()}
