"""What the ledger says about the health of each feed: when it last went through, how late, how much, how bad."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

WEEKS = 8
"""So many weeks back the same weekday is looked at to know what is usual."""

_QUERY = """
WITH pulls AS (
    SELECT b.*, (b.recorded_at AT TIME ZONE :zone)::date AS day FROM ledger.batch AS b
    WHERE b.kind = 'pull' AND b.recorded_at > CAST(:now AS timestamptz) - make_interval(weeks => :weeks)
),
daily AS (SELECT stream_id, day, sum(new + updated + deleted) AS volume FROM pulls GROUP BY stream_id, day),
today AS (SELECT (CAST(:now AS timestamptz) AT TIME ZONE :zone)::date AS day)
SELECT ss.code AS source, s.name AS stream, s.last_success_at, s.complete_through, s.complete_basis,
    (SELECT extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY p.recorded_at - p.newest_report))
     FROM pulls AS p WHERE p.stream_id = s.stream_id AND p.newest_report IS NOT NULL
        AND p.recorded_at > CAST(:now AS timestamptz) - interval '7 days') AS lag_seconds,
    coalesce((SELECT volume FROM daily WHERE stream_id = s.stream_id AND day = (SELECT day FROM today)), 0) AS volume,
    (SELECT avg(d.volume) FROM daily AS d, today AS t
     WHERE d.stream_id = s.stream_id AND d.day < t.day AND extract(isodow FROM d.day) = extract(isodow FROM t.day)
    ) AS usual_volume,
    (SELECT sum(p.quarantined)::float / nullif(sum(p.read), 0) FROM pulls AS p WHERE p.stream_id = s.stream_id
        AND p.recorded_at > CAST(:now AS timestamptz) - interval '7 days') AS error_rate,
    (SELECT count(*) FROM ledger.batch AS b WHERE b.stream_id = s.stream_id AND b.status = 'held') AS held,
    (SELECT count(*) FROM ledger.receipt AS r WHERE r.stream_id = s.stream_id) AS receipts_owed,
    EXISTS (SELECT FROM quality.finding AS f
            WHERE f.stream_id = s.stream_id AND f.rule = 'silent_feed' AND f.state = 'open') AS silent
FROM ledger.stream AS s JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
WHERE CAST(:source AS text) IS NULL OR ss.code = :source
ORDER BY ss.code, s.stream_id
"""


def feeds(engine: sa.Engine, *, now: datetime, zone: str, source: str | None = None) -> list[dict[str, Any]]:
    """Return the facts of each stream that was ever opened; days are those of `zone`.

    `lag_seconds` is the median, over a week's pulls, of the time from the newest record's report to its commit;
    `volume` counts what changed today, `usual_volume` the average of the same weekday; `error_rate` is the share of
    the records read in a week that were refused. Each is None where nothing is known.
    """
    values = {"now": now, "zone": zone, "weeks": WEEKS, "source": source}
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.text(_QUERY), values).mappings()]
    for row in rows:
        row |= {name: None if row[name] is None else float(row[name]) for name in ("lag_seconds", "usual_volume")}
        row["volume"] = int(row["volume"])
    return rows
