"""Cards as people and programs read them: lists, one card with its whole life, and who reaches nobody."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from supervision.cards import evidence
from supervision.cards.errors import NoSuchCard

MOST: Final = 1_000
"""Cards that one page of a list holds at most."""

_LIST: Final = """
SELECT c.card_id AS id, c.number, c.level, c.kind, c.rule, c.rule_version, c.state, c.organ, c.region, c.item_code,
    a.case_number AS "case", c.stage, c.round, c.clock, c.raised_at, c.sent_at, c.due_at, c.ended_at,
    c.state = 'sent' AND c.due_at < supervision.instant() AS unanswered, c.contradicted_at,
    (SELECT count(*) FROM supervision.card_recipient AS t WHERE t.card_id = c.card_id AND t.why <> 'feed_owner')
        AS recipients
FROM supervision.card AS c LEFT JOIN core.approval_case AS a ON a.record_id = c.case_id
WHERE (CAST(:organ AS text) IS NULL OR c.organ = :organ) AND (CAST(:level AS text) IS NULL OR c.level = :level)
  AND (CAST(:state AS text) IS NULL OR c.state = :state) AND (CAST(:rule AS text) IS NULL OR c.rule = :rule)
  AND (CAST(:case AS text) IS NULL OR a.case_number = :case) AND (:ended OR c.ended_at IS NULL)
  AND (NOT :own OR c.sent_at IS NOT NULL)
  AND (NOT :contradicted OR c.contradicted_at IS NOT NULL)
  AND (NOT :unaddressed OR c.card_id IN (SELECT card_id FROM supervision.card_unaddressed))
  AND c.card_id > :after
ORDER BY {order} LIMIT :limit
"""
_BY_GRAVITY: Final = (
    "c.ended_at IS NOT NULL, array_position(ARRAY['red', 'yellow', 'warning'], c.level), c.due_at, c.card_id"
)


def listed(
    connection: sa.Connection, *, organ: str | None = None, level: str | None = None, state: str | None = None,
    rule: str | None = None, case: str | None = None, ended: bool = False, contradicted: bool = False,
    unaddressed: bool = False, own: bool = False, after: int | None = None, limit: int = MOST,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return cards, the gravest first and then by when feedback is due; with `after` in order of their ids.

    `ended` takes in those that are upheld, withdrawn or lapsed; `own` leaves out what was never sent.
    """
    query = _LIST.format(order=_BY_GRAVITY if after is None else "c.card_id")
    values = {
        "organ": organ, "level": level, "state": state, "rule": rule, "case": case, "own": own,
        "ended": ended or state in ("upheld", "withdrawn", "lapsed"), "contradicted": contradicted,
        "unaddressed": unaddressed, "after": after or 0, "limit": min(limit, MOST),
    }  # fmt: skip
    return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]


def counts(connection: sa.Connection) -> dict[str, dict[str, int]]:
    """Return how many cards of each level stand in which state."""
    found: dict[str, dict[str, int]] = {level: {} for level in ("warning", "yellow", "red")}
    rows = connection.execute(
        sa.text("SELECT level, state, count(*) FROM supervision.card GROUP BY 1, 2 ORDER BY 1, 2")
    )
    for level, state, count in rows:
        found[level][state] = count
    return found


def found(connection: sa.Connection, number: str, *, organ: str | None = None) -> dict[str, Any]:
    """Return one card with its evidence, seal, deeds, recipients, withdrawals and orders.

    Raises:
        NoSuchCard: there is none of this number, or it is not of this organ.
    """
    query = """SELECT c.*, a.case_number AS "case", (
                   SELECT o.name FROM core.organ AS o WHERE o.code = c.organ ORDER BY o.valid_from DESC LIMIT 1)
                   AS organ_name, r.title_zh, r.title_en, r.source_zh, r.source_en, r.feedback_days
               FROM supervision.card AS c LEFT JOIN core.approval_case AS a ON a.record_id = c.case_id
               JOIN supervision.rule AS r ON r.code = c.rule AND r.version = c.rule_version
               WHERE c.number = :number
                 AND (CAST(:organ AS text) IS NULL OR (c.organ = :organ AND c.sent_at IS NOT NULL))"""
    said = {"number": number[:40].replace("\0", ""), "organ": organ}
    row = connection.execute(sa.text(query), said).mappings().first()
    if row is None:
        raise NoSuchCard(number)
    card = dict(row)
    return {
        **card,
        "deeds": _rows(connection, """SELECT at, actor, what, reason, ground, detail FROM supervision.card_deed
                                      WHERE card_id = :card ORDER BY deed_id""", card),
        "recipients": _rows(connection, """SELECT organ, role, why, staff, name_mask, phone_mask, at
                                           FROM supervision.card_recipient WHERE card_id = :card
                                           ORDER BY recipient_id""", card),
        "withdrawals": _rows(connection, """SELECT cause, reason, state, asked_by, asked_at, answered_by, answered_at,
                                            answer FROM supervision.withdrawal WHERE card_id = :card
                                            ORDER BY withdrawal_id""", card),
        "orders": _rows(connection, """SELECT number, opinion, limit_days, issued_by, issued_at, due_at, state, answer,
                                       answered_at, verdict, closed_at FROM supervision.card_order
                                       WHERE card_id = :card ORDER BY order_id""", card),
    }  # fmt: skip


def proof(card: dict[str, Any], jwks: dict[str, Any]) -> str | None:
    """Say what is wrong with a card's seal; None where it is proven."""
    return evidence.verify(card, jwks)


def feeds(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return the feeds that held cards wait for, those with most red cards first."""
    query = "SELECT * FROM supervision.held_feed ORDER BY red DESC, cards DESC, source"
    return [dict(row) for row in connection.execute(sa.text(query)).mappings()]


def _rows(connection: sa.Connection, query: str, card: dict[str, Any]) -> list[dict[str, Any]]:
    rows = connection.execute(sa.text(query), {"card": card["card_id"]})
    return [dict(row) for row in rows.mappings()]
