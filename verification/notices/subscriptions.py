"""Who is told of what by a post to an address of its own: subscriptions, what there is to tell, and what became of it.

Three topics of its own: `recall`, what the organ's own checks relied on and no longer holds; `credential`, each change
of a credential of one type, for who may check that type; `case`, each step of a case of one item, likewise. Other
packages bring theirs (`sharedrepo/access/topics.py`). A change names the hub's number of the record (`evidence` in
answers) and how it stands, never number or holder: who has checked the credential knows which it is, nobody else.
A notice waits in `audit.delivery` until it was taken, or a day is over; its words are made anew at each try, so that
nothing of a case lies there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import psycopg2.extensions
import sqlalchemy as sa
from psycopg2.extras import execute_values

from hub.errors import RepositoryError
from hub.protect import Protector
from hub.workdays import local_day
from sharedrepo.access.topics import topics
from verification.checks import answers
from verification.notices import cases, recall
from verification.notices.sending import BadAddress, Networks, Place, may_reach

Cursor = psycopg2.extensions.cursor
RECALL: Final = "recall"
CREDENTIAL: Final = "credential"
CARD: Final = "card"
CASE: Final = "case"
HOURS: Final = timedelta(hours=24)
"""So long a notice is tried."""
FIRST_WAIT: Final = timedelta(seconds=15)
LONGEST_WAIT: Final = timedelta(hours=2)
LEASE: Final = timedelta(minutes=5)
"""So long a notice belongs to the process that took it; if that one dies, another takes it after this."""
MOST_AT_ONCE: Final = 20
"""Notices of one subscription that are taken at once; within the lease all of them can run into their time limit."""


class SubscriptionRefused(RepositoryError):
    """A subscription cannot be as it was asked for; nothing was written."""

    exit_status = 65


@dataclass(frozen=True, slots=True)
class Due:
    """A notice that was taken to be sent."""

    delivery_id: int
    subscription_id: int
    topic: str
    subject_id: int
    jti: str
    attempts: int
    made_at: datetime
    url: str
    organ: str
    code: str | None
    purpose: str | None
    admitted: bool


def audience(number: int) -> str:
    """Return the name of a subscription, which is signed into each of its notices."""
    return f"urn:approval-exchange-hub:subscription:{number}"


# --- subscribing ---


def subscribe(
    engine: sa.Engine, *, client: str, url: str, actor: str, allowed: Networks, code: str | None = None,
    purpose: str | None = None, cards: bool = False, topic: str = CREDENTIAL,
) -> int:  # fmt: skip
    """Subscribe a client's address, to recalls or, with a code and a purpose, to changes of that type or item.

    With `cards` to what happens to the supervision cards of its organ.

    Raises:
        SubscriptionRefused: there is no such client, or the address cannot be posted to.
    """
    try:
        place = Place.of(url)
    except BadAddress as error:
        raise SubscriptionRefused(f"{error}. Write https://HOST/PATH.") from None
    faults = _place_faults(place, allowed)
    if (code is None) != (purpose is None):
        faults.append("a credential type or item and the purpose of the grant are named together, or neither")
    if cards and code is not None:
        faults.append("a subscription is to cards, or to a credential type or item; make two")
    with engine.begin() as connection:
        found = connection.execute(
            sa.text("SELECT client_id, organ FROM access.client WHERE code = :code AND revoked_at IS NULL"),
            {"code": client},
        ).first()
        if found is None:
            faults.append(f"there is no client {client!r} that is valid; see `hub client list`")
        if faults or found is None:
            raise SubscriptionRefused("; ".join(faults) + ".")
        made: int = connection.execute(
            sa.text("""INSERT INTO access.subscription (client_id, organ, topic, code, purpose, url, made_by)
                       VALUES (:client, :organ, :topic, :code, :purpose, :url, :actor) RETURNING subscription_id"""),
            {"client": found.client_id, "organ": found.organ,
             "topic": CARD if cards else RECALL if code is None else topic,
             "code": code, "purpose": purpose, "url": url, "actor": actor},
        ).scalar_one()  # fmt: skip
        if code is not None and topic == CASE:
            # How cases stand already is no change: it is noted as of before the subscription.
            connection.exec_driver_sql(cases.NOTE, {"codes": [code], "before": timedelta(seconds=1)})
        return made


def _place_faults(place: Place, allowed: Networks) -> list[str]:
    """Say what is wrong with an address before anything is resolved."""
    try:
        inside = not may_reach(place.host, allowed)
    except ValueError:  # a name: its addresses are judged each time that something is sent
        inside = place.host == "localhost" and not allowed
    faults = ["the address lies in a private network: HUB_NOTICE_NETWORKS allows none such"] if inside else []
    if not place.tls and not allowed:
        faults.append("the address is not https, which only networks of HUB_NOTICE_NETWORKS may be without")
    return faults


def unsubscribe(engine: sa.Engine, number: int, *, actor: str) -> None:
    """End a subscription; what waits for it is withheld.

    Raises:
        SubscriptionRefused: no subscription of this number is open.
    """
    with engine.begin() as connection:
        done = connection.execute(
            sa.text("""UPDATE access.subscription SET ended_at = now(), ended_by = :actor
                       WHERE subscription_id = :number AND ended_at IS NULL"""),
            {"number": number, "actor": actor},
        )
        if not done.rowcount:
            raise SubscriptionRefused(f"no subscription {number} is open. `hub verify subscriptions` lists them.")
        connection.execute(
            sa.text("""UPDATE audit.delivery SET state = 'withheld', fault = 'subscription_ended', ended_at = now()
                       WHERE subscription_id = :number AND state = 'waiting'"""),
            {"number": number},
        )


def listed(engine: sa.Engine) -> list[dict[str, Any]]:
    """Return all subscriptions with how many of their notices stand how."""
    query = """SELECT s.subscription_id, k.code AS client, s.organ, s.topic, s.code, s.purpose, s.url, s.made_at,
        s.ended_at, count(d.*) FILTER (WHERE d.state = 'waiting') AS waiting,
        count(d.*) FILTER (WHERE d.state = 'delivered') AS delivered,
        count(d.*) FILTER (WHERE d.state = 'given_up') AS given_up
        FROM access.subscription AS s JOIN access.client AS k USING (client_id)
        LEFT JOIN audit.delivery AS d USING (subscription_id)
        GROUP BY s.subscription_id, k.code ORDER BY s.subscription_id"""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query)).mappings()]


def deliveries(engine: sa.Engine, *, all_: bool = False, limit: int = 1_000) -> list[dict[str, Any]]:
    """Return notices that wait or were not taken, the newest first; with `all_` also those that were taken."""
    query = f"""SELECT delivery_id, subscription_id, topic, subject_id, jti::text AS notice, state, attempts, fault,
        made_at, next_at, ended_at FROM audit.delivery {"" if all_ else "WHERE state <> 'delivered'"}
        ORDER BY delivery_id DESC LIMIT :limit"""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query), {"limit": limit}).mappings()]


# --- what there is to tell ---

_CHANGES = f"""{recall.CHANGED}
SELECT g.record_id, g.at, said.credential_type, said.issuer, {recall.STANDS}
FROM changed AS g CROSS JOIN LATERAL (
    SELECT credential_type, issuer FROM (
        (SELECT credential_type, issuer, 0 AS rank FROM core.credential WHERE record_id = g.record_id
         ORDER BY part LIMIT 1)
        UNION ALL
        (SELECT credential_type, issuer, 1 FROM core_history.credential WHERE record_id = g.record_id
         ORDER BY closed_at DESC LIMIT 1)
    ) AS image ORDER BY rank LIMIT 1
) AS said
WHERE said.credential_type IN (SELECT code FROM access.subscription WHERE topic = 'credential' AND ended_at IS NULL)
"""
_ANY = "SELECT EXISTS (SELECT FROM access.subscription WHERE topic = 'credential' AND ended_at IS NULL)"
_NOTE = """INSERT INTO audit.change (record_id, changed_at, credential_type, issuer, status, since)
           VALUES %s ON CONFLICT DO NOTHING"""
_QUEUE = """
INSERT INTO audit.delivery (subscription_id, topic, subject_id, made_at, next_at)
SELECT s.subscription_id, s.topic, n.number, %(now)s, %(now)s FROM (
    SELECT 'recall' AS topic, organ AS whose, recall_id AS number, told_at AS at FROM audit.recall
    WHERE told_at > %(since)s
    UNION ALL SELECT 'credential', credential_type, change_id, noted_at FROM audit.change WHERE noted_at > %(since)s
    UNION ALL SELECT 'case', item_code, change_id, noted_at FROM audit.case_change WHERE noted_at > %(since)s
) AS n JOIN access.subscription AS s ON s.topic = n.topic AND s.ended_at IS NULL AND n.at >= s.made_at
    AND n.whose = CASE s.topic WHEN 'recall' THEN s.organ ELSE s.code END
