"""A question judged by what the repository holds: looked up and answered; nothing is signed or written here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import psycopg2.extensions

from hub.protect import Protector
from hub.refusals import NotAuthenticated, NotFound
from hub.workdays import local_day
from verification.checks import answers
from verification.evidence import gathering, looking
from verification.evidence.holders import Holder
from verification.evidence.sessions import Sessions
from verification.questions import CredentialCheck, PrerequisitesCheck
from verification.rights.callers import Caller
from verification.rules import comparing, prerequisites
from verification.rules.freshness import Freshness
from verification.rules.words import Place, Words

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]
WAITS_FOR: Final = ("feed_behind", "no_feed", "source_has_none", "source_record_refused")
"""The reasons of an undetermined answer that a feed may take away."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer before it is signed, with what only the log keeps of it."""

    asked: CredentialCheck | PrerequisitesCheck
    answer: Document
    holder: Holder
    grant_id: int | None
    records: tuple[int, ...] = ()
    answers: int | None = None
    """How many answers to this check were known when it was judged; None where nothing is carried from one to the next.
    """
    unsure: tuple[Place, ...] = ()
    """The options of which nobody knows whether they are met, or still are."""

    @property
    def waits(self) -> bool:
        """Say whether the asker would wait for a feed, and one could change the answer."""
        undetermined = self.answer["outcome"] == "undetermined"
        options = [one for group in self.answer.get("groups", ()) for one in group["options"]]
        reasons = {self.answer.get("reason"), *(one["reason"] for one in options)}
        return self.asked.wait_until is not None and undetermined and bool(reasons & set(WAITS_FOR))

    @property
    def days(self) -> list[date]:
        """Return the days on which its groups must hold."""
        return [date.fromisoformat(group["day"]) for group in self.answer["groups"]]


def of_credential(
    sessions: Sessions, protector: Protector, asked: CredentialCheck, looked: looking.Looked, now: datetime
) -> Judged:
    """Answer a check of one credential that was looked up."""
    said = asked.credential
    holder = Holder(protector, sessions.reading, number=said.holder_number, name=said.holder_name)
    moment = min(now, asked.known_at) if asked.known_at is not None else now
    on = asked.on or local_day(moment)
    around = comparing.Circumstances(
        on, Freshness.of(on=on, now=moment, hours=looked.fresh_hours), looked.feeds, looked.stale_allowed,
        holder.compared,
    )  # fmt: skip
    question = comparing.Question(
        said.type, said.number, said.issuer, said.version, said.holder_number, said.holder_name, said.valid_from,
        said.valid_to,
    )  # fmt: skip
    answer = comparing.answer(question, looked.found, around)
    confirmed = _confirmed(holder, looked.cases, looked.party_numbers, looked.party_names)
    told = answers.of_credential(answer, confirmed=confirmed)
    if asked.known_at is not None:
        told["known_at"] = answers.instant(asked.known_at)
    return Judged(asked, told, holder, looked.grant_id, answer.records)


def of_prerequisites(
    sessions: Sessions, protector: Protector, caller: Caller, asked: PrerequisitesCheck, now: datetime, words: Words
) -> Judged | None:
    """Look the prerequisites of an item up and answer them; None where the asker may see none of them.

    From its first inquiry on a check is about the day that it had then, so that what officers said goes on holding.

    Raises:
        NotAuthenticated: the client was revoked.
        NotFound: there is no such item on that day.
    """
    return sessions.reading(lambda cursor: _prerequisites(cursor, sessions, protector, caller, asked, now, words))


def _prerequisites(
    cursor: Cursor, sessions: Sessions, protector: Protector, caller: Caller, asked: PrerequisitesCheck, now: datetime,
    words: Words,
) -> Judged | None:  # fmt: skip
    mind_admitted(cursor, caller)
    holder = Holder(protector, sessions.reading, number=asked.applicant.number, name=asked.applicant.name)
    own = gathering.own_case(cursor, asked.case, caller.organ)
    on = asked.on or words.on or local_day(now)
    version = gathering.item(cursor, asked.item, own.accepted or on)
    if version is None:
        known = gathering.known_item(cursor, asked.item)
        got = "the item was not in force on that day" if known else "no item of the catalogue has this number"
        raise NotFound(got, hint="See the catalogue of items.")
    days = {"application": own.applied or on, "acceptance": own.accepted or on, "decision": on}
    groups = gathering.groups(
        cursor, version.requirements, days=days, organ=caller.organ, purpose=asked.purpose, now=now,
        today=local_day(now),
    )  # fmt: skip
    options = [one for group in groups for one in group.any_of]
    if options and not any(one.allowed for one in options):
        return None
    found = gathering.evidence(cursor, groups, hashes=sorted(holder.number_hashes), project=asked.project)
    said = words.over(version.version, [one.day for one in groups])
    outcome, told = prerequisites.evaluate(groups, found, said, words.heard_of(version.version))
    answer = answers.of_prerequisites(
        outcome, told, item=version.code, version=version.version, on=on,
        confirmed=_confirmed(holder, own.cases, own.party_numbers, own.party_names),
    )  # fmt: skip
    return Judged(asked, answer, holder, None, answers=words.answers, unsure=tuple(prerequisites.unsure(told)))


def _confirmed(holder: Holder, cases: int, numbers: frozenset[bytes], people: frozenset[bytes]) -> str:
    return "confirmed" if cases and holder.is_party(numbers, people) else "not_yet"


def mind_admitted(cursor: Cursor, caller: Caller) -> None:
    """Go on only for a client that still has its rights.

    Raises:
        NotAuthenticated: it was revoked, or has expired.
    """
    cursor.execute(
        "SELECT revoked_at IS NULL AND expires_at > now() FROM access.client WHERE client_id = %s", (caller.client_id,)
    )
    mind_right((cursor.fetchone() or (False,))[0])


def mind_right(admitted: bool | None) -> None:
    """Go on only where a query found that the client still has its rights.

    Raises:
        NotAuthenticated: it found otherwise.
    """
    if not admitted:
        raise NotAuthenticated("this client was revoked", hint="Ask the hub's operators for a new one.")
