"""What no feed can tell is asked of an officer of the issuing department, who answers within a limit.

The answer is a new receipt on the same check that names its basis. Silence stays silence: past its day an inquiry is
listed as silent, the answer stays undetermined, and nothing is concluded. A feed that comes first ends the inquiry.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast

import orjson
import psycopg2.extensions
import sqlalchemy as sa

from hub.identifiers import resident_id
from hub.refusals import Contradicted, Fault, Malformed, NotAllowed, NotAuthenticated, NotFound
from hub.remark import one_line
from hub.workdays import local_day
from sharedrepo.models.inquiries import INQUIRY_ANSWERS
from verification.audit import log
from verification.audit.log import Entry
from verification.checks import answers, inquiring, options, reread
from verification.checks.judging import Judged
from verification.checks.reread import Asked
from verification.checks.service import Checker
from verification.questions import CredentialCheck, PrerequisitesCheck
from verification.rights.callers import Caller
from verification.rules.words import Said, Spoken, Word

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]
LONGEST_REASON: Final = 1_000
MOST: Final = 200
STATES: Final = ("open", "silent", "ended")
"""By what inquiries are listed: all that are open, of them those past their day, those that have ended."""
_NUMBER: Final = re.compile(r"\d{17}[\dXx]")

_LISTED: Final = """
SELECT q.inquiry_id AS number, q.organ, q.issuer, q.credential_type AS type, q.item, q.purpose, q.state, q.asked_at,
    q.due, q.answer, q.reason, q.answered_by, q.ended_at
FROM audit.inquiry AS q
WHERE (CAST(:issuer AS text) IS NULL OR q.issuer = :issuer)
    AND (CAST(:area AS text) IS NULL OR starts_with(substr(q.issuer, 3, 6), :area))
    AND CASE :state WHEN 'ended' THEN q.state <> 'asked' WHEN 'silent' THEN q.state = 'asked' AND q.due < :today
        ELSE q.state = 'asked' END
    AND q.inquiry_id > :after
ORDER BY q.inquiry_id LIMIT :limit
"""


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
    now = checker.clock()
    seen = Entry(now, "read", "inquiry", None, client_id, issuer, personal=said)
    with checker.sessions.connection().cursor() as cursor:
        log.write(cursor, [seen])
        option = _option(cursor, row, asked) if isinstance(asked, PrerequisitesCheck) else None
    held = on = None
    if isinstance(asked, CredentialCheck):
        held = asked.credential.model_dump(mode="json", exclude_none=True)
        on = (asked.on or local_day(now)).isoformat()
    shown = ("number", "organ", "issuer", "type", "item", "purpose", "asked_at", "due", "answer", "reason", "ended_at")
    return {
        **{name: row[name] for name in shown}, "state": inquiring.stands(row, local_day(now)),
        "on": on if option is None else option.pop("on"), "credential": held, "option": option,
    }  # fmt: skip


def _option(cursor: Cursor, row: Document, asked: PrerequisitesCheck) -> Document:
    said = options.wanted(cursor, asked.item, row["version"], (row["group"], row["option"]))
    return options.shown(cursor, said, asked, row["held_on"])


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
    word, words = _minded(said, reason)
    while True:
        try:
            return _answer(checker, number, issuer, word, words, actor)
        except inquiring.SpokenMeanwhile:  # each time the check was answered by others: they are few
            continue


def _answer(checker: Checker, number: int, issuer: str, said: Said, words: str, actor: str) -> str:
    row, asked = _open(checker, number, issuer)
    if row["state"] != "asked":
        raise Contradicted("this inquiry has ended already", hint="Look at it again.")
    now = checker.clock()
    word = Word(
        said, issuer, checker.sessions.reading(lambda cursor: inquiring.name_of(cursor, issuer)), row["asked_at"], now
    )
    try:
        made = None if asked is None else _made(checker, row, asked, word)
    except (NotAllowed, NotAuthenticated, NotFound):  # a grant, a client or an item that ended in between
        made = None
    if made is None:
        with checker.sessions.connection().cursor() as cursor:
            inquiring.end(cursor, number, "withdrawn", now)
        raise Contradicted(
            "who asked may no longer be told, or its check is about something else by now: the inquiry is withdrawn",
            hint="There is nothing to do.",
        )
    judged, first = made

    def closing(cursor: Cursor) -> bool:
        if first:
            done = inquiring.end(cursor, number, "overtaken", now)
        else:
            done = inquiring.end(cursor, number, "answered", now, answer=said, reason=words, by=actor)
        if done and not judged.waits and (first or said != "not_ours"):  # else a feed may still bring it
            cursor.execute(_WAITED, (row["check"],))
        return done

    if checker.anew(Caller(row["client"], row["code"], row["organ"]), judged, row["check"], closing) is None:
        raise Contradicted("this inquiry has ended already", hint="Look at it again.")
    return "overtaken" if first else "answered"


_WAITED: Final = "UPDATE audit.waiting_check SET state = 'answered', question = NULL WHERE check_id = %s"


def _made(checker: Checker, row: Document, asked: Asked, word: Word) -> tuple[Judged, bool] | None:
    """Return the answer that goes out, and whether a feed was first with it; None where nothing may be told."""
    caller = Caller(row["client"], row["code"], row["organ"])
    if isinstance(asked, CredentialCheck):
        judged = checker.judge(caller, asked, word.answered_at)
        if judged.answer["outcome"] != "undetermined":
            return judged, True
        return replace(judged, answer=answers.of_officer(judged.answer, word)), False
    place = (row["group"], row["option"])
    earlier = checker.words(row["check"])
    spoken = Spoken(place, row["version"], row["held_on"], word)
    judged = checker.judge(caller, asked, word.answered_at, earlier.and_(spoken))
    if not spoken.fits(judged.answer["item_version"], judged.days):
        return None
    option = judged.answer["groups"][place[0]]["options"][place[1]]
    if option["reason"] == "not_granted":
        return None
    return judged, "officer" not in option


def _open(checker: Checker, number: int, issuer: str) -> tuple[Document, Asked | None]:
    row = checker.sessions.reading(lambda cursor: inquiring.found(cursor, number, issuer))
    if row is None:
        raise NotFound("your department was asked no such thing", hint="Go back to the list.")
    try:
        return row, reread.earlier(checker, row["organ"], row["check"]).asked
    except (Contradicted, NotFound):  # erased since
        return row, None


def _minded(said: str, reason: str) -> tuple[Said, str]:
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
    return cast("Said", said), words
