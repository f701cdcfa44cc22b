"""Writes the scores of a day: set-based, one transaction, the same day again replaces itself."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from hub.findings import RULES
from quality import places
from quality.issues.refreshing import alone
from sharedrepo.models import TABLES

_DIRTY = """
CREATE TEMP TABLE dirty ON COMMIT DROP AS
SELECT DISTINCT f.record_id, coalesce(r.dimension, 'valid') AS dimension
FROM quality.finding AS f
LEFT JOIN unnest(CAST(:rules AS text[]), CAST(:dimensions AS text[])) AS r (rule, dimension) ON r.rule = f.rule
WHERE f.state = 'open' AND f.record_id IS NOT NULL
"""

_SCORES = """
INSERT INTO quality.score (organ, day, stream_id, document, dimension, clean, records)
WITH place AS ({placed}),
total AS (SELECT organ, stream_id, document, count(*) AS records FROM place GROUP BY 1, 2, 3),
bad AS (
    SELECT p.organ, p.stream_id, p.document, coalesce(d.dimension, '') AS dimension,
        count(DISTINCT p.record_id) AS records
    FROM place AS p JOIN dirty AS d USING (record_id)
    GROUP BY GROUPING SETS ((p.organ, p.stream_id, p.document, d.dimension), (p.organ, p.stream_id, p.document)))
SELECT t.organ, :day, t.stream_id, t.document, k.dimension, t.records - coalesce(b.records, 0), t.records
FROM total AS t
CROSS JOIN unnest(CAST(:every AS text[])) AS k (dimension)
LEFT JOIN bad AS b USING (organ, stream_id, document, dimension)
ORDER BY 1, 3, 4, 5
"""

_DAILY = """
INSERT INTO quality.daily (organ, day, stream_id, rule, field, records)
SELECT organ, :day, stream_id, rule, field, records FROM quality.issue WHERE closed_at IS NULL ORDER BY 1, 3, 4, 5
"""


def record_day(engine: sa.Engine, day: date) -> int:
    """Write down how clean each organ's data is at the end of a day; return the number of scores written.

    For each organ, stream, document and dimension:

        score = clean ÷ records

    `records` (denominator) are the records alive: kept, quarantined or parked, of the organ that answers for them;
    deleted and excluded ones do not count. `clean` (numerator) are those of them without an open finding of that
    dimension; where the dimension is empty, without any open finding. Where the document is empty every record counts
    once; else those that gave a row of that document, so that refused records stand only in the former. Findings on a
    whole delivery, feed or set are no record's: they stand beside the score as issues and do not lower it.

    The open issues' counts are written beside the scores (`quality.daily`). A day that is written again is replaced.
    """
    dimensions = list(dict.fromkeys(one.dimension for one in RULES.values()))
    with engine.begin() as connection:
        alone(connection)
        places.gather(connection)
        connection.execute(
            sa.text(_DIRTY), {"rules": list(RULES), "dimensions": [one.dimension for one in RULES.values()]}
        )
        connection.exec_driver_sql("ANALYZE dirty")
        for table in ("score", "daily"):
            connection.execute(sa.text(f"DELETE FROM quality.{table} WHERE day = :day"), {"day": day})
        done = connection.execute(
            sa.text(_SCORES.format(placed=_placed())), {"day": day, "every": ["", *dimensions]}
        )  # fmt: skip
        connection.execute(sa.text(_DAILY), {"day": day})
    return done.rowcount


def _placed() -> str:
    """Return the query of every record alive with its organ: once as a record, and once for each document it gave."""
    parts = ["SELECT organ, stream_id, '' AS document, record_id FROM record_place"]
    parts += [
        f"""SELECT p.organ, p.stream_id, '{name}', t.record_id
            FROM (SELECT DISTINCT record_id FROM core.{name}) AS t JOIN record_place AS p USING (record_id)"""
        for name in TABLES
    ]
    return " UNION ALL ".join(parts)
