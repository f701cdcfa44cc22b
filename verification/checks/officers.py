"""What no feed can tell is asked of an officer of the issuing department, who answers within a limit.

The answer is a new receipt on the same check that names its basis. Silence stays silence: past its day an inquiry is
listed as silent, the answer stays undetermined, and nothing is concluded. A feed that comes first ends the inquiry.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import orjson
import psycopg2.extensions
import sqlalchemy as sa

from hub.identifiers import resident_id
from hub.protect.keys import KeyTrouble
from hub.refusals import Contradicted, Fault, Malformed, NotAllowed, NotAuthenticated, NotFound
from hub.remark import one_line
from hub.visitor import OFFICER
from hub.workdays import after, local_day
from sharedrepo.clients import CONFIRM
from sharedrepo.models.inquiries import INQUIRY_ANSWERS
from verification.audit import log
from verification.audit.log import Entry
from verification.checks import answers, inquiring
from verification.checks.judging import Judged
from verification.checks.service import Checker
from verification.questions import CredentialCheck
from verification.rights.callers import Caller

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]
LONGEST_REASON: Final = 1_000
MOST: Final = 200
STATES: Final = ("open", "silent", "ended")
"""By what inquiries are listed: all that are open, of them those past their day, those that have ended."""
_NUMBER: Final = re.compile(r"\d{17}[\dXx]")

_NEWEST: Final = """SELECT e.kind, e.personal FROM audit.entry AS e
    WHERE e.check_id = %s AND e.organ = %s AND e.kind IN ('credential', 'prerequisites')
    ORDER BY e.entry_id DESC LIMIT 1"""
_ISSUERS: Final = """SELECT coalesce(array_agg(DISTINCT issuer), '{}') FROM access.feed
    WHERE kind = 'credential_type' AND code = %s AND issuer <> ''"""
_ANYBODY: Final = """SELECT EXISTS (SELECT FROM access.account
        WHERE %(role)s = ANY (roles) AND organ = %(issuer)s AND disabled_at IS NULL)
    OR EXISTS (SELECT FROM access.client
        WHERE organ = %(issuer)s AND %(right)s = ANY (rights) AND revoked_at IS NULL AND expires_at > now())"""
_ORGAN: Final = """SELECT name FROM core.organ WHERE code = %(organ)s OR credit_code = %(organ)s
    ORDER BY valid_from DESC NULLS LAST LIMIT 1"""
_LISTED: Final = """
SELECT q.inquiry_id AS number, q.organ, q.issuer, q.credential_type AS type, q.purpose, q.state, q.asked_at, q.due,
    q.answer, q.reason, q.answered_by, q.ended_at
FROM audit.inquiry AS q
WHERE (CAST(:issuer AS text) IS NULL OR q.issuer = :issuer)
    AND (CAST(:area AS text) IS NULL OR starts_with(substr(q.issuer, 3, 6), :area))
    AND CASE :state WHEN 'ended' THEN q.state <> 'asked' WHEN 'silent' THEN q.state = 'asked' AND q.due < :today
        ELSE q.state = 'asked' END
    AND q.inquiry_id > :after
