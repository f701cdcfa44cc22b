"""Findings and rejected records as a department's own program reads them: of its organ only, and without values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from hub.findings import rule as rule_of
from pipeline.runtime import Runtime
from quality.worklist.entries import Entry, entries

_FINDINGS = """
    SELECT f.finding_id AS id, ss.code AS source, s.name AS stream, r.source_key AS key,
           coalesce(c.case_number, k.case_number) AS case, f.unit, f.row, f.rule, f.effect, f.field, f.pointer, f.shown,
           f.detail, f.waits AS waiting, b.recorded_at AS since
    FROM quality.finding AS f
    JOIN ledger.stream AS s ON s.stream_id = f.stream_id
    JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
    JOIN ledger.batch AS b ON b.batch_id = f.batch_id
    LEFT JOIN ledger.source_record AS r ON r.record_id = coalesce(f.record_id, f.case_id)
    LEFT JOIN quality.record_organ AS o ON o.record_id = coalesce(f.record_id, f.case_id)
    LEFT JOIN core.approval_case AS c ON c.record_id = coalesce(f.case_id, f.record_id)
    LEFT JOIN LATERAL (SELECT case_number FROM ledger.waiting WHERE record_id = f.record_id LIMIT 1) AS k ON TRUE
    WHERE f.state = 'open' AND f.finding_id > :after AND coalesce(o.organ, ss.organ, '') = :organ
      AND (CAST(:source AS text) IS NULL OR ss.code = :source)
      AND (CAST(:stream AS text) IS NULL OR s.name = :stream)
      AND (CAST(:rule AS text) IS NULL OR f.rule = :rule)
      AND (CAST(:effect AS text) IS NULL OR f.effect = :effect)
    ORDER BY f.finding_id LIMIT :limit"""


def findings(
    runtime: Runtime, organ: str, *, source: str | None = None, stream: str | None = None, rule: str | None = None,
    effect: str | None = None, after: int = 0, limit: int = 100,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return at most `limit` open findings of an organ whose number is greater than `after`, in order of number."""
    asked = {
        "organ": organ, "source": source, "stream": stream, "rule": rule, "effect": effect, "after": after,
        "limit": limit,
    }  # fmt: skip
    with runtime.engine.connect() as connection:
        return [_worded(dict(row)) for row in connection.execute(sa.text(_FINDINGS), asked).mappings()]


def rejections(
    runtime: Runtime, organ: str, *, source: str | None = None, stream: str | None = None, rule: str | None = None,
    after: int = 0, limit: int = 100,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return at most `limit` rejected records of an organ whose number is greater than `after`, with their findings."""
    page = entries(runtime, organ=organ, source=source, stream=stream, rule=rule, after=after, limit=limit)
    told = _told(runtime, page)
    return [
        {
            "id": one.number, "source": one.source, "stream": one.stream, "key": one.key, "case": one.case,
            "version": one.version, "unit": one.unit, "row": one.row, "since": one.since,
            "findings": told.get(one.number, []),
        }
        for one in page
    ]  # fmt: skip


def _told(runtime: Runtime, page: Sequence[Entry]) -> dict[int, list[dict[str, Any]]]:
    query = sa.text(
        """SELECT w.waiting_id, f.rule, f.effect, f.field, f.pointer, f.shown, f.detail
           FROM ledger.waiting AS w JOIN quality.finding AS f USING (record_id)
           WHERE w.waiting_id = ANY(:ids) AND f.state = 'open' AND f.waits ORDER BY w.waiting_id, f.finding_id"""
    )
    out: dict[int, list[dict[str, Any]]] = {}
    with runtime.engine.connect() as connection:
        for row in connection.execute(query, {"ids": [one.number for one in page]}).mappings():
            said = dict(row)
            out.setdefault(said.pop("waiting_id"), []).append(_worded(said))
    return out


def _worded(row: dict[str, Any]) -> dict[str, Any]:
    said = rule_of(row["rule"])
    return {
        **row, "severity": said.severity, "dimension": said.dimension, "title": said.title, "title_zh": said.title_zh,
        "hint": said.hint, "hint_zh": said.hint_zh,
    }  # fmt: skip
