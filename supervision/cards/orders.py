"""Supervision orders (督办): over a card that was sent, with an opinion and a limit of its own, answered and closed.

An order that is not answered in time is found by the rule `order_overdue`. Who answered one does not close it.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from hub.sentences import Code, Sentence, sentence
from supervision.cards.deeds import actor_of, note, said_of
from supervision.cards.errors import CardRefuses, NoSuchCard, NoSuchOrder
from supervision.cards.settling import DUE

PREFIX: Final = "D"
MOST_DAYS: Final = 250

_NUMBER: Final = """
INSERT INTO supervision.card_series AS s (prefix, year, last)
VALUES (:prefix, extract(YEAR FROM supervision.instant() AT TIME ZONE 'Asia/Shanghai')::int, 1)
ON CONFLICT (prefix, year) DO UPDATE SET last = s.last + 1
RETURNING prefix || '-' || year || '-' || lpad(last::text, 6, '0')
"""
_ISSUE: Final = f"""
INSERT INTO supervision.card_order (number, card_id, organ, opinion, limit_days, issued_by, issued_at, due_at)
SELECT :number, c.card_id, c.organ, :opinion, :days, :actor, supervision.instant(),
    {DUE.format(days="CAST(:days AS int)", region="c.region").replace(":as_of", "supervision.instant()")}
FROM supervision.card AS c WHERE c.number = :card
"""


def issue(connection: sa.Connection, card: str, *, actor: str, opinion: str, days: int) -> str:
    """Issue an order over a card, to be answered within so many working days; return its number.

    Raises:
        NoSuchCard, CardRefuses: see the message; nothing was written.
    """
    actor_of(card, actor)
    said = said_of(card, opinion, "opinion")
    if not 1 <= days <= MOST_DAYS:
        got = sentence("{days} working days are no limit of an order", days=days)
        raise CardRefuses(card, got, sentence("Name 1 to {most}.", most=MOST_DAYS))
    row = connection.execute(
        sa.text("SELECT state, organ FROM supervision.card WHERE number = :card FOR UPDATE"), {"card": card[:40]}
    ).first()
    if row is None:
        raise NoSuchCard(card)
    if row.state in ("held", "lapsed", "withdrawn") or row.organ is None:
        got = sentence("it is {state}, or of no organ", state=Code("card_state", row.state))
        raise CardRefuses(card, got, "An order goes with a card that was sent.")
    number: str = connection.execute(sa.text(_NUMBER), {"prefix": PREFIX}).scalar_one()
    connection.execute(sa.text(_ISSUE), {"number": number, "card": card, "opinion": said, "days": days, "actor": actor})
    note(connection, card, actor=actor, what="ordered", reason=said, order=number, days=days)
    return number


def answer(connection: sa.Connection, number: str, *, actor: str, text: str, organ: str | None = None) -> None:
    """Answer an order for its department.

    Raises:
        NoSuchOrder, CardRefuses: see the message; nothing was changed.
    """
    order = _locked(connection, number, organ)
    actor_of(number, actor)
    said = said_of(number, text, "answer")
    if order["state"] != "open":
        raise CardRefuses(number, _stands(order), "It is answered once.")
    connection.execute(
        sa.text("""UPDATE supervision.card_order SET state = 'answered', answer = :said, answered_by = :actor,
                       answered_at = supervision.instant() WHERE order_id = :order"""),
        {"said": said, "actor": actor, "order": order["order_id"]},
    )
    note(connection, order["card"], actor=actor, what="order_answered", reason=said, order=number)


def close(connection: sa.Connection, number: str, *, actor: str, verdict: str) -> None:
    """Close an order that was answered, with the supervisors' verdict on the answer.

    Raises:
        NoSuchOrder, CardRefuses: see the message; nothing was changed.
    """
    order = _locked(connection, number)
    actor_of(number, actor)
    said = said_of(number, verdict, "verdict")
    if order["state"] != "answered":
        raise CardRefuses(number, _stands(order), "It is closed when it was answered.")
    if order["answered_by"] == actor:
        raise CardRefuses(number, "you answered it yourself", "Another person closes it.")
    connection.execute(
        sa.text("""UPDATE supervision.card_order SET state = 'closed', verdict = :said, closed_by = :actor,
                       closed_at = supervision.instant() WHERE order_id = :order"""),
        {"said": said, "actor": actor, "order": order["order_id"]},
    )
    note(connection, order["card"], actor=actor, what="order_closed", reason=said, order=number)


def listed(connection: sa.Connection, *, organ: str | None = None, closed: bool = False) -> list[dict[str, Any]]:
    """Return orders, those due first; with `closed` also those that are closed."""
    query = """SELECT o.number, c.number AS card, o.organ, o.state, o.limit_days, o.issued_at, o.due_at,
                   o.state = 'open' AND o.due_at < supervision.instant() AS overdue, o.answered_at, o.closed_at,
                   o.opinion, o.answer, o.verdict, o.issued_by, o.answered_by, o.closed_by
               FROM supervision.card_order AS o JOIN supervision.card AS c ON c.card_id = o.card_id
               WHERE (CAST(:organ AS text) IS NULL OR o.organ = :organ) AND (:closed OR o.state <> 'closed')
               ORDER BY o.state = 'closed', o.due_at, o.order_id"""
    return [dict(row) for row in connection.execute(sa.text(query), {"organ": organ, "closed": closed}).mappings()]


def _stands(order: dict[str, Any]) -> Sentence:
    return sentence("the order is {state}", state=Code("order_state", order["state"]))


def _locked(connection: sa.Connection, number: str, organ: str | None = None) -> dict[str, Any]:
    query = """SELECT o.order_id, o.state, o.answered_by, c.number AS card
               FROM supervision.card_order AS o JOIN supervision.card AS c ON c.card_id = o.card_id
               WHERE o.number = :number AND (CAST(:organ AS text) IS NULL OR o.organ = :organ) FOR UPDATE OF o"""
    row = connection.execute(sa.text(query), {"number": number[:40], "organ": organ}).mappings().first()
    if row is None:
        raise NoSuchOrder(number)
    return dict(row)
