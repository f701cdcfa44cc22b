"""Inquiries of officers as rows: opened, ended, told to who asked; a row is one question to one department."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import psycopg2.extensions

from verification.checks import answers

Cursor = psycopg2.extensions.cursor
SILENT: Final = "silent"
"""What an inquiry is called that is open past its day: nobody answered, and nothing is concluded from that."""

_NAMES: Final = (
    "number", "check", "organ", "issuer", "type", "purpose", "state", "asked_at", "due", "answer", "reason",
    "answered_by", "ended_at", "client", "code",
)  # fmt: skip
_ROW: Final = """SELECT q.inquiry_id, q.check_id::text, q.organ, q.issuer, q.credential_type, q.purpose, q.state,
    q.asked_at, q.due, q.answer, q.reason, q.answered_by, q.ended_at, q.client_id, k.code
FROM audit.inquiry AS q JOIN access.client AS k USING (client_id) """
_OPEN: Final = """
INSERT INTO audit.inquiry (check_id, client_id, organ, issuer, credential_type, purpose, asked_at, due)
VALUES (%(check)s, %(client)s, %(organ)s, %(issuer)s, %(type)s, %(purpose)s, %(now)s, %(due)s) ON CONFLICT DO NOTHING
"""
_END: Final = """UPDATE audit.inquiry SET state = %(state)s, answer = %(answer)s, reason = %(reason)s,
    answered_by = %(by)s, ended_at = now() WHERE inquiry_id = %(number)s AND state = 'asked'"""


def begin(cursor: Cursor, values: Mapping[str, Any]) -> bool:
    """Open an inquiry; say whether: a check has one open inquiry at most."""
    cursor.execute(_OPEN, values)
    return bool(cursor.rowcount)


def end(
    cursor: Cursor, number: int, state: str, *, answer: str | None = None, reason: str | None = None,
    by: str | None = None,
) -> bool:  # fmt: skip
    """End an inquiry; say whether it was still open."""
    cursor.execute(_END, {"state": state, "answer": answer, "reason": reason, "by": by, "number": number})
    return bool(cursor.rowcount)


def overtake(cursor: Cursor, check_id: str) -> None:
    """End the open inquiry of a check that a feed has answered."""
    cursor.execute(
        "UPDATE audit.inquiry SET state = 'overtaken', ended_at = now() WHERE check_id = %s AND state = 'asked'",
        (check_id,),
    )


def of_check(cursor: Cursor, check_id: str) -> dict[str, Any] | None:
    """Return the newest inquiry of a check."""
    cursor.execute(_ROW + "WHERE q.check_id = %s ORDER BY q.inquiry_id DESC LIMIT 1", (check_id,))
    return _named(cursor.fetchone())


def found(cursor: Cursor, number: int, issuer: str) -> dict[str, Any] | None:
    """Return an inquiry to a department."""
    cursor.execute(_ROW + "WHERE q.inquiry_id = %s AND q.issuer = %s", (number, issuer))
    return _named(cursor.fetchone())


def stands(row: Mapping[str, Any], today: date) -> str:
    """Return the state of an inquiry as it is told: one that is open past its day is silent."""
    return SILENT if row["state"] == "asked" and row["due"] < today else str(row["state"])


def told(row: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Return what who asked is told of an inquiry."""
    return {
        "state": stands(row, today), "issuer": row["issuer"], "asked_at": answers.instant(row["asked_at"]),
        "due": row["due"].isoformat(), "answer": row["answer"], "reason": row["reason"],
        "ended_at": answers.instant(row["ended_at"]),
    }  # fmt: skip


def _named(row: tuple[Any, ...] | None) -> dict[str, Any] | None:
    return None if row is None else dict(zip(_NAMES, row, strict=True))
