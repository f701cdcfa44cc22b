"""The work list of cards, one card with its life, and the deeds that a person has on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from hub.refusals import Malformed
from hub.visitor import ANSWER_CARDS, CARDS, TAKE_DOWN, Visitor
from sharedrepo.models.cards import CARD_STATES, CAUSES, KINDS, LEVELS
from supervision.cards import deeds, orders, reading
from supervision.cards.errors import NoSuchCard
from supervision.pages import store
from supervision.pages.asking import SIZE
from supervision.pages.scope import Scope
from supervision.pages.store import Row

__all__ = ["CARD_STATES", "CAUSES", "KINDS", "LEVELS"]

STATES: Final = tuple(one for one in CARD_STATES if one != "lapsed")
"""States that can be chosen; a lapsed card was never sent and ended as if it had not been."""
DEEDS: Final[Mapping[str, str]] = {
    "answer": ANSWER_CARDS, "appeal": ANSWER_CARDS, "answer_order": ANSWER_CARDS, "uphold": CARDS, "withdraw": CARDS,
    "order": CARDS, "close_order": CARDS, "grant": TAKE_DOWN, "refuse": TAKE_DOWN,
}  # fmt: skip
"""Every deed with the right that it needs."""
_UNDER_WAY: Final = ("sent", "answered", "appealed")
_ORDER_DAYS: Final = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the cards is asked for; `ended` takes in those that are upheld or withdrawn."""

    level: str | None = None
    state: str | None = None
    kind: str | None = None
    organ: str | None = None
    case_id: int | None = None
    ended: bool = False
    asked_down: bool = False
    first: int = 0


_LIST: Final = """
SELECT c.number, c.level, c.kind, c.state, c.organ, c.region, c.item_code, c.case_id, c.stage, c.round, c.clock,
    c.raised_at, c.due_at, c.ended_at, a.case_number, r.title_zh, r.title_en,
    c.state = 'sent' AND c.due_at < supervision.instant() AS unanswered,
    EXISTS (SELECT FROM supervision.withdrawal AS w WHERE w.card_id = c.card_id AND w.state = 'asked') AS asked_down,
    EXISTS (SELECT FROM supervision.card_order AS d WHERE d.card_id = c.card_id AND d.state <> 'closed') AS ordered,
    count(*) OVER () AS total
FROM supervision.card AS c
LEFT JOIN core.approval_case AS a ON a.record_id = c.case_id
LEFT JOIN supervision.rule AS r ON r.code = c.rule AND r.version = c.rule_version
WHERE c.state <> 'lapsed'{where}
ORDER BY c.ended_at IS NOT NULL, array_position(ARRAY['red', 'yellow', 'warning'], c.level), c.due_at NULLS LAST,
    c.card_id DESC
"""


def listed(
    connection: sa.Connection, scope: Scope, asked: Asked, *, most: int | None = None
) -> tuple[Sequence[Row], int]:
    """Return one page of cards (or the first `most`), the gravest first, and how many there are."""
    where = scope.where("c")
    if scope.organ is not None:  # what was never sent is no department's business yet
        where += " AND c.sent_at IS NOT NULL"
    for name, condition in _FILTERS.items():
        if getattr(asked, name) is not None:
            where += f" AND {condition}"
    if not asked.ended and asked.state not in ("upheld", "withdrawn"):
        where += " AND c.ended_at IS NULL"
    if asked.asked_down:
        where += """ AND EXISTS (SELECT FROM supervision.withdrawal AS w
                                 WHERE w.card_id = c.card_id AND w.state = 'asked')"""
    values = {
        **scope.values, **{name: getattr(asked, name) for name in _FILTERS}, "first": asked.first,
        "size": most or SIZE,
    }  # fmt: skip
    query = _LIST.format(where=where)
    rows = store.rows(connection, f"{query} LIMIT :size OFFSET :first", values)
    if rows or not asked.first:
        return rows, rows[0]["total"] if rows else 0
    counted = store.row(connection, f"{query} LIMIT 1", values)
    return rows, 0 if counted is None else counted["total"]


_FILTERS: Final = {
    "level": "c.level = :level", "state": "c.state = :state", "kind": "c.kind = :kind", "organ": "c.organ = :organ",
    "case_id": "c.case_id = :case_id",
}  # fmt: skip


