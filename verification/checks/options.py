"""One option of an item's prerequisites, as an officer of the issuing department is asked about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import psycopg2.extensions

from hub.refusals import NotAllowed
from verification.checks import reread
from verification.checks.judging import Judged
from verification.checks.service import Checker
from verification.evidence import gathering
from verification.questions import PrerequisitesCheck
from verification.rights.callers import Caller
from verification.rules.words import Place

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]

_GROUP: Final = """
SELECT f.content -> 'requirements' -> %(group)s FROM catalog.in_force AS f
WHERE f.version = %(version)s AND f.item_id = coalesce(
    (SELECT item_id FROM catalog.item WHERE code = %(item)s),
    (SELECT item_id FROM catalog.item_number WHERE number = %(item)s))
"""
_NAME: Final = """SELECT content ->> 'name' FROM catalog.in_force
    WHERE code = ANY(%s) ORDER BY valid_from DESC, code LIMIT 1"""
_ISSUE: Final = """SELECT coalesce(array_agg(DISTINCT issuer), '{}') FROM access.feed
    WHERE kind = 'credential_type' AND code = %s AND issuer <> ''"""
_DECIDE: Final = """
SELECT coalesce(array_agg(DISTINCT organ), '{}') FROM (
    SELECT organ FROM catalog.item WHERE code = ANY(%(codes)s)
    UNION SELECT issuer FROM access.feed WHERE kind = 'item' AND code = ANY(%(codes)s) AND issuer <> ''
) AS q
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An option: what would meet it, and who must hold that."""

    holder: str
    credential: str | None
    item: str | None
    issued_by: str | None
    not_older_than: Mapping[str, Any] | None


def undetermined(judged: Judged) -> Iterator[Place]:
    """Tell the options that an officer can decide: of groups that no feed tells, and which the asker may see."""
    for at, group in enumerate(judged.answer["groups"]):
        for place, one in enumerate(group["options"]):
            if group["state"] == one["state"] == "undetermined" and one["reason"] != "not_granted":
                yield at, place


def mind(checker: Checker, caller: Caller, judged: Judged, place: Place, what: str) -> None:
    """Go on only for an option that there is, and that the asker may see; `what` says what else cannot be done.

    Raises:
        Malformed: the answer has no such option.
        NotAllowed: it may not be seen; that is logged.
    """
    groups = judged.answer["groups"]
    if place[0] >= len(groups) or place[1] >= len(groups[place[0]]["options"]):
        raise reread.mend(what, "option", "option_unknown", "the answer has no such group, or no such option in it")
    if groups[place[0]]["options"][place[1]]["reason"] == "not_granted":
        checker.refused(caller, "not_allowed")
        raise NotAllowed(
            "neither a sharing class nor a grant lets your organ check this for this purpose",
            hint="Ask for it: the hub's operators enter the request, and the issuing organ answers it.",
        )


def wanted(cursor: Cursor, item: str, version: int, place: Place) -> Wanted:
    """Return what a version of an item says of one of its options; published versions never change."""
    cursor.execute(_GROUP, {"item": item, "version": version, "group": place[0]})
    ((group,),) = cursor.fetchall()
    said = group["any_of"][place[1]]
    return Wanted(
        group["holder"], said.get("credential"), said.get("item"), said.get("issued_by"), said.get("not_older_than")
    )


def issuers(cursor: Cursor, *, credential: str | None, item: str | None = None) -> list[str]:
    """Return the departments that are known to issue credentials of a type, or to decide on an item."""
    if item is None:
        cursor.execute(_ISSUE, (credential,))
    else:
        cursor.execute(_DECIDE, {"codes": sorted(gathering.codes_of(cursor, [item])[item])})
    return sorted((cursor.fetchone() or ([],))[0])


def shown(cursor: Cursor, said: Wanted, asked: PrerequisitesCheck, on: date) -> Document:
    """Return what an officer is shown: the option and its holder on a day, and nothing else of the question."""
    name = None
    if said.item is not None:
        cursor.execute(_NAME, (sorted(gathering.codes_of(cursor, [said.item])[said.item]),))
        name = (cursor.fetchone() or (None,))[0]
    held: Document = {"holder": said.holder, "project": asked.project}
    if said.holder == "applicant":
        held = {"holder": said.holder, "holder_number": asked.applicant.number, "holder_name": asked.applicant.name}
    facts = {
        "credential": said.credential, "item": said.item, "item_name": name, **held, "on": on.isoformat(),
        "not_older_than": said.not_older_than and dict(said.not_older_than),
    }  # fmt: skip
    return {what: fact for what, fact in facts.items() if fact is not None}
