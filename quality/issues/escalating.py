"""Silence escalates by itself: contact, division head, leader in charge, monthly bulletin; each step is logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from connectors.source import Source
from hub.workdays import ZONE, after, local_day
from quality.issues.recipients import Directory, Recipient
from quality.issues.refreshing import LOCK
from quality.issues.terms import STEP, TOP

_CLIMB = """
UPDATE quality.issue AS i SET level = i.level + 1, climbs_on = CASE WHEN i.level + 1 < :top THEN n.day END
FROM jsonb_to_recordset(CAST(:next AS jsonb)) AS n (severity text, day date)
WHERE n.severity = i.severity AND i.closed_at IS NULL AND i.status IN ('new', 'acknowledged', 'waiting')
  AND i.level < :top AND i.climbs_on < :today
RETURNING i.issue_id, i.code, i.organ, i.owner, i.level, coalesce((
    SELECT ss.code FROM ledger.stream AS s JOIN core.source_system AS ss USING (source_system_id)
    WHERE s.stream_id = i.stream_id), '') AS source
"""

_EVENTS = """
INSERT INTO quality.issue_event (issue_id, at, actor, what, detail)
SELECT n.issue_id, :now, 'hub', 'escalated', n.detail
FROM jsonb_to_recordset(CAST(:steps AS jsonb)) AS n (issue_id bigint, detail jsonb) ORDER BY n.issue_id
"""

_BULLETIN = """
SELECT i.code, i.organ, coalesce(ss.code, '') AS source, coalesce(s.name, '') AS stream, i.rule, i.field, i.severity,
    i.records, i.of_records, i.first_seen, i.due_on, i.status, i.owner, min(e.at) AS reached_at, i.closed_at
FROM quality.issue AS i
JOIN quality.issue_event AS e USING (issue_id)
LEFT JOIN ledger.stream AS s USING (stream_id) LEFT JOIN core.source_system AS ss USING (source_system_id)
WHERE e.what = 'escalated' AND (e.detail ->> 'level')::int = :top AND e.at >= :since AND e.at < :until
GROUP BY i.issue_id, ss.code, s.name ORDER BY i.organ, i.due_on, i.code
"""

_SILENCE = """
SELECT organ, count(*) FILTER (WHERE level = 1) AS contact, count(*) FILTER (WHERE level = 2) AS division_head,
    count(*) FILTER (WHERE level = 3) AS leader, count(*) FILTER (WHERE level = 4) AS bulletin, count(*) AS steps,
    count(DISTINCT code) AS issues
FROM quality.silence_counted WHERE counted AND month = :month GROUP BY organ ORDER BY steps DESC, organ
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of silence: the issue, the level it has climbed to, and who is to be told."""

    code: str
    level: int
    recipient: Recipient


def escalate(engine: sa.Engine, now: datetime, sources: Sequence[Source]) -> list[Step]:
    """Let each silent issue whose day has passed climb one level; log whom that names, and return the steps.

    An issue is silent while it is new, acknowledged or waiting and nobody has done anything since its due date (or
    since the last step) for as many working days as its severity says. Accepted and snoozed ones are not. However long
    nobody ran this, an issue climbs one level a run, and the next one a whole step later: nobody is passed over.
    """
    today, directory = local_day(now), Directory(sources)
    days = [{"severity": name, "day": after(today, count).day.isoformat()} for name, count in STEP.items()]
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        values = {"top": TOP, "today": today, "next": orjson.dumps(days).decode()}
        rows = [dict(row) for row in connection.execute(sa.text(_CLIMB), values).mappings()]
        steps = [Step(row["code"], row["level"], _recipient(directory, row)) for row in rows]
        logged = [
            {"issue_id": row["issue_id"], "detail": {"level": step.level, **step.recipient.as_dict()}}
            for row, step in zip(rows, steps, strict=True)
        ]
        if logged:
            connection.execute(sa.text(_EVENTS), {"now": now, "steps": orjson.dumps(logged).decode()})
    return sorted(steps, key=lambda one: one.code)


def bulletin(engine: sa.Engine, month: date) -> list[dict[str, Any]]:
    """Return the issues that silence brought into the bulletin of a month, closed ones too, by organ."""
    since = datetime(month.year, month.month, 1, tzinfo=ZONE)
    until = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=ZONE)
    with engine.connect() as connection:
        found = connection.execute(sa.text(_BULLETIN), {"top": TOP, "since": since, "until": until})
        return [dict(row) for row in found.mappings()]


def silence(engine: sa.Engine, month: date) -> list[dict[str, Any]]:
    """Return how often each organ's silence reached whom in a month, the most silent first: the appraisal counts it."""
    with engine.connect() as connection:
        found = connection.execute(sa.text(_SILENCE), {"month": f"{month:%Y-%m}"})
        return [dict(row) for row in found.mappings()]


def _recipient(directory: Directory, row: dict[str, Any]) -> Recipient:
    return directory.of(owner=row["owner"], organ=row["organ"], source=row["source"], level=row["level"])
