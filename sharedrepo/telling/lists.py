"""Findings, waiting records and batches read, as lists for people and programs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

_PLACE = """
    JOIN ledger.stream AS s ON s.stream_id = t.stream_id
    JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id"""
_OF = "(CAST(:source AS text) IS NULL OR ss.code = :source)"


def _rows(engine: sa.Engine, query: str, **values: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]


def findings(
    engine: sa.Engine, *, source: str | None = None, rule: str | None = None, state: str = "open"
) -> list[dict[str, Any]]:
    """Return each finding with its source's own key and place; raw values stay sealed."""
    return _rows(
        engine,
        f"""
        SELECT t.finding_id AS id, ss.code AS source, s.name AS stream, t.unit, r.source_key AS key,
               coalesce(c.case_number, w.case_number) AS case, t.rule, t.effect, t.field, t.pointer, t.row, t.shown,
               t.detail, t.seen, t.state
        FROM quality.finding AS t {_PLACE}
        LEFT JOIN ledger.source_record AS r ON r.record_id = t.record_id
        LEFT JOIN core.approval_case AS c ON c.record_id = coalesce(t.case_id, t.record_id)
        LEFT JOIN LATERAL (SELECT case_number FROM ledger.waiting WHERE record_id = t.record_id LIMIT 1) AS w ON TRUE
        WHERE {_OF} AND t.state = :state AND (CAST(:rule AS text) IS NULL OR t.rule = :rule)
        ORDER BY ss.code, s.stream_id, t.rule, r.source_key, t.finding_id""",
        source=source, rule=rule, state=state,
    )  # fmt: skip


def finding_groups(engine: sa.Engine, *, source: str | None = None) -> list[dict[str, Any]]:
    """Return the open findings grouped: one row for each fault of a stream, with its count."""
    return _rows(
        engine,
        """SELECT * FROM quality.finding_group WHERE CAST(:source AS text) IS NULL OR source = :source
                ORDER BY source, stream, findings DESC, rule""",
        source=source,
    )


def faults(engine: sa.Engine, source: str) -> list[dict[str, Any]]:
    """Count the open findings of a source by stream, rule, effect and the source's own field, where one is named."""
    return _rows(
        engine,
        f"""
        SELECT s.name AS stream, t.rule, t.effect, split_part(ltrim(t.pointer, '/'), '/', 1) AS field,
               sum(coalesce(t.seen, 1))::bigint AS findings
        FROM quality.finding AS t {_PLACE}
        WHERE {_OF} AND t.state = 'open' GROUP BY s.stream_id, 1, 2, 3, 4 ORDER BY s.stream_id, 2, 4, 3""",
        source=source,
    )


def set_faults(engine: sa.Engine, source: str) -> list[dict[str, Any]]:
    """Count what the suites last found in a source's sets by stream, rule and canonical field; 0 where all hold."""
    return _rows(
        engine,
        f"""
        SELECT s.name AS stream, t.rule, 'flag' AS effect, t.field,
               coalesce(sum(t.unexpected) FILTER (WHERE NOT t.success), 0)::bigint AS findings
        FROM quality.set_result AS t {_PLACE}
        WHERE {_OF} AND t.latest GROUP BY s.stream_id, 1, 2, 4 ORDER BY s.stream_id, 2, 4""",
        source=source,
    )


def waiting(
    engine: sa.Engine, *, source: str | None = None, kind: str | None = "quarantined", status: str = "open"
) -> list[dict[str, Any]]:
    """Return the records that wait, without their payloads."""
    return _rows(
        engine,
        f"""
        SELECT t.waiting_id AS id, ss.code AS source, s.name AS stream, r.source_key AS key, t.kind, t.status AS state,
               t.case_number AS case, t.order_value AS version, t.rules, t.unit, t.row, t.since
        FROM ledger.waiting AS t {_PLACE}
        JOIN ledger.source_record AS r ON r.record_id = t.record_id
        WHERE {_OF} AND t.status = :status AND (CAST(:kind AS text) IS NULL OR t.kind = :kind)
        ORDER BY ss.code, s.stream_id, r.source_key, t.waiting_id""",
        source=source, kind=kind, status=status,
    )  # fmt: skip


def batches(engine: sa.Engine, *, source: str | None = None, status: str | None = None) -> list[dict[str, Any]]:
    """Return the batches in the order in which they were committed."""
    return _rows(
        engine,
        f"""
        SELECT t.batch_id AS batch, ss.code AS source, s.name AS stream, t.seq, t.kind, t.status, t.unit, t.read, t.new,
               t.updated, t.unchanged, t.stale, t.deleted, t.excluded, t.quarantined, t.parked,
               t.archive_key AS archive, t.recorded_at, t.reason, t.actor
        FROM ledger.batch AS t {_PLACE}
        WHERE {_OF} AND (CAST(:status AS text) IS NULL OR t.status = :status) ORDER BY t.recorded_at""",
        source=source, status=status,
    )  # fmt: skip


def held_unit(engine: sa.Engine, source: str, batch_id: int) -> list[dict[str, Any]]:
    """Return all held batches of the unit that this batch belongs to, in their order; none where it is not held."""
    return _rows(
        engine,
        f"""
        SELECT t.batch_id AS batch, s.name AS stream, t.unit, t.archive_key AS archive
        FROM ledger.batch AS t {_PLACE}
        JOIN ledger.batch AS asked ON asked.stream_id = t.stream_id AND asked.unit IS NOT DISTINCT FROM t.unit
        WHERE {_OF} AND asked.batch_id = :batch AND asked.status = 'held' AND t.status = 'held' ORDER BY t.seq""",
        source=source,
        batch=batch_id,
    )
