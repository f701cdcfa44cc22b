"""The outbox: queued once, taken by one sender at a time, settled once; every step has its line in the log.

A notice is marked as being sent, and that is committed, before a gateway hears of it. So a sender that dies in between
leaves a mark: what it was about is doubtful from then on, never simply sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa
from psycopg2.extras import execute_values

from hub.protect import Protector, mask_name, mask_phone
from supervision.notices.errors import NoticeRefused
from supervision.notices.reaching import fault_of
from supervision.notices.terms import Due, Notice, Receipt, Reported
from supervision.notices.wording import text

CONTEXT: Final = "notice"
"""What the sealed parts of a notice are sealed for: the name of its table."""
GOOD_FOR: Final = timedelta(hours=24)
LEASE: Final = timedelta(minutes=3)
"""So long a notice belongs to the process that took it; more than the longest try."""
FIRST_WAIT: Final = timedelta(seconds=15)
LONGEST_WAIT: Final = timedelta(hours=2)
FIRST_ASKED: Final = timedelta(seconds=10)
ASKED_FOR: Final = timedelta(days=3)
"""So long after it was sent a notice is asked after."""

_QUEUE = """
WITH made AS (
    INSERT INTO supervision.notice (subject, card_id, recipient, organ, level, channel, words, language, said,
        name_mask, phone_mask, phone_hash, sealed, made_at, until, next_at, state, fault, ended_at)
    SELECT q.subject, q.card_id::bigint, q.recipient, q.organ, q.level, q.channel, q.words, q.language, q.said,
        q.name_mask, q.phone_mask, q.phone_hash::bytea, q.sealed::bytea, q.made_at::timestamptz,
        q.until::timestamptz, CASE WHEN q.fault IS NULL THEN q.made_at::timestamptz END,
        CASE WHEN q.fault IS NULL THEN 'waiting' ELSE 'given_up' END, q.fault,
        CASE WHEN q.fault IS NOT NULL THEN q.made_at::timestamptz END
    FROM (VALUES %s) AS q (subject, card_id, recipient, organ, level, channel, words, language, said, name_mask,
        phone_mask, phone_hash, sealed, made_at, until, fault, hashes)
    WHERE NOT EXISTS (SELECT FROM supervision.notice AS n
        WHERE n.subject = q.subject AND n.phone_hash = ANY (q.hashes::bytea[]))
    ON CONFLICT DO NOTHING RETURNING notice_id, made_at, state, fault)
INSERT INTO supervision.notice_deed (notice_id, at, what, detail)
SELECT notice_id, made_at, CASE state WHEN 'waiting' THEN 'queued' ELSE 'given_up' END, fault FROM made
ORDER BY notice_id RETURNING notice_id
"""


def enqueue(connection: sa.Connection, protector: Protector, notices: Iterable[Notice], *, now: datetime) -> int:
    """Queue notices in the caller's transaction; return how many are new. Of one subject nobody is told twice.

    A person is known by their key and by their phone: one who holds two duties is told once. A phone or mailbox that
    cannot be one is kept as given up, and listed.

    Raises:
        NoticeRefused: a recipient has neither phone nor mailbox, and there is no department whose group could be told.
        KeyError: there are no such words, or one of their places is left empty.
    """
    rows = [_row(protector, one, now) for one in notices]
    if not rows:
        return 0
    cursor: Any = connection.connection.cursor()
    try:
        return len(execute_values(cursor, _QUEUE, rows, page_size=500, fetch=True))
    finally:
        cursor.close()


def _row(protector: Protector, one: Notice, now: datetime) -> tuple[Any, ...]:
    who = one.recipient
    channel = "sms" if who.phone else "mail" if who.mail else "group"
    if channel == "group" and one.organ is None:
        raise NoticeRefused(f"recipient {who.key} has neither phone nor mailbox nor department; nothing was queued.")
    parts = {"name": who.name, "phone": who.phone, "mail": who.mail}
    known = {name: said for name, said in parts.items() if said}
    hashes = protector.lookup_hashes("phone", who.phone) if who.phone else []
    sealed = protector.seal(orjson.dumps(known), context=CONTEXT) if known else None
    return (
        one.subject, one.card_id, who.key, one.organ, one.level, channel, one.words, one.language,
        text(one.words, one.put, one.language), mask_name(who.name) if who.name else None,
        mask_phone(who.phone) if who.phone else None, hashes[0] if hashes else None, sealed, now,
        one.until or now + GOOD_FOR, fault_of(who), hashes,
    )  # fmt: skip


# --- taking ---

_OVER = """
WITH over AS (UPDATE supervision.notice SET state = 'given_up', fault = coalesce(fault, 'too_late'), ended_at = :now,
        next_at = NULL
    WHERE state = 'waiting' AND until <= :now RETURNING notice_id, fault)
