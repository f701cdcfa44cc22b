"""Inquiries of officers as rows: opened, ended, told to who asked; a row is one question to one department.

A row is about the credential of a check, or about one option of its prerequisites; of each one is open at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import psycopg2.extensions

from verification.checks import answers
from verification.rules.words import Spoken, Word, Words

Cursor = psycopg2.extensions.cursor
SILENT: Final = "silent"
"""What an inquiry is called that is open past its day: nobody answered, and nothing is concluded from that."""

_NAMES: Final = (
    "number", "check", "organ", "issuer", "type", "item", "group", "option", "version", "asked_on", "held_on",
    "purpose", "state", "asked_at", "due", "answer", "reason", "answered_by", "ended_at", "client", "code",
)  # fmt: skip
_ROW: Final = """SELECT q.inquiry_id, q.check_id::text, q.organ, q.issuer, q.credential_type, q.item, q.group_place,
    q.option_place, q.item_version, q.asked_on, q.held_on, q.purpose, q.state, q.asked_at, q.due, q.answer, q.reason,
    q.answered_by, q.ended_at, q.client_id, k.code
FROM audit.inquiry AS q JOIN access.client AS k USING (client_id) """
_OPEN: Final = """
INSERT INTO audit.inquiry (check_id, client_id, organ, issuer, credential_type, item, group_place, option_place,
    item_version, asked_on, held_on, purpose, asked_at, due)
VALUES (%(check)s, %(client)s, %(organ)s, %(issuer)s, %(type)s, %(item)s, %(group)s, %(option)s, %(version)s,
    %(asked_on)s, %(held_on)s, %(purpose)s, %(now)s, %(due)s) ON CONFLICT DO NOTHING
"""
_END: Final = """UPDATE audit.inquiry SET state = %(state)s, answer = %(answer)s, reason = %(reason)s,
    answered_by = %(by)s, ended_at = %(at)s WHERE inquiry_id = %(number)s AND state = 'asked'"""
_ORGAN: Final = """SELECT o.name FROM core.organ AS o WHERE {} IN (o.code, o.credit_code)
    ORDER BY o.valid_from DESC NULLS LAST LIMIT 1"""
_SPOKEN: Final = f"""
SELECT q.group_place, q.option_place, q.item_version, q.asked_on, q.held_on, q.answer, q.issuer,
    ({_ORGAN.format("q.issuer")}), q.asked_at, q.ended_at
FROM audit.inquiry AS q WHERE q.check_id = %s AND q.group_place IS NOT NULL ORDER BY q.inquiry_id"""
_ANSWERS: Final = "SELECT count(*) FROM audit.entry WHERE check_id = %s AND kind = 'prerequisites'"


class SpokenMeanwhile(Exception):  # nothing is wrong: it is judged again
    """The same check was answered by another officer, a feed or a system, after it was judged."""


def begin(cursor: Cursor, values: Mapping[str, Any]) -> bool:
    """Open an inquiry; say whether: of one thing that is asked, one is open at most."""
    cursor.execute(_OPEN, values)
    return bool(cursor.rowcount)


def end(
    cursor: Cursor, number: int, state: str, at: datetime, *, answer: str | None = None, reason: str | None = None,
    by: str | None = None,
) -> bool:  # fmt: skip
    """End an inquiry; say whether it was still open."""
    cursor.execute(_END, {"state": state, "at": at, "answer": answer, "reason": reason, "by": by, "number": number})
    return bool(cursor.rowcount)


def overtake(cursor: Cursor, check_id: str) -> None:
    """End the open inquiries of a check that feeds have answered."""
    cursor.execute(
        "UPDATE audit.inquiry SET state = 'overtaken', ended_at = now() WHERE check_id = %s AND state = 'asked'",
        (check_id,),
    )


def name_of(cursor: Cursor, issuer: str) -> str | None:
    """Return the name of a department, as an answer that stands on its word has it."""
    cursor.execute(_ORGAN.format("%s"), (issuer,))
    name: str | None = (cursor.fetchone() or (None,))[0]
    return name


def words(cursor: Cursor, check_id: str) -> Words:
    """Return what officers said of the options of a check, and the day that it has been about since one was asked."""
    cursor.execute(_SPOKEN, (check_id,))
    rows = cursor.fetchall()
    spoken = tuple(
        Spoken((group, option), version, held_on, Word(said, issuer, name, asked_at, ended_at))
        for group, option, version, _, held_on, said, issuer, name, asked_at, ended_at in rows if said is not None
    )  # fmt: skip
    return Words(rows[0][3] if rows else None, spoken)


def mind_spoken(cursor: Cursor, check_id: str, seen: int | None) -> None:
    """Let nobody else answer this check until the transaction ends.

    Raises:
        SpokenMeanwhile: somebody has, since `seen` answers to it were counted.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"hub.check {check_id}",))
    if seen is None:
        return
    cursor.execute(_ANSWERS, (check_id,))
    if (cursor.fetchone() or (0,))[0] != seen:
        raise SpokenMeanwhile


def of_check(cursor: Cursor, check_id: str) -> list[dict[str, Any]]:
    """Return the newest inquiry of each thing that was asked in a check, by place."""
    cursor.execute(_ROW + "WHERE q.check_id = %s ORDER BY q.inquiry_id", (check_id,))
    rows = [dict(zip(_NAMES, row, strict=True)) for row in cursor.fetchall()]
    newest = {(row["group"], row["option"]): row for row in rows}
    return [newest[place] for place in sorted(newest, key=lambda place: (place[0] or 0, place[1] or 0))]


def found(cursor: Cursor, number: int, issuer: str) -> dict[str, Any] | None:
    """Return an inquiry to a department."""
    cursor.execute(_ROW + "WHERE q.inquiry_id = %s AND q.issuer = %s", (number, issuer))
    row = cursor.fetchone()
    return None if row is None else dict(zip(_NAMES, row, strict=True))


def stands(row: Mapping[str, Any], today: date) -> str:
    """Return the state of an inquiry as it is told: one that is open past its day is silent."""
    return SILENT if row["state"] == "asked" and row["due"] < today else str(row["state"])


def told(row: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Return what who asked is told of an inquiry; of an option which one it is."""
    place = {} if row["group"] is None else {"group": row["group"], "option": row["option"]}
    return {
        **place, "state": stands(row, today), "issuer": row["issuer"], "asked_at": answers.instant(row["asked_at"]),
        "due": row["due"].isoformat(), "answer": row["answer"], "reason": row["reason"],
        "ended_at": answers.instant(row["ended_at"]),
    }  # fmt: skip
