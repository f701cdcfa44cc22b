"""The prerequisites of an item asked live: each department's system is asked once for what the applicant holds.

What came is laid over the evidence as of the instant of the question (`verification.rules.words.Heard`). It stands in
the answer, and is read out of it again whenever the check is answered anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg2
import psycopg2.extensions

from hub.refusals import Unavailable
from verification.checks import asking, inquiring, options, reread
from verification.checks.judging import Judged
from verification.checks.options import Wanted
from verification.checks.service import Checker
from verification.checks.sources import Brought, Place, Sources
from verification.questions import PrerequisitesCheck
from verification.rights.callers import Caller
from verification.rules import words
from verification.rules.names import holder_forms
from verification.rules.words import Found, Heard

Cursor = psycopg2.extensions.cursor
Document = dict[str, Any]
MOST_PLACES: Final = 6
"""Streams that one question asks, one after the other, while the asker waits."""
_WHAT: Final = "the sources cannot be asked"

_FITTING: Final = """SELECT DISTINCT record_id FROM core.credential WHERE record_id = ANY(%(kept)s)
    AND credential_type = %(type)s AND holder_number_hash = ANY(%(hashes)s::bytea[])
    AND (%(issuer)s::text IS NULL OR issuer = %(issuer)s)"""
_STREAM: Final = """SELECT st.stream_id FROM ledger.stream AS st JOIN core.source_system AS ss USING (source_system_id)
    WHERE ss.code = %s AND st.name = %s"""


@dataclass(frozen=True, slots=True)
class _Option:
    """An option that is open, what would meet it, and where it is asked for."""

    at: words.Place
    wanted: Wanted
    whom: str | None
    places: tuple[Place, ...]


def ask(
    checker: Checker, sources: Sources | None, caller: Caller, check_id: str, asked: PrerequisitesCheck, *,
    issuer: str | None, option: words.Place | None, a_minute: int,
) -> Document:  # fmt: skip
    """Ask for what is open of an item's prerequisites, as `verification.checks.live.ask` says."""
    judged = checker.judge(caller, asked, checker.clock(), checker.words(check_id))
    chosen = _chosen(checker, sources, caller, judged, asked, issuer, option)
    places = sorted({place for one in chosen for place in one.places}, key=lambda place: place.name)
    if len(places) > MOST_PLACES:
        raise reread.mend(_WHAT, "option", "option_missing", f"more than {MOST_PLACES} would be asked: name an option")
    began = asking.begin(checker, caller, asked, check_id, places, a_minute)
    numbers = holder_forms(asked.applicant.number)
    brought, refused = asking.look(checker, sources, caller, check_id, asked, places, numbers, "holder")
    if refused and not brought:
        raise list(refused.values())[-1]
    heard = _heard(checker, judged, chosen, brought, refused, began)
    while True:
        known = checker.words(check_id).and_heard(judged.answer["item_version"], heard)
        now = checker.judge(caller, asked, checker.clock(), known)
        try:
            return asking.written(checker, caller, check_id, now, now)
        except inquiring.SpokenMeanwhile:  # each time the check was answered meanwhile by others: they are few
            continue


# --- what, and whom ---


def _chosen(
    checker: Checker, sources: Sources | None, caller: Caller, judged: Judged, asked: PrerequisitesCheck,
    issuer: str | None, option: words.Place | None,
) -> list[_Option]:  # fmt: skip
    """Return the options that are asked about, each with at least one place to ask.

    Raises:
        Contradicted: it can be answered without, no number of a holder is named, or nobody can be asked.
        Malformed, NotAllowed: the option that is named is none, is another department's, or may not be seen.
    """
    if option is not None:
        options.mind(checker, caller, judged, option, _WHAT)
    open_ = [one for one in judged.unsure if option in (None, one)] if asking.open_(judged.answer) else []
    if not open_:
        raise asking.answerable()
    version = judged.answer["item_version"]

    def read(cursor: Cursor) -> dict[words.Place, Wanted]:
        return {at: options.wanted(cursor, asked.item, version, at) for at in open_}

    wanted = checker.sessions.reading(read)
    if option is not None and issuer is not None and wanted[option].issued_by not in (None, issuer):
        raise reread.mend(_WHAT, "issuer", "issuer_differs", "the option itself names another issuer")
    credentials = {at: said for at, said in wanted.items() if said.credential is not None}
    if credentials and all(said.holder == "project" for said in credentials.values()):
        raise reread.contradicted(
            "holder_not_named", "the project must hold what is open, and a source is asked for the number of a holder",
            "Check the credential by its own number, or ask an officer: POST /v1/checks/{id}/inquiry.",
        )  # fmt: skip
    chosen = [_placed(checker, sources, at, said, issuer) for at, said in credentials.items()]
    if not any(one.places for one in chosen):
        raise asking.nobody()
    return [one for one in chosen if one.places]


def _placed(
    checker: Checker, sources: Sources | None, at: words.Place, said: Wanted, issuer: str | None
) -> _Option:  # fmt: skip
    """Find where an option can be asked for: nowhere, if the project must hold it, or another department issues it."""
    whom = said.issued_by or issuer
    if said.holder == "project" or issuer not in (None, whom):
        return _Option(at, said, whom, ())
    assert said.credential is not None  # noqa: S101  # only credentials are asked for
    return _Option(at, said, whom, tuple(asking.places(checker, sources, "holder", said.credential, whom)))


# --- what came ---


def _heard(
    checker: Checker, judged: Judged, chosen: list[_Option], brought: Mapping[Place, Brought],
    refused: Mapping[Place, Unavailable], began: datetime,
) -> dict[words.Place, list[Heard]]:  # fmt: skip
    """Return what each place brought for each option: of what it brought only what the option is about."""
    at, hashes = checker.clock(), [psycopg2.Binary(one) for one in sorted(judged.holder.number_hashes)]

    def read(cursor: Cursor) -> dict[words.Place, list[Heard]]:
        heard: dict[words.Place, list[Heard]] = {}
        for one in chosen:
            for place in one.places:
                came = brought.get(place, Brought(0))
                records = _fitting(cursor, one, came.kept, hashes)
                cursor.execute(_STREAM, (place.source, place.stream))
                (stream,) = cursor.fetchone() or (None,)  # what never was pulled, and could not be asked, has none
                organ = place.organ or one.whom
                name = None if organ is None else inquiring.name_of(cursor, organ)
                found: Found = "refused" if came.refused else "taken" if records else "none"
                heard.setdefault(one.at, []).append(Heard(
                    place.name, stream, organ, _basis(place, organ, name), "failed" if place in refused else found,
                    began, at, records,
                ))  # fmt: skip
        return heard

    return checker.sessions.reading(read)


def _fitting(cursor: Cursor, one: _Option, kept: frozenset[int], hashes: list[Any]) -> frozenset[int]:
    wanted = one.wanted
    values = {"kept": sorted(kept), "type": wanted.credential, "hashes": hashes, "issuer": wanted.issued_by}
    cursor.execute(_FITTING, values)
    return frozenset(number for (number,) in cursor.fetchall())


def _basis(place: Place, organ: str | None, name: str | None) -> str:
    if organ is None:
        return f"source {place.source}"
    return f"source of {name} ({organ})" if name else f"source of {organ}"
