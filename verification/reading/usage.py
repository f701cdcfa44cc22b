"""Who checked me: what the log holds about one person or organisation, for the portal that knows who is asking.

The shapes are those of the Estonian data tracker (andmejälgija, protocol 2.0: findUsage, usagePeriod, heartbeat), with
`hiddenUntil` and `hiddenReason` of its third version. One thing is otherwise: whom it is about never stands in the URL.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import orjson
import psycopg2.extensions

from verification.audit import log
from verification.audit.log import Entry
from verification.checks import answers
from verification.checks.service import Checker
from verification.evidence.holders import Holder
from verification.rights import disclosure
from verification.rules import names

Cursor = psycopg2.extensions.cursor
MOST: Final = 1_000
ACTIONS: Final = {"credential": "核验证照", "prerequisites": "核验前置审批"}
"""What was done, in plain words; the purpose that the asker named goes after it."""

_HELD = """d.organ = u.organ AND d.purpose = u.purpose AND u.at >= d.begins_at
    AND (d.ends_at IS NULL OR u.at < d.ends_at)"""
_SHOWN = f"""
WITH u AS (
    SELECT check_id, kind, client_id, organ, purpose, min(recorded_at) AS at, min(entry_id) AS number
    FROM audit.entry WHERE subject_hash = ANY(%(subjects)s) AND kind IN ('credential', 'prerequisites')
        AND (%(since)s::timestamptz IS NULL OR recorded_at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR recorded_at < %(until)s)
    GROUP BY check_id, kind, client_id, organ, purpose
), shown AS (
    SELECT u.* FROM u WHERE NOT EXISTS (
        SELECT FROM access.disclosure_delay AS d WHERE {_HELD} AND d.hidden_until > %(now)s
            AND (d.state = 'granted' OR (d.state = 'asked' AND d.asked_at > %(unanswered)s)))
)
"""
_COUNT = f"{_SHOWN} SELECT count(*) FROM shown"
_PAGE = f"""{_SHOWN}
SELECT u.at, u.kind, u.purpose, u.organ, k.code, (
    SELECT o.name FROM core.organ AS o WHERE o.code = u.organ OR o.credit_code = u.organ
    ORDER BY o.valid_from DESC LIMIT 1), past.hidden_until, past.legal_basis
FROM (SELECT * FROM shown ORDER BY at DESC, number DESC LIMIT %(limit)s OFFSET %(offset)s) AS u
LEFT JOIN access.client AS k ON k.client_id = u.client_id
LEFT JOIN LATERAL (SELECT d.legal_basis,
        CASE d.state WHEN 'ended' THEN least(d.hidden_until, d.answered_at) ELSE d.hidden_until END AS hidden_until
    FROM access.disclosure_delay AS d
    WHERE {_HELD} AND d.state IN ('granted', 'ended') ORDER BY d.hidden_until DESC LIMIT 1) AS past ON TRUE
ORDER BY u.at DESC, u.number DESC
"""
_FIRST = "SELECT recorded_at FROM audit.entry ORDER BY entry_id, recorded_at LIMIT 1"


def find(
    checker: Checker, *, client_id: int, organ: str, viewer: str, subject: str, since: datetime | None,
    until: datetime | None, offset: int, limit: int, now: datetime | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the checks about a person or organisation, newest first; who looked at whom is logged, locked.

    What a delay hides is neither shown nor counted. A check that was answered twice stands once.
    """
    at = now or datetime.now(UTC)
    subjects = _subjects(checker, subject)
    asked = {
        "subjects": list(subjects), "since": since, "until": until, "now": at,
        "unanswered": at - disclosure.UNANSWERED, "limit": limit, "offset": offset,
    }  # fmt: skip

    def read(cursor: Cursor) -> tuple[int, list[tuple[Any, ...]]]:
        cursor.execute(_COUNT, asked)
        total = int((cursor.fetchone() or (0,))[0])
        cursor.execute(_PAGE, asked)
        return total, cursor.fetchall()

    total, rows = checker.sessions.reading(read)
    who = orjson.dumps({"viewer": viewer, "subject": subject})
    seen = Entry(
        at, "read", "usage", None, client_id, organ, personal=checker.protector.seal(who, context=log.CONTEXT),
        subject_hash=subjects[0],
    )  # fmt: skip
    with checker.sessions.connection().cursor() as cursor:
        log.write(cursor, [seen])
    return {"totalUsages": total, "usages": [_told(*row) for row in rows]}


def _told(
    at: datetime, kind: str, purpose: str, organ: str, system: str | None, name: str | None,
    hidden_until: datetime | None, basis: str | None,
) -> dict[str, Any]:  # fmt: skip
    told = {
        "logtime": answers.instant(at), "action": f"{ACTIONS[kind]}:{purpose}", "receiverCode": organ,
        "receiverName": name or organ, "receiverSystem": system or "-",
    }  # fmt: skip
    return told if basis is None else {
        **told, "hiddenUntil": answers.instant(hidden_until), "hiddenReason": basis
    }  # fmt: skip


def _subjects(checker: Checker, number: str) -> tuple[bytes, ...]:
    """Return the hashes under which the log knows a number: itself, and the older one that it holds."""
    shorter = names.contained(number)
    return tuple(
        Holder(checker.protector, checker.sessions.reading, number=one, name=None).subject()
        for one in (number, shorter) if one is not None
    )  # fmt: skip


def period(checker: Checker) -> dict[str, Any]:
    """Return since when the log holds checks; to now, so that no end is said."""

    def read(cursor: Cursor) -> datetime | None:
        cursor.execute(_FIRST)
        row = cursor.fetchone()
        return None if row is None else row[0]

    first = checker.sessions.reading(read)
    return {"periodStart": answers.instant(first or datetime.now(UTC))}
