"""Corrections of records by hand, as the repository keeps them: proposed, decided on, and how they lapse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sharedrepo.staging import stage


@dataclass(frozen=True, slots=True)
class Applied:
    """A correction that a batch applied; `sealed` holds the changed values, locked by the data key of its month."""

    record_id: int
    received: bytes
    fields: tuple[str, ...]
    sealed: bytes
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str
    approved_at: datetime
    correction_id: int | None = None
    """The proposal that it was; None where a rebuild finds it in the archive, or it was approved at once."""
    waiting_id: int | None = None


def lapse(cursor: stage.Cursor, *, batch_id: int, record_ids: Sequence[int]) -> None:
    """Let the corrections of records lapse under which the source's own word stands now."""
    if not record_ids:
        return
    cursor.execute(
        """UPDATE quality.correction SET status = 'lapsed', lapsed_by = %s
           WHERE status IN ('proposed', 'applied') AND record_id = ANY(%s)""",
        (batch_id, list(record_ids)),
    )


def applied(cursor: stage.Cursor, *, stream_id: int, batch_id: int, done: Sequence[Applied]) -> None:
    """Write down corrections that a batch applied; other proposals on the same records lapse."""
    for one in done:
        values = {
            "id": one.correction_id, "stream": stream_id, "record": one.record_id, "received": one.received,
            "fields": list(one.fields), "sealed": one.sealed, "reason": one.reason,
            "proposed_by": one.proposed_by, "proposed_at": one.proposed_at, "approved_by": one.approved_by,
            "approved_at": one.approved_at, "batch": batch_id, "waiting": one.waiting_id,
        }  # fmt: skip
        if one.correction_id is None:
            cursor.execute(
                """INSERT INTO quality.correction
                       (stream_id, record_id, waiting_id, received_hash, base_hash, fields, sealed, reason, status,
                        proposed_by, proposed_at, decided_by, decided_at, batch_id)
                   VALUES (%(stream)s, %(record)s, %(waiting)s, %(received)s, %(received)s, %(fields)s::text[],
                           %(sealed)s, %(reason)s, 'applied', %(proposed_by)s, %(proposed_at)s, %(approved_by)s,
                           %(approved_at)s, %(batch)s)""",
                values,
            )
        else:
            cursor.execute(
                """UPDATE quality.correction
                   SET status = 'applied', record_id = %(record)s, decided_by = %(approved_by)s,
                       decided_at = %(approved_at)s, batch_id = %(batch)s
                   WHERE correction_id = %(id)s""",
                values,
            )
        cursor.execute(
            """UPDATE quality.correction SET status = 'lapsed', lapsed_by = %(batch)s
               WHERE record_id = %(record)s AND status = 'proposed'""",
            values,
        )
