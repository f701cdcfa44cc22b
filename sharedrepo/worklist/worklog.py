"""The log of what people did with records, and their proposals, as a rebuild writes them again; only added to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sharedrepo.staging import stage

_COLUMNS = "at, actor, what, stream_id, waiting_id, record_id, correction_id, reason, detail"
_MARKS = "%s, %s, %s, %s, %s, %s, %s, %s, %s"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A correction as a person proposed it: the new values by JSON pointer, and the hash of the record then."""

    changes: Mapping[str, Any]
    base_hash: bytes
    proposed_at: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """What a deed's record is called outside this repository: nothing of it where the deed was on no single record."""

    source: str | None = None
    stream: str | None = None
    key: str | None = None
    received: bytes | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of a deed's record in this repository; None where it is not there."""

    stream_id: int | None = None
    record_id: int | None = None
    waiting_id: int | None = None


def add(cursor: stage.Cursor, row: tuple[Any, ...]) -> None:
    """Add a line to the log: its values in the order of the columns."""
    cursor.execute(f"INSERT INTO quality.work_log ({_COLUMNS}) VALUES ({_MARKS})", row)


def named(cursor: stage.Cursor, *, stream_id: int | None, record_id: int | None, waiting_id: int | None) -> Named:
    """Return what a deed's record is called."""
    cursor.execute(
        """SELECT ss.code, s.name, r.source_key, coalesce(w.received_hash, r.received_hash)
           FROM (SELECT %(stream)s::int AS stream_id, %(record)s::bigint AS record_id,
                        %(waiting)s::bigint AS waiting_id) AS d
           JOIN ledger.stream AS s USING (stream_id) JOIN core.source_system AS ss USING (source_system_id)
           LEFT JOIN ledger.source_record AS r ON r.record_id = d.record_id
           LEFT JOIN ledger.waiting AS w ON w.waiting_id = d.waiting_id""",
        {"stream": stream_id, "record": record_id, "waiting": waiting_id},
    )
    row = cursor.fetchone()
    return Named() if row is None else Named(row[0], row[1], row[2], None if row[3] is None else bytes(row[3]))


def find(
    cursor: stage.Cursor, *, source: str, stream: str | None, key: str | None, received: bytes | None, waits: bool
) -> Found:
    """Return the numbers that a deed's record has here."""
    cursor.execute(
        """SELECT s.stream_id, r.record_id, w.waiting_id
           FROM ledger.stream AS s JOIN core.source_system AS ss USING (source_system_id)
           LEFT JOIN ledger.source_record AS r ON r.stream_id = s.stream_id AND r.source_key = %(key)s
           LEFT JOIN LATERAL (
               SELECT max(waiting_id) AS waiting_id FROM ledger.waiting
               WHERE %(waits)s AND record_id = r.record_id AND received_hash = %(received)s) AS w ON TRUE
           WHERE ss.code = %(source)s AND s.name = %(stream)s""",
        {"source": source, "stream": stream, "key": key, "received": received, "waits": waits},
    )
    row = cursor.fetchone()
    return Found() if row is None else Found(*row)


def propose_again(
    cursor: stage.Cursor, found: Found, *, received: bytes, base_hash: bytes, fields: Sequence[str], sealed: bytes,
    reason: str, actor: str, at: datetime,
) -> int:  # fmt: skip
    """Write a proposal again; where it was applied, the archived batch has brought it already. Return its number."""
    cursor.execute(
        """SELECT correction_id FROM quality.correction
           WHERE record_id = %s AND proposed_by = %s AND proposed_at = %s ORDER BY 1 LIMIT 1""",
        (found.record_id, actor, at),
    )
    row = cursor.fetchone()
    if row is not None:
        return int(row[0])
    cursor.execute(
        """INSERT INTO quality.correction (stream_id, record_id, waiting_id, received_hash, base_hash, fields, sealed,
                                           reason, proposed_by, proposed_at)
           VALUES (%s, %s, %s, %s, %s, %s::text[], %s, %s, %s, %s) RETURNING correction_id""",
        (found.stream_id, found.record_id, found.waiting_id, received, base_hash, list(fields), sealed, reason, actor,
         at),
    )  # fmt: skip
    return int(stage.scalar(cursor))


def reject_again(cursor: stage.Cursor, correction_id: int, *, actor: str, at: datetime, reason: str | None) -> None:
    """Turn a proposal down as it was."""
    cursor.execute(
        """UPDATE quality.correction SET status = 'rejected', decided_by = %s, decided_at = %s, decision = %s
           WHERE correction_id = %s AND status = 'proposed'""",
        (actor, at, reason, correction_id),
    )


def settle(cursor: stage.Cursor) -> None:
    """Let proposals lapse whose record has moved on, as they would have at their approval."""
    cursor.execute(
        """UPDATE quality.correction AS c SET status = 'lapsed'
           WHERE c.status = 'proposed' AND (
               NOT EXISTS (
                   SELECT FROM ledger.waiting AS w
                   WHERE w.waiting_id = c.waiting_id AND w.status = 'open' AND w.received_hash = c.received_hash
                   UNION ALL
                   SELECT FROM ledger.source_record AS r
                   WHERE c.waiting_id IS NULL AND r.record_id = c.record_id AND r.state = 'kept'
                     AND r.received_hash = c.received_hash)
               OR EXISTS (
                   SELECT FROM quality.correction AS other
                   WHERE other.record_id = c.record_id AND other.status = 'applied'
                     AND other.decided_at > c.proposed_at))"""
    )
