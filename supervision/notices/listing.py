"""The log of notices as people read it: phones and names masked, nothing of a gateway's words."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from supervision.notices.errors import NoticeRefused

OPEN = ("waiting", "sending", "doubtful", "undelivered", "given_up")
"""States that somebody may have to look at."""
_LIST = """
SELECT notice_id, card_id, subject, organ, level, channel, name_mask AS name, phone_mask AS phone, said, state, tries,
    fault, gateway, gateway_number, made_at, next_at, until, sent_at, ended_at
FROM supervision.notice WHERE (CAST(:states AS text[]) IS NULL OR state = ANY (:states))
    AND (CAST(:card AS bigint) IS NULL OR card_id = :card)
ORDER BY notice_id DESC LIMIT :limit
"""
_DEEDS = """SELECT at, what, detail, who FROM supervision.notice_deed WHERE notice_id = :id ORDER BY deed_id"""
_COUNTS = "SELECT state, count(*) FROM supervision.notice GROUP BY state ORDER BY state"


def listed(
    engine: sa.Engine, *, states: tuple[str, ...] | None = OPEN, card: int | None = None, limit: int = 1_000
) -> list[dict[str, Any]]:
    """Return notices, the newest first; `states` None returns all."""
    asked = {"states": None if states is None else list(states), "card": card, "limit": limit}
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(_LIST), asked).mappings()]


def counts(engine: sa.Engine) -> dict[str, int]:
    """Return how many notices there are of each state."""
    with engine.connect() as connection:
        return {str(state): int(count) for state, count in connection.execute(sa.text(_COUNTS))}


def deeds(engine: sa.Engine, number: int) -> list[dict[str, Any]]:
    """Return every line of the log of one notice, in order.

    Raises:
        NoticeRefused: there is no notice of this number.
    """
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.text(_DEEDS), {"id": number}).mappings()]
    if not rows:
        raise NoticeRefused(f"there is no notice {number}. See `hub supervise notices list --all`.")
    return rows
