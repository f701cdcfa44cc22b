"""Checks that wait for a feed: kept locked, asked again, answered under the same number."""

from __future__ import annotations

from typing import Any, Protocol

import psycopg2.extensions
from pydantic import TypeAdapter

from hub.protect import Protector
from verification.evidence.sessions import Sessions
from verification.questions import Check, CredentialCheck, PrerequisitesCheck
from verification.rights.callers import Caller

Cursor = psycopg2.extensions.cursor
CONTEXT = "audit.waiting_check"
_CHECK: TypeAdapter[CredentialCheck | PrerequisitesCheck] = TypeAdapter(Check)
_OPEN = """SELECT w.check_id::text, w.question, k.client_id, k.code, k.organ FROM audit.waiting_check AS w
    JOIN access.client AS k USING (client_id) WHERE w.state = 'waiting' ORDER BY w.since, w.check_id LIMIT 1000"""


class Asking(Protocol):
    """What the checker can do that is needed here: it lets checks wait by this module, which so cannot know it."""

    @property
    def sessions(self) -> Sessions:
        """Where it reads and writes."""

    def again(
        self, caller: Caller, asked: CredentialCheck | PrerequisitesCheck, check_id: str
    ) -> dict[str, Any] | None:
        """Answer a waiting check anew; None while it would go on waiting."""


def add(
    cursor: Cursor, check_id: str, caller: Caller, asked: CredentialCheck | PrerequisitesCheck, protector: Protector
) -> None:
    """Let a check wait."""
    sealed = protector.seal(asked.model_dump_json(exclude_none=True).encode(), context=CONTEXT)
    cursor.execute(
        "INSERT INTO audit.waiting_check (check_id, client_id, question, until) VALUES (%s, %s, %s, %s)",
        (check_id, caller.client_id, sealed, asked.wait_until),
    )


def close(cursor: Cursor, check_id: str, state: str) -> bool:
    """End the waiting of a check, and say whether it waited; what was asked is not kept here any longer."""
    cursor.execute(
        "UPDATE audit.waiting_check SET state = %s, question = NULL WHERE check_id = %s AND state = 'waiting'",
        (state, check_id),
    )
    return bool(cursor.rowcount)


def answer_all(checker: Asking, protector: Protector) -> dict[str, int]:
    """Ask every waiting check again; return how many were answered, how many were refused, and how many wait on."""
    from hub.refusals import RequestRefused  # noqa: PLC0415  # beside the only place that meets it

    counts = {"answered": 0, "refused": 0, "waiting": 0}

    def read(cursor: Cursor) -> list[tuple[str, bytes, int, str, str]]:
        cursor.execute(_OPEN)
        return list(cursor.fetchall())

    for check_id, question, client_id, code, organ in checker.sessions.reading(read):
        asked = _CHECK.validate_json(protector.unseal(question, context=CONTEXT))
        try:
            done = checker.again(Caller(client_id, code, organ), asked, check_id)
            counts["waiting" if done is None else "answered"] += 1
        except RequestRefused:  # a grant or a client that ended in between
            with checker.sessions.connection().cursor() as cursor:
                close(cursor, check_id, "lapsed")
            counts["refused"] += 1
    return counts
