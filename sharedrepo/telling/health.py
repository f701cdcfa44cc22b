"""What the ledger says about the health of each feed: when it last went through, how late, how much, how bad."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

_QUERY = """
WITH pulls AS (
    SELECT b.*, (b.recorded_at AT TIME ZONE :zone)::date AS day FROM ledger.batch AS b
    WHERE b.kind = 'pull' AND b.recorded_at > least(
        CAST(:now AS timestamptz) - interval '7 days',
        (SELECT min(day) FROM unnest(CAST(:like AS date[])) AS l (day))::timestamp AT TIME ZONE :zone)
),
daily AS (SELECT stream_id, day, sum(new + updated + deleted) AS volume FROM pulls GROUP BY stream_id, day),
today AS (SELECT (CAST(:now AS timestamptz) AT TIME ZONE :zone)::date AS day)
SELECT ss.code AS source, s.name AS stream, s.last_success_at, s.complete_through, s.complete_basis,
    (SELECT extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY p.recorded_at - p.newest_report))
     FROM pulls AS p WHERE p.stream_id = s.stream_id AND p.newest_report IS NOT NULL
        AND p.recorded_at > CAST(:now AS timestamptz) - interval '7 days') AS lag_seconds,
    coalesce((SELECT volume FROM daily WHERE stream_id = s.stream_id AND day = (SELECT day FROM today)), 0) AS volume,
    (SELECT avg(d.volume) FROM daily AS d WHERE d.stream_id = s.stream_id AND d.day = ANY(CAST(:like AS date[]))
    ) AS usual_volume,
    (SELECT sum(p.quarantined)::float / nullif(sum(p.read), 0) FROM pulls AS p WHERE p.stream_id = s.stream_id
        AND p.recorded_at > CAST(:now AS timestamptz) - interval '7 days') AS error_rate,
    (SELECT count(*) FROM ledger.batch AS b WHERE b.stream_id = s.stream_id AND b.status = 'held') AS held,
    (SELECT count(*) FROM ledger.receipt AS r WHERE r.stream_id = s.stream_id) AS receipts_owed,
    (SELECT max(e.number) FROM ledger.envelope AS e WHERE e.stream_id = s.stream_id) AS envelope_last,
    (SELECT g.detail ->> 'missing' FROM quality.finding AS g
     WHERE g.stream_id = s.stream_id AND g.rule = 'envelope_gap' AND g.state = 'open') AS envelope_missing,
    EXISTS (SELECT FROM quality.finding AS f
            WHERE f.stream_id = s.stream_id AND f.rule = 'silent_feed' AND f.state = 'open') AS silent
FROM ledger.stream AS s JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
WHERE ss.code = ANY(:sources)
ORDER BY ss.code, s.stream_id
"""

_PLACE = """
FROM ledger.stream AS s JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
"""

_WAITING = f"""
SELECT ss.code AS source, s.name AS stream, k.kind, count(w.waiting_id) AS records {_PLACE}
CROSS JOIN (VALUES ('quarantined'), ('parked')) AS k (kind)
LEFT JOIN ledger.waiting AS w ON w.stream_id = s.stream_id AND w.kind = k.kind AND w.status = 'open'
GROUP BY ss.code, s.stream_id, s.name, k.kind ORDER BY ss.code, s.stream_id, k.kind DESC
"""

_OPEN_FINDINGS = f"""
SELECT ss.code AS source, s.name AS stream, f.rule, f.effect, count(*) AS findings {_PLACE}
JOIN quality.finding AS f ON f.stream_id = s.stream_id AND f.state = 'open'
GROUP BY ss.code, s.stream_id, s.name, f.rule, f.effect ORDER BY ss.code, s.stream_id, f.rule, f.effect
"""


def feeds(
    engine: sa.Engine, *, now: datetime, zone: str, sources: Sequence[str], like: Sequence[date]
) -> list[dict[str, Any]]:
    """Return the facts of each stream of these sources that was ever opened; days are those of `zone`.

    `lag_seconds` is the median, over a week's pulls, of the time from the newest record's report to its commit;
    `volume` counts what changed today, `usual_volume` the average of the days `like` today on which it was pulled;
    `error_rate` is the share of the records read in a week that were refused. Each is None where nothing is known.
    """
    rows = _rows(engine, _QUERY, now=now, zone=zone, sources=list(sources), like=list(like))
    for row in rows:
        row |= {name: None if row[name] is None else float(row[name]) for name in ("lag_seconds", "usual_volume")}
        row["volume"] = int(row["volume"])
    return rows


def waiting(engine: sa.Engine) -> list[dict[str, Any]]:
    """Count the records of each stream that wait: `quarantined` and `parked` ones, none of them too."""
    return _rows(engine, _WAITING)


def open_findings(engine: sa.Engine) -> list[dict[str, Any]]:
    """Count the open findings of each stream by rule and effect."""
    return _rows(engine, _OPEN_FINDINGS)


def _rows(engine: sa.Engine, query: str, **values: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]
