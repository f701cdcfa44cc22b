"""An undetermined check is put to the department that issues what it is about: to whom, and about which thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

import psycopg2.extensions

from hub.refusals import Contradicted
from hub.visitor import OFFICER
from hub.workdays import after, local_day
from sharedrepo.access.clients import CONFIRM
from verification.audit import log
from verification.audit.log import Entry
from verification.checks import inquiring, options, reread
from verification.checks.judging import Judged
from verification.checks.options import Wanted
from verification.checks.service import Checker
from verification.questions import CredentialCheck, PrerequisitesCheck
from verification.rights.callers import Caller
from verification.rules.words import Place

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]

_ANYBODY: Final = """SELECT EXISTS (SELECT FROM access.account
        WHERE %(role)s = ANY (roles) AND organ = %(issuer)s AND disabled_at IS NULL)
    OR EXISTS (SELECT FROM access.client
        WHERE organ = %(issuer)s AND %(right)s = ANY (rights) AND revoked_at IS NULL AND expires_at > now())"""
_WHAT: Final = "the inquiry cannot be put"
_NO_OFFICER: Final = "the check can be answered without an officer"


def ask(
    checker: Checker, caller: Caller, check_id: str, *, issuer: str | None, place: Place | None, days: int
) -> Document:
    """Put an undetermined check to the issuing department; what is put to it already stays as it is.

    Raises:
        NotFound: the caller's organ asked no such check.
        Contradicted: it is none that an officer can decide, it can be answered without one, or nobody there answers.
        Malformed: neither the question nor the request names the issuer, or which option is meant.
        NotAllowed, NotAuthenticated: the asker may not check this (any more).
        Unavailable: the log has not been sealed for too long.
    """
    checker.watch.mind()
    checker.mind(caller)
    earlier = reread.earlier(checker, caller.organ, check_id)
    asked = earlier.asked
    now = checker.clock()
    if isinstance(asked, CredentialCheck):
        facts = _about_credential(checker, caller, check_id, asked, issuer, place, now)
    else:
        facts = _about_option(checker, caller, check_id, asked, issuer, place, now, earlier.on)
    values = {
        "check": check_id, "client": caller.client_id, "organ": caller.organ, "purpose": asked.purpose, "now": now,
        "due": after(local_day(now), days).day, **facts,
    }  # fmt: skip
    with checker.sessions.transaction() as cursor:
        if facts["issuer"] is not None and inquiring.begin(cursor, values):
            seen = Entry(now, "read", "inquiry_asked", check_id, caller.client_id, caller.organ, purpose=asked.purpose)
            log.write(cursor, [seen])
        rows = inquiring.of_check(cursor, check_id)
    (row,) = (one for one in rows if (one["group"], one["option"]) == (facts["group"], facts["option"]))
    return inquiring.told(row, local_day(now))


def told(checker: Checker, check_id: str) -> Document:
    """Return how the inquiries of a check stand, as they stand beside its answer: none where none was put."""
    rows = checker.sessions.reading(lambda cursor: inquiring.of_check(cursor, check_id))
    said = [inquiring.told(one, local_day(checker.clock())) for one in rows]
    if not said:
        return {}
    return {"inquiries": said} if "group" in said[0] else {"inquiry": said[0]}


# --- what it is about ---


def _about_credential(
    checker: Checker, caller: Caller, check_id: str, asked: CredentialCheck, issuer: str | None, place: Place | None,
    now: datetime,
) -> Document:  # fmt: skip
    nothing = dict.fromkeys(("item", "group", "option", "version", "asked_on", "held_on"))
    facts = {**nothing, "type": asked.credential.type, "issuer": None}
    if place is not None:
        raise reread.mend(_WHAT, "option", "option_unknown", "a check of one credential has no options")
    rows = checker.sessions.reading(lambda cursor: inquiring.of_check(cursor, check_id))
    if rows and rows[0]["state"] == "asked":
        return facts
    if checker.judge(caller, asked, now).answer["outcome"] != "undetermined":
        raise Contradicted(_NO_OFFICER, hint="Ask it again by POST /v1/checks.")
    own = asked.credential.issuer
    known = checker.sessions.reading(lambda cursor: options.issuers(cursor, credential=asked.credential.type))
    return {**facts, "issuer": _issuer(checker, named=issuer, own=own, known=known)}


def _about_option(
    checker: Checker, caller: Caller, check_id: str, asked: PrerequisitesCheck, issuer: str | None,
    place: Place | None, now: datetime, on: date,
) -> Document:  # fmt: skip
    words = checker.words(check_id)
    judged = checker.judge(caller, asked, now, replace(words, on=words.on or on))
    which, said = _chosen(checker, caller, judged, asked, issuer, place)
    if said.holder == "project" and asked.project is None:
        raise Contradicted("the check names no project, which must hold this", hint="Ask a new check with the project.")
    facts = {
        "type": said.credential, "item": said.item, "group": which[0], "option": which[1],
        "version": judged.answer["item_version"], "asked_on": date.fromisoformat(judged.answer["on"]),
        "held_on": judged.days[which[0]], "issuer": None,
    }  # fmt: skip
    rows = checker.sessions.reading(lambda cursor: inquiring.of_check(cursor, check_id))
    if any((one["group"], one["option"], one["state"]) == (*which, "asked") for one in rows):
        return facts
    return {**facts, "issuer": _issuer(checker, named=issuer, own=said.issued_by, known=_known(checker, said))}


def _chosen(
    checker: Checker, caller: Caller, judged: Judged, asked: PrerequisitesCheck, issuer: str | None,
    place: Place | None,
) -> tuple[Place, Wanted]:  # fmt: skip
    """Return the option that is meant: the one that is named, else the only one whose department is known."""
    version, open_ = judged.answer["item_version"], list(options.undetermined(judged))

    def wanted(which: Place) -> Wanted:
        return checker.sessions.reading(lambda cursor: options.wanted(cursor, asked.item, version, which))

    if place is not None:
        options.mind(checker, caller, judged, place, _WHAT)
        if judged.answer["outcome"] != "undetermined" or place not in open_:
            raise Contradicted(_NO_OFFICER, hint="Ask it again by POST /v1/checks.")
        return place, wanted(place)
    if judged.answer["outcome"] != "undetermined" or not open_:
        raise Contradicted(_NO_OFFICER, hint="Ask it again by POST /v1/checks.")
    all_ = [(one, wanted(one)) for one in open_]
    fitting = [(one, said) for one, said in all_ if _fits(issuer, said, _known(checker, said))]
    if len(fitting) == 1 or len(all_) == 1:
        return (fitting or all_)[0]
    raise reread.mend(_WHAT, "option", "option_missing", "several are undetermined: name the group and the option")


# --- whom ---


def _known(checker: Checker, said: Wanted) -> list[str]:
    return checker.sessions.reading(
        lambda cursor: options.issuers(cursor, credential=said.credential, item=said.item)
    )  # fmt: skip


def _fits(named: str | None, said: Wanted, known: list[str]) -> bool:
    """Say whether an option is meant where none is named: its department is known, and is the one that is named."""
    if named is None:
        return said.issued_by is not None or len(known) == 1
    return named == said.issued_by if said.issued_by is not None else named in known


def _issuer(checker: Checker, *, named: str | None, own: str | None, known: list[str]) -> str:
    """Return the department that is asked: the one that is named, else the only one that is known to issue these."""
    whom = reread.issuer(_WHAT, named=named, own=own, known=known)

    def anybody(cursor: Cursor) -> bool:
        cursor.execute(_ANYBODY, {"role": OFFICER, "right": CONFIRM, "issuer": whom})
        return bool((cursor.fetchone() or (False,))[0])

    if not checker.sessions.reading(anybody):
        raise Contradicted(
            "nobody at that department answers inquiries by this hub",
            hint="Ask it by another way, or wait for its feed.",
        )
    return whom
