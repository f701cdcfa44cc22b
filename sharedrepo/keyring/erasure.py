"""What the repository lets go when a month's data keys are destroyed: the payloads that they lock, and what waits."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sharedrepo.archive.datakeys import month_prefixes
from sharedrepo.feeds import streams
from sharedrepo.staging import stage
from sharedrepo.writing import load


class Erased(NamedTuple):
    """What an erasure let go of one stream: payloads, and the waiting records among them."""

    payloads: int
    records: int


def sources(cursor: stage.Cursor) -> list[str]:
    """Return the codes of all sources that were ever pulled, in order."""
    cursor.execute("SELECT code FROM core.source_system ORDER BY code")
    return [str(code) for (code,) in cursor.fetchall()]


def source_number(cursor: stage.Cursor, source: str) -> int | None:
    """Return the number of a source that was pulled before; None where there is none of this code."""
    cursor.execute("SELECT source_system_id FROM core.source_system WHERE code = %s", (source,))
    found = cursor.fetchone()
    return None if found is None else int(found[0])


def let_go(cursor: stage.Cursor, *, source: int, month: str, reason: str, at: datetime) -> list[Erased]:
    """Empty the payloads that this month's keys lock; records that wait under them wait no longer.

    Such a record counts as excluded, its findings are closed and lose their raw values. Each stream gets a batch
    without records that bears the reason.
    """
    prefixes = month_prefixes(month)
    cursor.execute(
        """SELECT DISTINCT w.stream_id FROM ledger.waiting AS w JOIN ledger.stream AS s USING (stream_id)
           WHERE s.source_system_id = %s AND substr(w.payload, 1, %s) = ANY(%s) ORDER BY 1""",
        (source, len(prefixes[0]), prefixes),
    )
    found = [int(stream) for (stream,) in cursor.fetchall()]
    # What a correction changed is locked like what waits; one that nobody decided on cannot be applied any more.
    cursor.execute(
        """UPDATE quality.correction AS c SET sealed = NULL,
                  status = CASE WHEN c.status = 'proposed' THEN 'lapsed' ELSE c.status END
           FROM ledger.stream AS s WHERE s.stream_id = c.stream_id AND s.source_system_id = %s
             AND substr(c.sealed, 1, %s) = ANY(%s)""",
        (source, len(prefixes[0]), prefixes),
    )
    return [_stream(cursor, source, stream, prefixes, reason, at) for stream in found]


def _stream(cursor: stage.Cursor, source: int, stream: int, prefixes: list[bytes], reason: str, at: datetime) -> Erased:
    batch = load.next_batch(cursor)
    cursor.execute(
        """WITH emptied AS (
               UPDATE ledger.waiting SET payload = NULL, mend = NULL WHERE stream_id = %(stream)s
               AND substr(payload, 1, %(length)s) = ANY(%(prefixes)s) RETURNING waiting_id, record_id, status
           ), bare AS (
               UPDATE quality.finding SET sealed = NULL WHERE record_id IN (SELECT record_id FROM emptied)
               AND state <> 'open'
           )
           SELECT count(*), coalesce(array_agg(waiting_id) FILTER (WHERE status = 'open'), '{}') FROM emptied""",
        {"stream": stream, "length": len(prefixes[0]), "prefixes": prefixes},
    )
    payloads, ended = cursor.fetchone() or (0, [])
    cursor.execute(
        """WITH ended AS (
               UPDATE ledger.waiting SET status = 'erased', closed_by = %(batch)s WHERE waiting_id = ANY(%(ended)s)
               RETURNING record_id
           ), gone AS (
               SELECT DISTINCT record_id FROM ended WHERE NOT EXISTS (
                   SELECT FROM ledger.waiting AS other WHERE other.record_id = ended.record_id
                   AND other.status = 'open' AND other.waiting_id <> ALL(%(ended)s))
           ), moved AS (
               UPDATE ledger.source_record SET state = 'excluded'
               WHERE record_id IN (SELECT record_id FROM gone) AND state IN ('quarantined', 'parked')
               RETURNING record_id
           ), closed AS (
               UPDATE quality.finding SET state = 'closed', closed_by = %(batch)s, sealed = NULL
               WHERE record_id IN (SELECT record_id FROM gone) AND state = 'open'
               AND (effect = 'refuse' OR waits OR record_id IN (SELECT record_id FROM moved))
           )
           SELECT count(*) FROM gone""",
        {"batch": batch, "ended": ended},
    )
    records = int(stage.scalar(cursor))
    job = load.Job(
        source_system_id=source, stream_id=stream, kind="erasure", mapping_version="", read_at=at, zone="UTC",
        five_stages=False, case_rules={}, reason=reason,
    )  # fmt: skip
    seq = streams.next_seq(cursor, source)
    load.register(cursor, job, load.Loaded(batch, 0), seq=seq, unit=None, archive_key=None)
    return Erased(payloads, records)