ON CONFLICT DO NOTHING
"""


def queue(engine: sa.Engine, *, now: datetime | None = None, back: timedelta = recall.BACK) -> int:
    """Note changes of subscribed types, and put what is newly to be told into the queue; return how many notices."""
    at = now or datetime.now(UTC)
    with _transaction(engine) as cursor:
        cursor.execute(_ANY)
        if (cursor.fetchone() or (False,))[0]:
            cursor.execute(_CHANGES, {"since": at - back})
            stand = [(*row[:4], *recall.stands(row[4], local_day(at))) for row in cursor.fetchall()]
            execute_values(cursor, _NOTE, stand, page_size=1_000)
        cases.note(cursor)
        cursor.execute(_QUEUE, {"since": at - back, "now": at})
        return int(cursor.rowcount)


# --- taking, wording, settling ---

_TAKE = """
WITH due AS (
    SELECT d.delivery_id FROM access.subscription AS s CROSS JOIN LATERAL (
        SELECT delivery_id FROM audit.delivery
        WHERE subscription_id = s.subscription_id AND state = 'waiting' AND next_at <= %(now)s
        ORDER BY delivery_id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ) AS d WHERE s.ended_at IS NULL
)
UPDATE audit.delivery AS d SET attempts = d.attempts + 1, next_at = %(lease)s
FROM due, access.subscription AS s, access.client AS k
WHERE d.delivery_id = due.delivery_id AND s.subscription_id = d.subscription_id AND k.client_id = s.client_id
RETURNING d.delivery_id, d.subscription_id, d.topic, d.subject_id, d.jti::text, d.attempts, d.made_at, s.url, s.organ,
    s.code, s.purpose, k.revoked_at IS NULL AND k.expires_at > %(now)s
