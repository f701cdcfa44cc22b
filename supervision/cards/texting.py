"""Texts to those whom a card reaches: each recipient of each card is put into the outbox once, in words of its cause.

Names and phones are opened here, in the transaction that queues them, and sealed anew for the outbox; nothing else of a
person is in a text. How they go out is the outbox's affair (`supervision.notices`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from hub.protect import Protector
from hub.templating import day
from hub.workdays import local_day
from supervision.cards.duty.service import CONTEXT
from supervision.notices import store
from supervision.notices.terms import Notice, Recipient

STAGES: Final[Mapping[str | None, str]] = {
    "accept": "受理", "undertake": "承办", "review": "审核", "approve": "批准", "complete": "办结",
}  # fmt: skip
# Who was added is noted by the database until a run that has the keys has queued the text.
_TAKEN: Final = "DELETE FROM supervision.untold RETURNING recipient_id"
_NEW: Final = """
SELECT t.duty_id, t.why, c.card_id, c.number, c.level, c.kind, c.state, c.stage, c.due_at AS feedback, c.moment,
    r.basis ->> 'measure' AS measure, (c.evidence -> 'facts' ->> 'left_days')::int AS left_days,
    (c.evidence -> 'facts' ->> 'due_at')::timestamptz AS due, t.organ, d.sealed,
    coalesce((SELECT g.name FROM core.organ AS g WHERE g.code = t.organ ORDER BY g.valid_from DESC LIMIT 1), t.organ)
        AS organ_name
FROM supervision.card_recipient AS t
JOIN supervision.card AS c ON c.card_id = t.card_id
JOIN supervision.rule AS r ON r.code = c.rule AND r.version = c.rule_version
JOIN supervision.duty AS d ON d.duty_id = t.duty_id
WHERE (CAST(:only AS bigint[]) IS NULL OR t.recipient_id = ANY (:only))
  AND c.ended_at IS NULL AND c.contradicted_at IS NULL AND (t.why = 'feed_owner') = (c.state = 'held') AND NOT EXISTS (
    SELECT FROM supervision.notice AS n
    WHERE n.subject = CASE WHEN t.why = 'feed_owner' THEN 'held:' ELSE 'card:' END || c.number
      AND n.recipient = 'duty:' || t.duty_id)
ORDER BY c.card_id, t.recipient_id
"""


def queue(connection: sa.Connection, protector: Protector, *, now: datetime, full: bool = True) -> int:
    """Queue a text for each recipient of an open card that has none yet; return how many are new.

    Without `full` only those are looked at who were added since the last time.
    """
    added = list(connection.execute(sa.text(_TAKEN)).scalars())
    if not full and not added:
        return 0
    rows = connection.execute(sa.text(_NEW), {"only": None if full else added}).mappings().all()
    return store.enqueue(connection, protector, _notices(protector, [dict(row) for row in rows]), now=now)


def _notices(protector: Protector, rows: list[dict[str, Any]]) -> Iterator[Notice]:
    for row in rows:
        person = protector.reveal(bytes(row["sealed"]), context=CONTEXT)
        held = row["why"] == "feed_owner"
        yield Notice(
            subject=f"{'held' if held else 'card'}:{row['number']}",
            recipient=Recipient(f"duty:{row['duty_id']}", name=person.get("name"), phone=person.get("phone")),
            words=words_of(row), level=row["level"], organ=row["organ"], card_id=row["card_id"],
            put={
                "organ": row["organ_name"], "card": row["number"], "feedback": _day(row["feedback"]),
                "due": _day(row["moment"] if held else row["due"]),
                "stage": STAGES.get(row["stage"], ""), "count": "1",
            },
        )  # fmt: skip


def words_of(card: Mapping[str, Any]) -> str:
    """Return the key of the words that a card's cause is told in."""
    level = str(card["level"])
    if card["why"] == "feed_owner":
        return "feed.late"
    if card["kind"] != "time" or card["measure"] == "uncorrected":
        return f"breach.{level}"
    if card["measure"] not in ("left_days", "used_percent"):
        return f"overdue.{level}" if level != "warning" else "breach.warning"
    if level != "warning":
        return f"near.{level}"
    if card["stage"] is not None:
        return "warning.stage"
    return {0: "warning.today", 1: "warning.tomorrow"}.get(card["left_days"], "warning.near")


def _day(at: datetime | None) -> str:
    return day(None if at is None else local_day(at))
