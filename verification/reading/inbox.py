"""What an organ is told of itself: its rows of the log, and its inbox of recalls; each reading is logged."""

from __future__ import annotations

from typing import Any, Final

import psycopg2.extensions

from verification.checks.judging import mind_admitted
from verification.checks.service import Checker
from verification.notices import recall
from verification.rights.callers import Caller

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]

_OWN_LOG: Final = """
SELECT e.entry_id AS number, e.recorded_at AS at, e.kind, e.outcome, e.check_id::text AS check, k.code AS client,
    e.purpose, coalesce(c.state, e.confirmed) AS case
FROM audit.entry AS e LEFT JOIN access.client AS k ON k.client_id = e.client_id
LEFT JOIN audit.confirmation AS c ON c.check_id = e.check_id
WHERE e.organ = %s AND e.entry_id > %s ORDER BY e.entry_id LIMIT %s"""


def log_of(checker: Checker, caller: Caller, *, after: int, limit: int) -> list[Document]:
    """Return rows of the log of the caller's organ, by number."""

    def read(cursor: Cursor) -> list[Document]:
        mind_admitted(cursor, caller)
        cursor.execute(_OWN_LOG, (caller.organ, after, limit))
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    rows = checker.sessions.reading(read)
    checker.noted(caller, "log")
    return rows


def recalls_of(checker: Checker, caller: Caller, *, after: int, limit: int) -> list[Document]:
    """Return what the caller's organ was told of evidence that no longer holds."""

    def read(cursor: Cursor) -> list[Document]:
        mind_admitted(cursor, caller)
        return recall.told(cursor, checker.protector, caller.organ, after=after, limit=limit)

    rows = checker.sessions.reading(read)
    checker.noted(caller, "recalls")
    return rows