"""
_MAY_CHECK = """
SELECT x.class = 'unconditional' OR (x.class = 'conditional' AND EXISTS (
    SELECT FROM access."grant" AS g WHERE g.organ = %(organ)s AND g.kind = x.kind AND g.code = x.code
        AND g.purpose = %(purpose)s AND g.state = 'granted' AND g.valid_from <= %(today)s
        AND (g.valid_to IS NULL OR g.valid_to >= %(today)s)))
FROM access.sharing AS x WHERE x.kind = %(kind)s AND x.code = %(code)s AND x.ended_at IS NULL
"""
_CHANGE = """SELECT record_id, credential_type, issuer, status, since, changed_at FROM audit.change
             WHERE change_id = %s"""


def take(engine: sa.Engine, *, now: datetime, most: int = MOST_AT_ONCE) -> list[Due]:
    """Take what is due, some of each subscription; two processes never take the same at once."""
    with _transaction(engine) as cursor:
        cursor.execute(_TAKE, {"now": now, "most": most, "lease": now + LEASE})
        return sorted((Due(*row) for row in cursor.fetchall()), key=lambda one: one.delivery_id)


def worded(engine: sa.Engine, protector: Protector, due: Due, *, now: datetime) -> dict[str, Any] | None:
    """Return what a notice says; None where it may no longer be told: client or grant ended."""
    if not due.admitted:
        return None
    with _transaction(engine) as cursor:
        if due.topic == RECALL:
            found = recall.told(cursor, protector, due.organ, after=due.subject_id - 1, limit=1)
            said = [one for one in found if one["number"] == due.subject_id]
            return None if not said else {
                **said[0], "since": said[0]["since"] and said[0]["since"].isoformat(),
                "told_at": answers.instant(said[0]["told_at"]),
            }  # fmt: skip
        if due.topic not in (CREDENTIAL, CASE):
            return topics()[due.topic].worded(cursor, protector, due.organ, due.subject_id)
        asked = {"organ": due.organ, "purpose": due.purpose, "code": due.code, "today": local_day(now),
                 "kind": "item" if due.topic == CASE else "credential_type"}  # fmt: skip
        cursor.execute(_MAY_CHECK, asked)
        if not (cursor.fetchone() or (False,))[0]:
            return None
        if due.topic == CASE:
            return cases.told(cursor, due.subject_id)
        cursor.execute(_CHANGE, (due.subject_id,))
        record, kind, issuer, status, since, changed = cursor.fetchone() or ()
    return {
        "number": due.subject_id, "evidence": record, "type": kind, "issuer": issuer, "status": status,
        "since": since and since.isoformat(), "changed_at": answers.instant(changed),
    }  # fmt: skip


def delivered(engine: sa.Engine, due: Due, *, now: datetime) -> None:
    """Write down that a notice was taken."""
    _end(engine, due, "delivered", None, now)


def withheld(engine: sa.Engine, due: Due, *, now: datetime) -> None:
    """Write down that a notice may no longer be told."""
    _end(engine, due, "withheld", "no_longer_allowed", now)


def missed(engine: sa.Engine, due: Due, fault: str, *, now: datetime) -> str:
    """Let a notice that was not taken wait longer each time, until a day after it was made; return its state."""
    end = due.made_at + HOURS
    if now >= end:
        _end(engine, due, "given_up", fault, now)
        return "given_up"
    with _transaction(engine) as cursor:
        cursor.execute(
            "UPDATE audit.delivery SET next_at = %s, fault = %s WHERE delivery_id = %s AND state = 'waiting'",
            (min(now + pause(due.attempts), end), fault, due.delivery_id),
        )
    return "waiting"


def put_back(engine: sa.Engine, due: Due, *, now: datetime) -> None:
    """Put a notice back that was taken and not tried, because its receiver did not take the one before it."""
    with _transaction(engine) as cursor:
        cursor.execute(
            """UPDATE audit.delivery SET attempts = attempts - 1, next_at = %s
               WHERE delivery_id = %s AND state = 'waiting'""",
            (now + FIRST_WAIT, due.delivery_id),
        )


def pause(attempts: int) -> timedelta:
    """Return how long the next try is waited for: twice as long each time, two hours at most."""
    return min(FIRST_WAIT * (1 << min(attempts - 1, 20)), LONGEST_WAIT)


def _end(engine: sa.Engine, due: Due, state: str, fault: str | None, now: datetime) -> None:
    with _transaction(engine) as cursor:
        cursor.execute(
            """UPDATE audit.delivery SET state = %s, fault = %s, ended_at = %s
               WHERE delivery_id = %s AND state = 'waiting'""",
            (state, fault, now, due.delivery_id),
        )


@contextmanager
def _transaction(engine: sa.Engine) -> Iterator[Cursor]:
    raw = engine.raw_connection()
    try:
        with closing(raw.cursor()) as cursor:
            yield cast("Cursor", cursor)
        raw.commit()
    finally:
        raw.close()