def one(connection: sa.Connection, scope: Scope, number: str) -> dict[str, Any]:
    """Return one card with evidence, deeds, recipients, withdrawals and orders.

    Raises:
        NoSuchCard: there is none of this number, or the person does not see it.
    """
    card = reading.found(connection, number, organ=scope.organ)
    if scope.area is not None and not (card["region"] or "").startswith(scope.area):
        raise NoSuchCard(number)
    return card


def open_deeds(visitor: Visitor, card: Mapping[str, Any]) -> list[str]:
    """Return the deeds that this person has on a card as it stands."""
    asked = next((one for one in card["withdrawals"] if one["state"] == "asked"), None)
    order_states = {one["state"] for one in card["orders"]}
    spoke = any(one["actor"] == visitor.actor and one["what"] in ("answered", "appealed") for one in card["deeds"])
    under_way = card["state"] in _UNDER_WAY
    fits = {
        "answer": card["state"] in ("sent", "answered"),
        "appeal": card["state"] in ("sent", "answered"),
        "answer_order": "open" in order_states,
        "uphold": under_way and asked is None and not spoke,
        "withdraw": under_way and asked is None and not spoke,
        "order": card["state"] not in ("held", "lapsed", "withdrawn") and card["organ"] is not None,
        "close_order": "answered" in order_states,
        "grant": under_way and asked is not None and asked["asked_by"] != visitor.actor and not spoke,
        "refuse": under_way and asked is not None and asked["asked_by"] != visitor.actor and not spoke,
    }
    return [name for name, right in DEEDS.items() if visitor.may(right) and fits[name]]


def do(
    connection: sa.Connection, visitor: Visitor, scope: Scope, number: str, what: str, form: Mapping[str, str]
) -> None:
    """Do a deed on a card in the person's name.

    Raises:
        NotAllowed: no role of the person does it.
        NoSuchCard, NoSuchOrder, CardRefuses: it does not fit the card as it stands; nothing was changed.
    """
    visitor.must(DEEDS[what])
    one(connection, scope, number)
    _DEEDS[what](connection, number, visitor.actor, form)


def _order(connection: sa.Connection, number: str, actor: str, form: Mapping[str, str]) -> None:
    said = form.get("days", "").strip()
    if not (said.isascii() and said.isdigit() and len(said) < len("1000")):
        raise Malformed("the working days are no number", hint="Name 1 to 250.")
    orders.issue(connection, number, actor=actor, opinion=form.get("reason", ""), days=int(said))


def _order_of(connection: sa.Connection, number: str, state: str) -> str:
    """Return the order over a card that waits for this; its number comes from us and not from the form."""
    card = reading.found(connection, number)
    found = next((one for one in card["orders"] if one["state"] == state), None)
    return "" if found is None else str(found["number"])


_Deed = Callable[[sa.Connection, str, str, Mapping[str, str]], Any]
_DEEDS: Final[Mapping[str, _Deed]] = {
    "answer": lambda c, number, actor, form: deeds.answer(c, number, actor=actor, text=form.get("reason", "")),
    "appeal": lambda c, number, actor, form: deeds.appeal(c, number, actor=actor, reason=form.get("reason", "")),
    "uphold": lambda c, number, actor, form: deeds.uphold(c, number, actor=actor, reason=form.get("reason", "")),
    "withdraw": lambda c, number, actor, form: deeds.withdraw(
        c, number, actor=actor, cause=form.get("cause", ""), reason=form.get("reason", "")
    ),
    "grant": lambda c, number, actor, form: deeds.grant(c, number, actor=actor, reason=form.get("reason", "")),
    "refuse": lambda c, number, actor, form: deeds.refuse(c, number, actor=actor, reason=form.get("reason", "")),
    "order": _order,
    "answer_order": lambda c, number, actor, form: orders.answer(
        c, _order_of(c, number, "open"), actor=actor, text=form.get("reason", "")
    ),
    "close_order": lambda c, number, actor, form: orders.close(
        c, _order_of(c, number, "answered"), actor=actor, verdict=form.get("reason", "")
    ),
}
