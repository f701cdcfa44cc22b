"""What people do with a card: each deed is checked against its state, kept with actor and reason, and never undone.

```text
held ──► sent ──► answered ──► appealed ──► upheld | withdrawn
  └────► lapsed     └────────────────────────► upheld | withdrawn     (also straight from sent)
```

A card is taken down (摘牌) at once only because it was corrected. Objective causes, a late feed, wrong data are asked
for by one person and granted by another: the database itself refuses one person in both places. Whoever answered or
appealed for the department does not decide on it either.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from hub.remark import one_line
from hub.sentences import Code, Codes, sentence
from sharedrepo.models.cards import CAUSES
from supervision.cards.errors import CardRefuses, NoSuchCard
from supervision.notices.store import withhold

ACTOR: Final = re.compile(r"(?:account|cli|client):\S{1,100}")
"""Who does a deed: an account, a user of the machine's command line, or a department's program."""
LONGEST: Final = 2_000
"""Characters of a feedback, an appeal, a reason, an opinion."""
_OPEN: Final = ("sent", "answered", "appealed")


def answer(
    connection: sa.Connection, number: str, *, actor: str, text: str, organ: str | None = None
) -> dict[str, Any]:  # fmt: skip
    """Give a department's feedback to a card; a further one is kept beside the first. Return the card as it then is.

    The same words by the same actor again are no further feedback. `organ` is the only one whose cards are there.

    Raises:
        NoSuchCard, CardRefuses: see the message; nothing was changed.
    """
    card = _locked(connection, number, organ)
    said = _said(number, text, "feedback")
    _fits(card, actor, "answered", ("sent", "answered"))
    last = _last(connection, card, ("answered",))
    if last is not None and (last["actor"], last["reason"]) == (actor, said):
        return card
    late = card["due_at"] is not None and _now(connection) > card["due_at"]
    return _do(connection, card, "answered", actor, said, {"late": True} if late else {}, state="answered")


def appeal(
    connection: sa.Connection, number: str, *, actor: str, reason: str, organ: str | None = None
) -> dict[str, Any]:  # fmt: skip
    """Appeal against a card (申诉); it stays until the supervisors uphold it or take it down.

    Raises:
        NoSuchCard, CardRefuses: see the message; nothing was changed.
    """
    card = _locked(connection, number, organ)
    said = _said(number, reason, "appeal")
    _fits(card, actor, "appealed", ("sent", "answered"))
    return _do(connection, card, "appealed", actor, said, {}, state="appealed")


def uphold(connection: sa.Connection, number: str, *, actor: str, reason: str) -> dict[str, Any]:
    """Uphold a card (维持): it is final, and counts in the appraisal.

    Raises:
        NoSuchCard, CardRefuses: see the message; nothing was changed.
    """
    card = _locked(connection, number)
    said = _said(number, reason, "reason")
    _fits(card, actor, "upheld", _OPEN)
    _other_than_department(connection, card, actor)
    if _asked(connection, card) is not None:
        raise CardRefuses(number, "its withdrawal is asked for", "Grant or refuse that first.")
    return _do(connection, card, "upheld", actor, said, {}, state="upheld", ended=True)


def withdraw(connection: sa.Connection, number: str, *, actor: str, cause: str, reason: str) -> dict[str, Any]:
    """Take a card down because it was corrected, or ask a second person to take it down for another cause.

    Raises:
        NoSuchCard, CardRefuses: see the message; nothing was changed.
    """
    card = _locked(connection, number)
    said = _said(number, reason, "reason")
    if cause not in CAUSES:
        got = sentence("{cause!r} is no cause", cause=cause[:40])
        raise CardRefuses(number, got, sentence("There are: {known}.", known=Codes.of("cause", CAUSES)))
    _fits(card, actor, "withdrawn", _OPEN)
    _other_than_department(connection, card, actor)
    if _asked(connection, card) is not None:
        raise CardRefuses(number, "its withdrawal is asked for already", "A second person grants or refuses it.")
    alone = cause == "corrected"
    connection.execute(
        sa.text("""INSERT INTO supervision.withdrawal (card_id, cause, reason, state, asked_by, asked_at, answered_by,
                       answered_at)
                   VALUES (:card, :cause, :reason, CASE WHEN :alone THEN 'granted' ELSE 'asked' END, :actor,
                       supervision.instant(), CASE WHEN :alone THEN CAST(:actor AS text) END,
                       CASE WHEN :alone THEN supervision.instant() END)"""),
        {"card": card["card_id"], "cause": cause, "reason": said, "alone": alone, "actor": actor},
    )
    if alone:
        return _do(connection, card, "withdrawn", actor, said, {"cause": cause}, state="withdrawn", ended=True)
    return _do(connection, card, "withdrawal_asked", actor, said, {"cause": cause})


def grant(connection: sa.Connection, number: str, *, actor: str, reason: str) -> dict[str, Any]:
    """Grant a withdrawal that another person asked for: the card is taken down and counts no more.

    Raises:
        NoSuchCard, CardRefuses: see the message; nothing was changed.
    """
    return _decide(connection, number, actor=actor, reason=reason, granted=True)


def refuse(connection: sa.Connection, number: str, *, actor: str, reason: str) -> dict[str, Any]:
    """Refuse a withdrawal that another person asked for: the card stays as it was.

    Raises:
        NoSuchCard, CardRefuses: see the message; nothing was changed.
    """
    return _decide(connection, number, actor=actor, reason=reason, granted=False)


def _decide(connection: sa.Connection, number: str, *, actor: str, reason: str, granted: bool) -> dict[str, Any]:
    card = _locked(connection, number)
    said = _said(number, reason, "reason")
    _fits(card, actor, "withdrawn", _OPEN)
    asked = _asked(connection, card)
    if asked is None:
        raise CardRefuses(number, "nobody asked to take it down", "`hub supervise cards withdraw` asks for it.")
    if asked["asked_by"] == actor:
        raise CardRefuses(number, "you asked for it yourself", "Another person grants or refuses it.")
    _other_than_department(connection, card, actor)
    connection.execute(
        sa.text("""UPDATE supervision.withdrawal SET state = :state, answered_by = :actor,
                       answered_at = supervision.instant(), answer = :reason WHERE withdrawal_id = :number"""),
        {"state": "granted" if granted else "refused", "actor": actor, "reason": said,
         "number": asked["withdrawal_id"]},
    )  # fmt: skip
    detail = {"cause": asked["cause"], "asked_by": asked["asked_by"]}
    if granted:
        return _do(connection, card, "withdrawn", actor, said, detail, state="withdrawn", ended=True)
    return _do(connection, card, "withdrawal_refused", actor, said, detail)


def note(connection: sa.Connection, number: str, *, actor: str, what: str, reason: str | None, **detail: Any) -> None:
    """Write a further deed on a card that does not move it.

    Raises:
        NoSuchCard: there is none of this number.
    """
    _do(connection, _locked(connection, number), what, actor, reason, detail)


def actor_of(number: str, actor: str) -> None:
    """Go on only with a name that logs can keep.

    Raises:
        CardRefuses: it is none.
    """
    if not ACTOR.fullmatch(actor):
        got = sentence("{actor!r} names no actor", actor=actor[:40])
        raise CardRefuses(number, got, "An actor is account:<code> or cli:<user>.")


def said_of(number: str, text: str, name: str) -> str:
    """Return a person's words on one line.

    Raises:
        CardRefuses: there are none, or too many.
    """
    return _said(number, text, name)


def _locked(connection: sa.Connection, number: str, organ: str | None = None) -> dict[str, Any]:
    query = """SELECT card_id, number, state, level, organ, sent_at, due_at, ended_at FROM supervision.card
               WHERE number = :number AND (CAST(:organ AS text) IS NULL OR organ = :organ) FOR UPDATE"""
    row = (
        connection.execute(sa.text(query), {"number": number[:40].replace("\0", ""), "organ": organ}).mappings().first()
    )
    if row is None or (organ is not None and row["state"] in ("held", "lapsed")):
        raise NoSuchCard(number)
    return dict(row)


def _fits(card: Mapping[str, Any], actor: str, what: str, states: Collection[str]) -> None:
    actor_of(card["number"], actor)
    if card["state"] not in states:
        state, deed = Code("card_state", card["state"]), Code("card_event", what)
        got = sentence("it is {state} and cannot be {what}", state=state, what=deed)
        raise CardRefuses(card["number"], got, "`hub supervise cards show` tells how it stands.")


def _said(number: str, text: str, name: str) -> str:
    said = one_line(text)
    if not said or len(said) > LONGEST:
        got = sentence("the {name} has {count} characters", name=Code("said", name), count=len(said))
        raise CardRefuses(number, got, sentence("Say it in 1 to {longest}.", longest=LONGEST))
    return said


def _now(connection: sa.Connection) -> datetime:
    at: datetime = connection.execute(sa.text("SELECT supervision.instant()")).scalar_one()
    return at


def _last(connection: sa.Connection, card: Mapping[str, Any], what: Collection[str]) -> dict[str, Any] | None:
    query = """SELECT actor, reason FROM supervision.card_deed WHERE card_id = :card AND what = ANY(:what)
               ORDER BY deed_id DESC LIMIT 1"""
    row = connection.execute(sa.text(query), {"card": card["card_id"], "what": list(what)}).mappings().first()
    return None if row is None else dict(row)


def _other_than_department(connection: sa.Connection, card: Mapping[str, Any], actor: str) -> None:
    query = """SELECT EXISTS (SELECT FROM supervision.card_deed WHERE card_id = :card AND actor = :actor
                              AND what IN ('answered', 'appealed'))"""
    if connection.execute(sa.text(query), {"card": card["card_id"], "actor": actor}).scalar_one():
        raise CardRefuses(card["number"], "you answered or appealed for the department", "A supervisor decides on it.")


def _asked(connection: sa.Connection, card: Mapping[str, Any]) -> dict[str, Any] | None:
    query = """SELECT withdrawal_id, cause, asked_by FROM supervision.withdrawal
               WHERE card_id = :card AND state = 'asked' FOR UPDATE"""
    row = connection.execute(sa.text(query), {"card": card["card_id"]}).mappings().first()
    return None if row is None else dict(row)


def _do(
    connection: sa.Connection, card: dict[str, Any], what: str, actor: str, reason: str | None, detail: dict[str, Any],
    *, state: str | None = None, ended: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Move the card and log the deed, in the caller's transaction; return the card as it then is."""
    if state is not None and state != card["state"]:
        connection.execute(
            sa.text("""UPDATE supervision.card SET state = :state,
                           ended_at = CASE WHEN :ended THEN supervision.instant() END WHERE card_id = :card"""),
            {"state": state, "ended": ended, "card": card["card_id"]},
        )
        if ended:
            withhold(connection, [card["card_id"]], now=_now(connection), reason=f"card_{state}")
    connection.execute(
        sa.text("""INSERT INTO supervision.card_deed (card_id, at, actor, what, reason, detail)
                   VALUES (:card, supervision.instant(), :actor, :what, :reason, CAST(:detail AS jsonb))"""),
        {"card": card["card_id"], "actor": actor, "what": what, "reason": reason,
         "detail": orjson.dumps(detail).decode()},
    )  # fmt: skip
    return {**card, "state": state or card["state"]}
