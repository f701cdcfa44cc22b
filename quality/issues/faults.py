"""What is wrong now, as a set: one row a fault of an organ's stream, from findings, sets, feeds and supervision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
import sqlalchemy as sa

from sharedrepo.models.quality import NO_STREAM

_FAULTS = """
CREATE TEMP TABLE fault ON COMMIT DROP AS
WITH shown AS (
    SELECT coalesce(p.organ, ss.organ, '') AS organ, f.stream_id, f.rule, coalesce(f.field, '') AS field,
        count(DISTINCT f.record_id) + coalesce(sum(coalesce(f.seen, 1)) FILTER (WHERE f.record_id IS NULL), 0)
            AS records,
        NULL::bigint AS elements,
        min(b.recorded_at) AS first_seen,
        max(greatest(b.recorded_at, l.recorded_at, s.last_success_at)) AS last_seen
    FROM quality.finding AS f
    JOIN ledger.stream AS s ON s.stream_id = f.stream_id
    JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
    LEFT JOIN record_place AS p ON p.record_id = f.record_id
    LEFT JOIN ledger.batch AS b ON b.batch_id = f.batch_id
    LEFT JOIN ledger.batch AS l ON l.batch_id = f.last_batch_id
    WHERE f.state = 'open'
    GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT organ, stream_id, rule, field, sum(unexpected), max(elements), min(at), max(at)
    FROM quality.set_result WHERE latest AND NOT success GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT w.organ, s.stream_id, w.rule, '', 1, NULL, w.since, w.since
    FROM jsonb_to_recordset(CAST(:feeds AS jsonb))
        AS w (source text, stream text, organ text, rule text, since timestamptz)
    JOIN core.source_system AS ss ON ss.code = w.source
    JOIN ledger.stream AS s ON s.source_system_id = ss.source_system_id AND s.name = w.stream
    WHERE w.rule IS NOT NULL
    UNION ALL
    SELECT h.organ, :no_stream, h.rule, '', h.records, h.of_records, h.since, l.at
    FROM quality.handed_fault AS h JOIN quality.handed_look AS l USING (rule)
),
alive AS (SELECT organ, stream_id, count(*) AS records FROM record_place GROUP BY 1, 2)
SELECT t.organ, t.stream_id, t.rule, t.field, sum(t.records)::bigint AS records,
    coalesce(max(t.elements), max(a.records), 0)::bigint AS of_records,
    coalesce(min(t.first_seen), :now) AS first_seen, coalesce(max(t.last_seen), :now) AS last_seen
FROM shown AS t LEFT JOIN alive AS a ON a.organ = t.organ AND a.stream_id = t.stream_id
GROUP BY t.organ, t.stream_id, t.rule, t.field
"""


@dataclass(frozen=True, slots=True)
class FeedFault:
    """What the clock says of one feed that was looked at: a rule that it breaks, or None where it is well."""

    source: str
    stream: str
    organ: str
    rule: str | None
    since: datetime


def gather(connection: sa.Connection, now: datetime, feeds: Sequence[FeedFault]) -> None:
    """Make the transaction's table `fault`; `record_place` (see `quality.places`) is there already.

    A record counts once in a fault, however many of its places show it; a finding on a whole delivery counts as one, a
    change of shape by the records that showed it, an expectation by the elements that broke it. What supervision hands
    over (`sharedrepo.writing.handed`) is of no stream and counts as it says.
    """
    said = orjson.dumps([_plain(one) for one in feeds if one.rule is not None]).decode()
    connection.execute(sa.text(_FAULTS), {"now": now, "feeds": said, "no_stream": NO_STREAM})


def _plain(one: FeedFault) -> dict[str, str | None]:
    return {
        "source": one.source, "stream": one.stream, "organ": one.organ, "rule": one.rule,
        "since": one.since.isoformat(),
    }  # fmt: skip
