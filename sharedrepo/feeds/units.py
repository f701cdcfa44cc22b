"""What the repository keeps of delivered units, silent feeds and children that wait too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sharedrepo.staging import stage


def supersede(cursor: stage.Cursor, *, stream_id: int, unit: str, batch_id: int) -> None:
    """Close what an earlier delivery of this unit left open: its held batches and its findings."""
    cursor.execute(
        "UPDATE ledger.batch SET status = 'superseded' WHERE stream_id = %s AND unit = %s AND status = 'held'",
        (stream_id, unit),
    )
    cursor.execute(
        """UPDATE quality.finding SET state = 'closed', closed_by = %s
           WHERE stream_id = %s AND unit = %s AND state = 'open' AND record_id IS NULL AND batch_id < %s""",
        (batch_id, stream_id, unit, batch_id),
    )


def is_held(cursor: stage.Cursor, stream_id: int, unit: str) -> bool:
    """Say whether a delivery of this unit is held or refused now."""
    cursor.execute(
        "SELECT 1 FROM ledger.batch WHERE stream_id = %s AND unit = %s AND status = 'held' LIMIT 1", (stream_id, unit)
    )
    return cursor.fetchone() is not None


def silence(cursor: stage.Cursor, stream_id: int, *, batch_id: int, silent: bool) -> None:
    """Open a finding on a feed that reports success and sends nothing; close it when it speaks again."""
    if not silent:
        cursor.execute(
            """UPDATE quality.finding SET state = 'closed', closed_by = %s
               WHERE stream_id = %s AND rule = 'silent_feed' AND state = 'open'""",
            (batch_id, stream_id),
        )
        return
    cursor.execute(
        """INSERT INTO quality.finding (stream_id, rule, effect, batch_id)
           SELECT %(stream)s, 'silent_feed', 'flag', %(batch)s WHERE NOT EXISTS (
               SELECT FROM quality.finding WHERE stream_id = %(stream)s AND rule = 'silent_feed' AND state = 'open')""",
        {"stream": stream_id, "batch": batch_id},
    )


@dataclass(frozen=True, slots=True)
class Overdue:
    """A parked record that has waited longer than its stream allows."""

    record_id: int
    unit: str | None
    row: int


def overdue_children(cursor: stage.Cursor, stream_id: int, since: datetime) -> list[Overdue]:
    """Read the records of a stream that were parked before `since` and still wait."""
    cursor.execute(
        """SELECT record_id, unit, row FROM ledger.waiting
           WHERE stream_id = %s AND kind = 'parked' AND status = 'open' AND since <= %s ORDER BY record_id""",
        (stream_id, since),
    )
    return [Overdue(*row) for row in cursor.fetchall()]


def first_held(cursor: stage.Cursor, stream_id: int, unit: str) -> int | None:
    """Return the earliest held batch of a unit; None where none is held."""
    cursor.execute(
        """SELECT batch_id FROM ledger.batch WHERE stream_id = %s AND unit = %s AND status = 'held'
           ORDER BY seq LIMIT 1""",
        (stream_id, unit),
    )
    found = cursor.fetchone()
    return None if found is None else int(found[0])


def accepted(cursor: stage.Cursor, batch_id: int, by: int) -> None:
    """Note that a held batch was accepted, and close the findings that held its unit."""
    cursor.execute(
        "UPDATE ledger.batch SET status = 'accepted' WHERE batch_id = %s RETURNING stream_id, unit", (batch_id,)
    )
    found = cursor.fetchone()
    if found is not None:
        cursor.execute(
            """UPDATE quality.finding SET state = 'closed', closed_by = %s
               WHERE stream_id = %s AND unit = %s AND state = 'open' AND record_id IS NULL""",
            (by, *found),
        )