INSERT INTO supervision.notice_deed (notice_id, at, what, detail)
SELECT notice_id, :now, 'given_up', fault FROM over
"""
_TAKE = """
WITH due AS (
    SELECT notice_id, state AS was FROM supervision.notice
    WHERE next_at <= :now AND (state = 'sending' OR (:asks AND state IN ('doubtful', 'sent')) OR (state = 'waiting'
        AND channel = ANY (:channels) AND (NOT :quiet OR level = ANY (:through))))
    ORDER BY next_at, notice_id LIMIT 1 FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE supervision.notice AS n SET next_at = :lease, tries = tries + (due.was = 'waiting')::int,
        state = CASE due.was WHEN 'waiting' THEN 'sending' WHEN 'sending' THEN 'doubtful' ELSE due.was END,
        fault = CASE due.was WHEN 'sending' THEN 'sender_died' ELSE n.fault END
    FROM due WHERE n.notice_id = due.notice_id
    RETURNING n.notice_id, n.message::text, n.organ, n.level, n.channel, n.said, n.sealed, due.was, n.tries, n.until,
        n.gateway, n.gateway_number, n.sent_at
), noted AS (
    INSERT INTO supervision.notice_deed (notice_id, at, what, detail)
    SELECT notice_id, :now, CASE was WHEN 'waiting' THEN 'sending' ELSE 'doubtful' END,
        CASE was WHEN 'sending' THEN 'sender_died' END
    FROM taken WHERE was IN ('waiting', 'sending')
) SELECT * FROM taken
"""


def give_up_late(engine: sa.Engine, *, now: datetime) -> int:
    """Give up what was to be told by now and was not; return how many."""
    with engine.begin() as connection:
        return int(connection.execute(sa.text(_OVER), {"now": now}).rowcount)


def take(
    engine: sa.Engine, *, now: datetime, channels: Sequence[str], quiet: bool, through: Iterable[str], asks: bool = True
) -> Due | None:
    """Take one notice that is due and mark it; two processes never take the same. None: there is none.

    With `asks` false none is taken that the gateway would be asked after.
    """
    asked = {
        "now": now, "lease": now + LEASE, "channels": list(channels), "quiet": quiet, "through": list(through),
        "asks": asks,
    }  # fmt: skip
    with engine.begin() as connection:
        found = connection.execute(sa.text(_TAKE), asked).first()
    return None if found is None else Due(*found)


def pause(tries: int) -> timedelta:
    """Return how long the next try is waited for: twice as long each time, two hours at most."""
    return min(FIRST_WAIT * (1 << min(max(tries - 1, 0), 20)), LONGEST_WAIT)


# --- settling ---


def settle(
    engine: sa.Engine, due: Due, state: str, *, now: datetime, next_at: datetime | None = None,
    fault: str | None = None, gateway: str | None = None, number: str | None = None,
) -> bool:  # fmt: skip
    """Write down what became of a taken notice; say whether it still was as it was taken.

    A receipt may have been quicker: what it said stands.
    """
    ended = state in ("delivered", "undelivered", "given_up")
    what = {"waiting": "not_taken"}.get(state, state)
    with engine.begin() as connection:
        done = connection.execute(
            sa.text("""UPDATE supervision.notice SET state = :state, next_at = :next, fault = :fault,
                gateway = coalesce(:gateway, gateway), gateway_number = coalesce(:number, gateway_number),
                sent_at = CASE WHEN :state IN ('sent', 'delivered') THEN coalesce(sent_at, :now) ELSE sent_at END,
                ended_at = CASE WHEN :ended THEN :now END
                WHERE notice_id = :id AND state IN ('sending', 'doubtful', 'sent')"""),
            {"id": due.notice_id, "state": state, "next": next_at, "fault": fault, "gateway": gateway,
             "number": number, "now": now, "ended": ended},
        )  # fmt: skip
        if not done.rowcount:
            return False
        if state != due.was:
            _note(connection, due.notice_id, what, now, fault)
    return True


def put_off(engine: sa.Engine, due: Due, *, next_at: datetime | None) -> None:
    """Leave a notice as it was taken, to be looked at again at a time, or not at all by itself."""
    with engine.begin() as connection:
        connection.execute(
            sa.text("""UPDATE supervision.notice SET next_at = :next
                       WHERE notice_id = :id AND state IN ('doubtful', 'sent')"""),
            {"id": due.notice_id, "next": next_at},
        )


def sending_again(engine: sa.Engine, due: Due, *, now: datetime) -> bool:
    """Mark a doubtful notice as being sent once more, under the same key; say whether it still was doubtful."""
    with engine.begin() as connection:
        done = connection.execute(
            sa.text("""UPDATE supervision.notice SET state = 'sending', tries = tries + 1, next_at = :lease
                       WHERE notice_id = :id AND state = 'doubtful'"""),
            {"id": due.notice_id, "lease": now + LEASE},
        )
        if done.rowcount:
            _note(connection, due.notice_id, "sending", now, "under_the_same_key")
        return bool(done.rowcount)


def _note(
    connection: sa.Connection, number: int, what: str, now: datetime, detail: str | None = None, who: str | None = None
) -> None:
    connection.execute(
        sa.text("""INSERT INTO supervision.notice_deed (notice_id, at, what, detail, who)
                   VALUES (:id, :at, :what, :detail, :who)"""),
        {"id": number, "at": now, "what": what, "detail": detail, "who": who},
    )


# --- receipts that come by themselves ---

_REPORTED = """
UPDATE supervision.notice SET state = :state, ended_at = CASE WHEN :ended THEN :now END,
    next_at = CASE WHEN :ended THEN NULL ELSE next_at END, sent_at = coalesce(sent_at, :now),
    gateway = coalesce(gateway, :gateway), fault = NULL
