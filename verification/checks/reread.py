"""What a check asked and was told last, read back out of the log; and which department one asks about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
import psycopg2.extensions

from hub.protect.keys import KeyTrouble
from hub.refusals import Contradicted, Fault, Malformed, NotFound
from verification.audit import log
from verification.checks.service import Checker
from verification.questions import CredentialCheck, PrerequisitesCheck

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]
Asked = CredentialCheck | PrerequisitesCheck

_NEWEST: Final = """SELECT e.kind, e.personal, e.answer FROM audit.entry AS e
    WHERE e.check_id = %s AND e.organ = %s AND e.kind IN ('credential', 'prerequisites')
    ORDER BY e.entry_id DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was asked, and the newest answer to it."""

    asked: Asked
    answer: Document

    @property
    def on(self) -> date:
        """Return the day that the answer is about."""
        return date.fromisoformat(self.answer["on"])


def earlier(checker: Checker, organ: str, check_id: str) -> Earlier:
    """Return what a check asked, and its newest answer.

    Raises:
        NotFound: the organ asked no such check.
        Contradicted: it has been erased, or is about an earlier instant.
    """
    row = checker.sessions.reading(lambda cursor: _newest(cursor, organ, check_id))
    if row is None:
        raise NotFound("your organ has asked no check of this number", hint="Use the number of its answer.")
    kind, personal, answer = row
    try:
        said = orjson.loads(checker.protector.unseal(personal, context=log.CONTEXT)) if personal is not None else None
    except KeyTrouble:  # its key was destroyed, and with it what it was about
        said = None
    if said is None:
        raise contradicted("erased", "what was asked has been erased", "Ask a new check.")
    asked: Asked = (PrerequisitesCheck if kind == "prerequisites" else CredentialCheck).model_validate(said["asked"])
    if isinstance(asked, CredentialCheck) and asked.known_at is not None:
        raise contradicted(
            "known_at", "what the hub knew at an earlier instant is nothing that its department can say",
            "Ask without known_at.",
        )  # fmt: skip
    return Earlier(asked, orjson.loads(answer))


def answer(cursor: Cursor, organ: str, check_id: str) -> Document:
    """Return the newest answer to a check that is there."""
    row = _newest(cursor, organ, check_id)
    assert row is not None  # noqa: S101  # entries of the log are never taken away
    told: Document = orjson.loads(row[2])
    return told


def issuer(what: str, *, named: str | None, own: str | None, known: Sequence[str]) -> str:
    """Return the department that is asked: the one that is named, else the only one that is known to issue these.

    Raises:
        Malformed: there is none, or the check names another one; `what` says what so cannot be done.
    """
    if named is not None and own not in (None, named):
        raise mend(what, "issuer", "issuer_differs", "the check itself names another issuer")
    whom = named or own or (known[0] if len(known) == 1 else None)
    if whom is None:
        raise mend(
            what, "issuer", "issuer_missing", "several departments issue these, or none is known: name the one to ask"
        )
    return whom


def mend(what: str, field: str, code: str, words: str) -> Malformed:
    """Return the refusal of a request in which a field is to be mended."""
    return Malformed(what, hint="Mend the field.", faults=[Fault(field, code, words)])


def contradicted(code: str, got: str, hint: str) -> Contradicted:
    """Return the refusal of what cannot be asked about a check as it stands, by a code."""
    return Contradicted(got, hint=hint, faults=[Fault("check", code, got)])


def _newest(cursor: Cursor, organ: str, check_id: str) -> Any:
    cursor.execute(_NEWEST, (check_id, organ))
    return cursor.fetchone()
