"""The list of work: what waits and what is kept with a flag, filtered, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from hub.sentences import sentence
from pipeline.runtime import Runtime
from quality.worklist.errors import NotDone

Kind = Literal["quarantined", "parked", "flagged"]
"""Refused and waiting; waiting for its case; kept, with a flag. Numbers of the last are those of records."""
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the list; `number` names it together with `kind`, `rules` and `fields` say what is wrong."""

    number: int
    kind: Kind
    source: str
    stream: str
    organ: str
    key: str
    case: str | None
    version: int | None
    rules: tuple[str, ...]
    fields: tuple[str, ...]
    unit: str | None
    row: int
    since: datetime
    proposals: int


_WHERE = """
    (CAST(:organ AS text) IS NULL OR o.organ = :organ)
    AND (CAST(:source AS text) IS NULL OR ss.code = :source)
    AND (CAST(:stream AS text) IS NULL OR s.name = :stream)
    AND (CAST(:days AS double precision) IS NULL
         OR {since} <= now() - CAST(:days AS double precision) * INTERVAL '1 day')"""
_OPEN = "SELECT count(*) FROM quality.correction AS c WHERE c.status = 'proposed' AND c.{column} = {value}"

_WAITING = f"""
    SELECT w.waiting_id AS number, w.kind, ss.code AS source, s.name AS stream, o.organ, r.source_key AS key,
           w.case_number AS case, w.order_value AS version, w.rules, w.unit, w.row, w.since,
           ({_OPEN.format(column="waiting_id", value="w.waiting_id")}) AS proposals,
           ARRAY(SELECT DISTINCT f.field FROM quality.finding AS f
                 WHERE f.record_id = w.record_id AND f.state = 'open' AND f.waits AND f.field IS NOT NULL
                 ORDER BY 1) AS fields
    FROM ledger.waiting AS w
    JOIN ledger.source_record AS r ON r.record_id = w.record_id
    JOIN ledger.stream AS s ON s.stream_id = w.stream_id
    JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
    JOIN quality.record_organ AS o ON o.record_id = w.record_id
    WHERE w.status = 'open' AND w.kind = :kind AND w.waiting_id > :after AND {_WHERE.format(since="w.since")}
      AND (CAST(:rule AS text) IS NULL OR :rule = ANY(w.rules) OR EXISTS (
          SELECT FROM quality.finding AS f
          WHERE f.record_id = w.record_id AND f.state = 'open' AND f.waits AND f.rule = :rule))
      AND (CAST(:field AS text) IS NULL OR EXISTS (
          SELECT FROM quality.finding AS f
          WHERE f.record_id = w.record_id AND f.state = 'open' AND f.waits AND f.field = :field))
    ORDER BY w.waiting_id LIMIT :limit"""

_FLAGGED = f"""
    SELECT r.record_id AS number, 'flagged' AS kind, ss.code AS source, s.name AS stream, o.organ,
           r.source_key AS key, c.case_number AS case, r.order_value AS version, f.rules, f.fields, b.unit, r.row,
           b.recorded_at AS since,
           ({_OPEN.format(column="record_id", value="r.record_id")}) AS proposals
    FROM (SELECT record_id, array_agg(DISTINCT rule ORDER BY rule) AS rules,
                 array_agg(DISTINCT field ORDER BY field) FILTER (WHERE field IS NOT NULL) AS fields
          FROM quality.finding
          WHERE state = 'open' AND record_id > :after AND effect = 'flag' AND NOT waits
          GROUP BY record_id
          HAVING (CAST(:rule AS text) IS NULL OR :rule = ANY(array_agg(rule)))
             AND (CAST(:rule AS text) IS NOT NULL OR bool_or(rule <> 'value_mended'))
             AND (CAST(:field AS text) IS NULL OR :field = ANY(array_agg(field)))) AS f
    JOIN ledger.source_record AS r ON r.record_id = f.record_id AND r.state = 'kept'
    JOIN ledger.batch AS b ON b.batch_id = r.batch_id
    JOIN ledger.stream AS s ON s.stream_id = r.stream_id
    JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
    JOIN quality.record_organ AS o ON o.record_id = r.record_id
    LEFT JOIN core.approval_case AS c ON c.record_id = r.record_id
    WHERE {_WHERE.format(since="b.recorded_at")}
    ORDER BY r.record_id LIMIT :limit"""


def entries(
    runtime: Runtime, *, organ: str | None = None, source: str | None = None, stream: str | None = None,
    rule: str | None = None, field: str | None = None, older_than: float | None = None, kind: Kind = "quarantined",
    after: int | None = None, limit: int = 100,
) -> list[Entry]:  # fmt: skip
    """Return at most `limit` entries whose number is greater than `after`, in order of number.

    `older_than` is in days since the record came. The next page begins after the last number of this one.

    Raises:
        NotDone: there is no such kind, or more are asked for than a page holds.
    """
    if kind not in KINDS:
        raise NotDone(sentence("there is no kind {kind!r}; known: {known}.", kind=kind, known=", ".join(KINDS)))
    if not 1 <= limit <= MOST:
        raise NotDone(sentence("a page holds 1 to {most} entries, not {limit}.", most=MOST, limit=limit))
    query = _FLAGGED if kind == "flagged" else _WAITING
    asked: dict[str, Any] = {
        "organ": organ, "source": source, "stream": stream, "rule": rule, "field": field, "days": older_than,
        "kind": kind, "after": after or 0, "limit": limit,
    }  # fmt: skip
    with runtime.engine.connect() as connection:
        found = connection.execute(sa.text(query), asked).mappings().all()
    return [Entry(**{**row, "rules": tuple(row["rules"] or ()), "fields": tuple(row["fields"] or ())}) for row in found]