WHERE tries > 0 AND state = ANY (:from) AND (message::text = :key
    OR (gateway = :gateway AND gateway_number = :number)) RETURNING notice_id
"""
_KNOWN = """
SELECT EXISTS (SELECT FROM supervision.notice WHERE tries > 0 AND (message::text = :key
    OR (gateway = :gateway AND gateway_number = :number)))
"""
_FROM: Final = {
    # That it came is the truth whatever was thought before, even of a try that was answered by a no.
    Receipt.DELIVERED: ("waiting", "sending", "doubtful", "sent", "undelivered", "given_up", "withheld"),
    Receipt.UNDELIVERED: ("sending", "doubtful", "sent"),
    Receipt.UNDER_WAY: ("sending", "doubtful"),
}
_STATES: Final = {
    Receipt.DELIVERED: "delivered", Receipt.UNDELIVERED: "undelivered", Receipt.UNDER_WAY: "sent",
}  # fmt: skip


def reported(engine: sa.Engine, lines: Iterable[Reported], *, gateway: str, now: datetime) -> tuple[int, int]:
    """Write down what a gateway reported; return how many lines are of notices that were sent, and how many are not."""
    ours = foreign = 0
    with engine.begin() as connection:
        for line in lines:
            asked = {"key": line.key, "number": line.number, "gateway": gateway}
            state = _STATES.get(line.receipt)
            changed = [] if state is None else connection.execute(
                sa.text(_REPORTED), {**asked, "state": state, "ended": state != "sent", "now": now,
                                     "from": list(_FROM[line.receipt])},
            ).scalars().all()  # fmt: skip
            for number in changed:
                _note(connection, number, str(state), now, "receipt")
            known = bool(changed) or bool(connection.scalar(sa.text(_KNOWN), asked))
            ours, foreign = ours + known, foreign + (not known)
    return ours, foreign


# --- what people do ---


def withhold(connection: sa.Connection, cards: Sequence[int], *, now: datetime, reason: str) -> int:
    """Keep back, in the caller's transaction, what still waits to be told of these cards; return how many."""
    rows = connection.execute(
        sa.text("""UPDATE supervision.notice SET state = 'withheld', fault = :reason, ended_at = :now, next_at = NULL
                   WHERE card_id = ANY (:cards) AND state = 'waiting' RETURNING notice_id"""),
        {"cards": list(cards), "now": now, "reason": reason},
    ).scalars().all()  # fmt: skip
    for number in rows:
        _note(connection, number, "withheld", now, reason)
    return len(rows)