ORDER BY q.inquiry_id LIMIT :limit
"""

# --- asking ---


def ask(checker: Checker, caller: Caller, check_id: str, *, issuer: str | None, days: int) -> Document:
    """Put an undetermined check to the issuing department; one that is put to it already stays as it is.

    Raises:
        NotFound: the caller's organ asked no such check.
        Contradicted: it is none that an officer can decide, it can be answered without one, or nobody there answers.
        Malformed: the question names no issuer, and neither does the request.
        NotAllowed, NotAuthenticated: the asker may not check this (any more).
        Unavailable: the log has not been sealed for too long.
    """
    checker.watch.mind()
    checker.mind(caller)
    now = checker.clock()
    row = checker.sessions.reading(lambda cursor: inquiring.of_check(cursor, check_id))
    asked = _asked(checker, caller.organ, check_id)
    if row is not None and row["state"] == "asked":
        return inquiring.told(row, local_day(now))
    if checker.judge(caller, asked, now).answer["outcome"] != "undetermined":
        raise Contradicted("the check can be answered without an officer", hint="Ask it again by POST /v1/checks.")
    whom = _issuer(checker, asked, issuer)
    values = {
        "check": check_id, "client": caller.client_id, "organ": caller.organ, "issuer": whom,
        "type": asked.credential.type, "purpose": asked.purpose, "now": now, "due": after(local_day(now), days).day,
    }  # fmt: skip
    with checker.sessions.transaction() as cursor:
        if inquiring.begin(cursor, values):
            seen = Entry(now, "read", "inquiry_asked", check_id, caller.client_id, caller.organ, purpose=asked.purpose)
            log.write(cursor, [seen])
        row = inquiring.of_check(cursor, check_id)
    assert row is not None  # noqa: S101  # it was begun above, or by somebody else at the same time
    return inquiring.told(row, local_day(now))


def told(checker: Checker, check_id: str) -> Document | None:
    """Return how the newest inquiry of a check stands, for who asked it."""
    row = checker.sessions.reading(lambda cursor: inquiring.of_check(cursor, check_id))
    return None if row is None else inquiring.told(row, local_day(checker.clock()))


def _asked(checker: Checker, organ: str, check_id: str) -> CredentialCheck:
    """Return what a check asked, out of the log."""

    def read(cursor: Cursor) -> Any:
        cursor.execute(_NEWEST, (check_id, organ))
        return cursor.fetchone()

    row = checker.sessions.reading(read)
    if row is None:
        raise NotFound("your organ has asked no check of this number", hint="Use the number of its answer.")
    kind, personal = row
    if kind != "credential":
        raise Contradicted(
            "an officer is asked about one credential", hint="Check the credential that is undetermined by itself."
        )
    try:
        said = orjson.loads(checker.protector.unseal(personal, context=log.CONTEXT)) if personal is not None else None
    except KeyTrouble:  # its key was destroyed, and with it what it was about
        said = None
    if said is None:
        raise Contradicted("what was asked has been erased", hint="Ask a new check.")
    asked = CredentialCheck.model_validate(said["asked"])
    if asked.known_at is not None:
        raise Contradicted(
            "what the hub knew at an earlier instant is nothing that an officer can say", hint="Ask without known_at."
        )
    return asked


def _issuer(checker: Checker, asked: CredentialCheck, named: str | None) -> str:
    """Return the department that is asked: the one that is named, else the only one that is known to issue these."""
    own = asked.credential.issuer

    def read(cursor: Cursor) -> list[str]:
        cursor.execute(_ISSUERS, (asked.credential.type,))
        return list((cursor.fetchone() or ([],))[0])

    if named is not None and own not in (None, named):
        raise _names("issuer_differs", "the check itself names another issuer")
    known = checker.sessions.reading(read)
    whom = named or own or (known[0] if len(known) == 1 else None)
    if whom is None:
        raise _names("issuer_missing", "several departments issue these, or none is known: name the one to ask")

    def anybody(cursor: Cursor) -> bool:
        cursor.execute(_ANYBODY, {"role": OFFICER, "right": CONFIRM, "issuer": whom})
        return bool((cursor.fetchone() or (False,))[0])

    if not checker.sessions.reading(anybody):
        raise Contradicted(
            "nobody at that department answers inquiries by this hub",
            hint="Ask it by another way, or wait for its feed.",
        )
    return whom


def _names(code: str, words: str) -> Malformed:
    return Malformed("the inquiry cannot be put", hint="Mend the field.", faults=[Fault("issuer", code, words)])


# --- answering ---


def listed(
    engine: sa.Engine, *, issuer: str | None, now: datetime, state: str = "open", area: str | None = None,
    after: int = 0, limit: int = MOST,
) -> list[Document]:  # fmt: skip
    """Return inquiries to one department, to those of an area, or to all, by number; never about whom they are."""
    today = local_day(now)
    values = {"issuer": issuer, "area": area, "state": state, "today": today, "after": after, "limit": limit}
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.text(_LISTED), values).mappings()]
    return [{**row, "state": inquiring.stands(row, today)} for row in rows]


def opened(checker: Checker, number: int, issuer: str, *, actor: str, client_id: int | None = None) -> Document:
    """Return an inquiry with its question, for who may answer it; the reading is logged under the issuing organ.

    Raises:
        NotFound: that department was asked no such thing.
    """
    row, asked = _open(checker, number, issuer)
    said = checker.protector.seal(orjson.dumps({"inquiry": number, "actor": actor}), context=log.CONTEXT)
    seen = Entry(checker.clock(), "read", "inquiry", None, client_id, issuer, personal=said)
    with checker.sessions.connection().cursor() as cursor:
        log.write(cursor, [seen])
    on = None if asked is None else (asked.on or local_day(checker.clock())).isoformat()
    held = None if asked is None else asked.credential.model_dump(mode="json", exclude_none=True)
    state = inquiring.stands(row, local_day(checker.clock()))
    shown = ("number", "organ", "issuer", "type", "purpose", "asked_at", "due", "answer", "reason", "ended_at")
    return {**{name: row[name] for name in shown}, "state": state, "on": on, "credential": held}


def answer(checker: Checker, number: int, issuer: str, *, said: str, reason: str, actor: str) -> str:
    """Answer an inquiry as an officer of its department: `yes`, `no` or `not_ours`, with a reason.

    Returns what became of it: `answered`, or `overtaken` where a feed had brought the answer meanwhile.

    Raises:
        Malformed: the answer is none of the three, or has no reason, or names a person.
        NotFound: that department was asked no such thing.
        Contradicted: it has ended already, or the asker may no longer be told, which ends it.
        Unavailable: the log has not been sealed for too long.
    """
    checker.watch.mind()
    words = _minded(said, reason)
    row, asked = _open(checker, number, issuer)
    if row["state"] != "asked":
        raise Contradicted("this inquiry has ended already", hint="Look at it again.")
    caller = Caller(row["client"], row["code"], row["organ"])
    judged = None
    if asked is not None:
        try:
            judged = checker.judge(caller, asked, checker.clock())
        except (NotAllowed, NotAuthenticated):  # a grant or a client that ended in between
            judged = None
    if judged is None:
        with checker.sessions.connection().cursor() as cursor:
            inquiring.end(cursor, number, "withdrawn")
        raise Contradicted(
            "who asked may no longer be told, and the inquiry is withdrawn", hint="There is nothing to do."
        )
    first = judged.answer["outcome"] != "undetermined"
    made = judged if first else _worded(checker, judged, row, said)

    def closing(cursor: Cursor) -> bool:
        if first:
            done = inquiring.end(cursor, number, "overtaken")
        else:
            done = inquiring.end(cursor, number, "answered", answer=said, reason=words, by=actor)
        if done and (first or said != "not_ours"):  # else a feed may still bring it
            cursor.execute(_WAITED, (row["check"],))
        return done

    if checker.anew(caller, made, row["check"], closing) is None:
        raise Contradicted("this inquiry has ended already", hint="Look at it again.")
    return "overtaken" if first else "answered"


_WAITED: Final = "UPDATE audit.waiting_check SET state = 'answered', question = NULL WHERE check_id = %s"


def _open(checker: Checker, number: int, issuer: str) -> tuple[Document, CredentialCheck | None]:
    row = checker.sessions.reading(lambda cursor: inquiring.found(cursor, number, issuer))
    if row is None:
        raise NotFound("your department was asked no such thing", hint="Go back to the list.")
    try:
        return row, _asked(checker, row["organ"], row["check"])
    except (Contradicted, NotFound):  # erased since
        return row, None


def _worded(checker: Checker, judged: Judged, row: Document, said: str) -> Judged:
    """Return an answer that stands on an officer's word."""

    def read(cursor: Cursor) -> Any:
        cursor.execute(_ORGAN, {"organ": row["issuer"]})
        return (cursor.fetchone() or (None,))[0]

    name = checker.sessions.reading(read)
    return replace(
        judged,
        answer=answers.of_officer(
            judged.answer, said, organ=row["issuer"], name=name, asked_at=row["asked_at"], at=checker.clock()
        ),
    )


def _minded(said: str, reason: str) -> str:
    words = one_line(reason)
    faults = []
    if said not in INQUIRY_ANSWERS:
        faults.append(Fault("answer", "unknown_answer", ", ".join(INQUIRY_ANSWERS)))
    if not words or len(words) > LONGEST_REASON:
        faults.append(Fault("reason", "reason_missing", f"1 to {LONGEST_REASON} characters"))
    if any(resident_id.fault(one.upper()) is None for one in _NUMBER.findall(words)):
        faults.append(Fault("reason", "personal_in_reason", "holds the number of a person"))
    if faults:
        raise Malformed("the answer cannot be taken", hint="Mend the fields.", faults=faults)
    return words
