"""Posts that came under an idempotency key: what they were answered, kept in the transaction of their batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sharedrepo.staging import stage

Key = tuple[int, bytes]
"""A client's number and the keyed hash of the key that it chose."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A post that was answered: a keyed hash of what was sent, and the answer."""

    key: Key
    body: bytes
    answer: str


def stored(cursor: stage.Cursor, source_system_id: int, keys: Sequence[Key]) -> dict[Key, Stored]:
    """Return those of the keys under which a post of this source was answered."""
    if not keys:
        return {}
    cursor.execute(
        """SELECT p.client_id, p.key_hash, p.body_hash, p.answer FROM ledger.post AS p
           JOIN unnest(%s::integer[], %s::bytea[]) AS k (client_id, key_hash) USING (client_id, key_hash)
           WHERE p.source_system_id = %s""",
        ([client for client, _ in keys], [key for _, key in keys], source_system_id),
    )
    found = [Stored((client, bytes(key)), bytes(body), answer) for client, key, body, answer in cursor.fetchall()]
    return {one.key: one for one in found}


def store(cursor: stage.Cursor, source_system_id: int, batch_id: int, answered: Sequence[Stored]) -> None:
    """Write down what posts are answered."""
    size = len(answered)
    stage.copy(
        cursor,
        "ledger.post",
        {
            "source_system_id": [source_system_id] * size,
            "client_id": [one.key[0] for one in answered],
            "key_hash": stage.bytea([one.key[1] for one in answered]),
            "body_hash": stage.bytea([one.body for one in answered]),
            "batch_id": [batch_id] * size,
            "answer": stage.texts([one.answer for one in answered]),
        },
    )


def forget(cursor: stage.Cursor, days: int) -> None:
    """Take away the answers that are older than so many days."""
    cursor.execute("DELETE FROM ledger.post WHERE recorded_at < now() - make_interval(days => %s)", (days,))