def decided(engine: sa.Engine, number: int, *, again: bool, who: str, reason: str, now: datetime) -> None:
    """Let a person decide on a notice that is doubtful or was not delivered: it is sent again, or let be.

    Raises:
        NoticeRefused: no notice of this number waits for a decision, or its phone is forgotten.
    """
    with engine.begin() as connection:
        found = connection.execute(
            sa.text("""SELECT state, sealed, channel FROM supervision.notice WHERE notice_id = :id FOR UPDATE"""),
            {"id": number},
        ).first()
        if found is None or found.state not in ("doubtful", "undelivered", "given_up"):
            state = "there is none" if found is None else f"it is {found.state}"
            raise NoticeRefused(f"notice {number} waits for no decision: {state}. See `hub supervise notices list`.")
        if again and found.sealed is None and found.channel != "group":
            raise NoticeRefused(f"the address of notice {number} is forgotten; nothing can be sent to it any more.")
        state = "waiting" if again else "sent" if found.state == "doubtful" else found.state
        # Under another key: the gateway is to take it as another text, as the person wants it.
        connection.execute(
            sa.text("""UPDATE supervision.notice SET state = :state, next_at = CASE WHEN :again THEN :now END,
                message = CASE WHEN :again THEN gen_random_uuid() ELSE message END, gateway_number = NULL,
                until = CASE WHEN :again THEN :until ELSE until END, ended_at = CASE WHEN :again THEN NULL ELSE :now END
                WHERE notice_id = :id"""),
            {"id": number, "state": state, "again": again, "now": now, "until": now + GOOD_FOR},
        )
        _note(connection, number, "again" if again else "settled", now, reason[:200], who)


def forget(engine: sa.Engine, *, days: int, now: datetime) -> int:
    """Forget the addresses of notices that ended so many days ago; return of how many. What was said of them stays."""
    query = """
    WITH gone AS (UPDATE supervision.notice SET sealed = NULL, phone_hash = NULL
        WHERE sealed IS NOT NULL AND state IN ('sent', 'delivered', 'undelivered', 'given_up', 'withheld')
            AND coalesce(ended_at, sent_at) < :before RETURNING notice_id)
    INSERT INTO supervision.notice_deed (notice_id, at, what) SELECT notice_id, :now, 'forgotten' FROM gone
    """
    with engine.begin() as connection:
        done = connection.execute(sa.text(query), {"before": now - timedelta(days=days), "now": now})
        return int(done.rowcount)
