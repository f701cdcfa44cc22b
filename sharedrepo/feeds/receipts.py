"""Receipts that are owed to sources: written in the batch's transaction, taken away when the source has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from hub.findings import Finding
from sharedrepo.staging import stage

AT_ONCE = 10_000
"""So many receipts are handed over at a time."""
_BYTES_AT_ONCE = 8 << 20
"""The receipt of a whole delivery may tell of a thousand records: after a long outage many of them are owed."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One receipt that a source has not had yet; `errors` are sentences, each with the way to mend the record.

    The receipt of a whole enveloped delivery says all in `envelope`; its token is the delivery's name.
    """

    token: str
    outcome: str
    errors: tuple[str, ...] = ()
    receipt_id: int = 0
    envelope: Mapping[str, Any] | None = None


def owe(cursor: stage.Cursor, *, stream_id: int, batch_id: int, receipts: Sequence[Owed]) -> None:
    """Write the receipts of a batch."""
    size = len(receipts)
    stage.copy(
        cursor,
        "ledger.receipt",
        {
            "stream_id": [stream_id] * size,
            "batch_id": [batch_id] * size,
            "token": stage.texts([one.token for one in receipts]),
            "outcome": stage.texts([one.outcome for one in receipts]),
            "errors": stage.texts([_array(one.errors) for one in receipts]),
            "envelope": stage.texts(
                [None if one.envelope is None else orjson.dumps(dict(one.envelope)).decode() for one in receipts]
            ),
        },
    )


def any_refused(cursor: stage.Cursor, stream_id: int) -> bool:
    """Say whether any record of a stream waits in quarantine."""
    cursor.execute(
        "SELECT EXISTS (SELECT FROM ledger.waiting WHERE stream_id = %s AND status = 'open' AND kind = 'quarantined')",
        (stream_id,),
    )
    return bool(stage.scalar(cursor))


def refused(cursor: stage.Cursor, stream_id: int, received: Sequence[bytes]) -> dict[bytes, list[Finding]]:
    """Return those of the hashes as received under which a record waits in quarantine, with what is open on it."""
    cursor.execute(
        """SELECT DISTINCT w.received_hash, f.rule, f.field, f.pointer, f.effect
           FROM ledger.waiting AS w
           LEFT JOIN quality.finding AS f ON f.record_id = w.record_id AND f.state = 'open' AND f.waits
           WHERE w.stream_id = %s AND w.status = 'open' AND w.kind = 'quarantined' AND w.received_hash = ANY(%s)
           ORDER BY f.effect DESC, f.rule, f.pointer""",
        (stream_id, list(received)),
    )
    found: dict[bytes, list[Finding]] = {}
    for mark, rule, field, pointer, effect in cursor.fetchall():
        told = found.setdefault(bytes(mark), [])
        if rule is not None:
            told.append(Finding(0, rule, field=field, pointer=pointer, refuse=effect == "refuse"))
    return found


def owed(cursor: stage.Cursor, stream_id: int) -> list[Owed]:
    """Return the oldest receipts that are owed: at most `AT_ONCE`, and of whole deliveries no more than fit."""
    cursor.execute(
        """SELECT token, outcome, errors, receipt_id, envelope FROM (
               SELECT *, sum(coalesce(octet_length(envelope::text), 0)) OVER (ORDER BY receipt_id)
                   - coalesce(octet_length(envelope::text), 0) AS before
               FROM (SELECT * FROM ledger.receipt WHERE stream_id = %s ORDER BY receipt_id LIMIT %s) AS oldest) AS fit
           WHERE before < %s ORDER BY receipt_id""",
        (stream_id, AT_ONCE, _BYTES_AT_ONCE),
    )
    return [Owed(one[0], one[1], tuple(one[2]), *one[3:]) for one in cursor.fetchall()]


def confirm(cursor: stage.Cursor, receipts: Sequence[Owed]) -> None:
    """Take away the receipts that the source has."""
    cursor.execute("DELETE FROM ledger.receipt WHERE receipt_id = ANY(%s)", ([one.receipt_id for one in receipts],))


def _array(texts: Sequence[str]) -> str:
    """Write texts as PostgreSQL reads an array."""
    quoted = ('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts)
    return "{" + ",".join(quoted) + "}"
