"""One credential compared with what an applicant shows: pure, on what was found under its number.

The answer never holds a right value where the asked one is wrong: it names the field and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

from verification.rules import validity
from verification.rules.freshness import Feed, Freshness

Outcome = Literal["match", "mismatch", "not_valid", "not_found", "ambiguous", "undetermined"]
Verdict = Literal["same", "former", "different", "unreadable", "not_held"]
"""How a field compares: the same; a name that the holder had before; different; unreadable; not known to the hub."""

FIELDS: Final = ("issuer", "version", "holder_number", "holder_name", "valid_from", "valid_to")


@dataclass(frozen=True, slots=True)
class Question:
    """What an applicant shows, and the day on which it must hold; a field that is None was not asked."""

    type: str
    number: str
    issuer: str | None = None
    version: str | None = None
    holder_number: str | None = None
    holder_name: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A credential as the hub holds it; holders only as look-up hashes."""

    record_id: int
    issuer: str | None
    number: str
    version: str | None
    times: validity.Times
    number_hash: bytes | None
    name_hash: bytes | None
    feed: Feed
    objection_since: date | None = None
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hub says; `as_of` is the instant up to which it vouches for it."""

    outcome: Outcome
    on: date
    fields: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    former_name: bool = False
    status: str | None = None
    since: date | None = None
    valid_to: date | None = None
    reason: str | None = None
    complete_through: datetime | None = None
    basis: str | None = None
    stale: bool = False
    may_rely: bool = False
    objection_since: date | None = None
    mended: tuple[str, ...] = ()
    records: tuple[int, ...] = ()


Comparer = Callable[[Held], dict[str, Verdict]]
"""Compares the asked holder with a held one: verdicts for `holder_number` and `holder_name`, as far as asked."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an answer depends on beside question and findings."""

    on: date
    freshness: Freshness
    feeds: Sequence[Feed]
    stale_allowed: bool
    compare: Comparer = field(repr=False)


def answer(asked: Question, found: Sequence[Held], around: Circumstances) -> Answer:
    """Answer a question about one credential from what was found under its type and number."""
    fitting = [one for one in found if asked.issuer is None or one.issuer in (None, asked.issuer)]
    if not fitting and found:
        return _other_issuer(found, around)
    if not fitting:
        return _nothing(around)
    named = [one for one in fitting if asked.version in (None, one.version)]
    if not named:
        return _told(Answer("mismatch", around.on, ("version",)), fitting, around)
    newest = _newest(named)
    if len({one.issuer for one in newest}) > 1:
        return Answer("ambiguous", around.on, reason="several_issuers")
    judged = [_judged(asked, one, around) for one in newest]
    if len({(one.outcome, one.fields, one.status, one.reason) for one in judged}) > 1:
        return Answer("ambiguous", around.on, reason="sources_disagree")
    best = max(range(len(judged)), key=lambda place: (not judged[place].stale, judged[place].since is not None))
    return _told(judged[best], newest, around, said_by=newest[best])


def _nothing(around: Circumstances) -> Answer:
    """Answer that there is none, where every feed that could have brought it is complete; else that nobody can tell."""
    through, basis = around.freshness.least(around.feeds)
    if not around.feeds:
        return Answer("undetermined", around.on, reason="no_feed")
    if not all(around.freshness.fresh(one) for one in around.feeds):
        return Answer(
            "undetermined", around.on, reason="feed_behind", complete_through=through, basis=basis, stale=True
        )
    return Answer("not_found", around.on, complete_through=through, basis=basis)


def _other_issuer(found: Sequence[Held], around: Circumstances) -> Answer:
    """Say that the issuer differs only to who knows the holder: else a number alone would tell who issued it."""
    known = [one for one in found if _holder_fits(around.compare(one))]
    if len({one.issuer for one in known}) != 1:
        return _nothing(around)
    return _told(Answer("mismatch", around.on, ("issuer",)), known, around)


def _holder_fits(verdicts: dict[str, Verdict]) -> bool:
    return bool(verdicts) and set(verdicts.values()) <= {"same", "former"}


def _newest(found: Sequence[Held]) -> list[Held]:
    """Return the newest version of each issuer, of every source that has it."""
    versions: dict[str | None, str] = {}
    for one in found:
        versions[one.issuer] = max(versions.get(one.issuer, ""), one.version or "", key=_version_order)
    return [one for one in found if (one.version or "") == versions[one.issuer]]


def _version_order(version: str) -> tuple[int, int, str]:
    digits = version.isascii() and version.isdigit()
    return (1, int(version), version) if digits else (0, 0, version)


def _judged(asked: Question, held: Held, around: Circumstances) -> Answer:
    verdicts = around.compare(held)
    for name, said, own in (
        ("valid_from", asked.valid_from, held.times.valid_from), ("valid_to", asked.valid_to, held.times.valid_to),
    ):  # fmt: skip
        if said is not None:
            verdicts[name] = "same" if said == own else "different"
    different = tuple(name for name in FIELDS if verdicts.get(name) == "different")
    if different:
        return Answer("mismatch", around.on, different)
    open_ = tuple(name for name in FIELDS if verdicts.get(name) in ("unreadable", "not_held"))
    holder = {name: said for name, said in verdicts.items() if name.startswith("holder_")}
    if not any(said in ("same", "former") for said in holder.values()):
        return Answer("undetermined", around.on, not_compared=open_, reason="holder_not_compared")
    stands = validity.standing(held.times, around.on)
    former, valid_to = verdicts.get("holder_name") == "former", held.times.valid_to
    if stands.status == validity.UNKNOWN:
        return Answer(
            "undetermined", around.on, not_compared=open_, former_name=former, valid_to=valid_to, reason=stands.why
        )
    return Answer(
        "match" if stands.valid else "not_valid", around.on, not_compared=open_, former_name=former,
        status=stands.status, since=stands.since, valid_to=valid_to,
    )  # fmt: skip


def _told(
    said: Answer, behind: Iterable[Held], around: Circumstances, *, said_by: Held | None = None
) -> Answer:  # fmt: skip
    """Add what every answer carries: how far its feed is complete, whether it may be relied on, what was mended."""
    sources = [said_by] if said_by is not None else list(behind)
    through, basis = around.freshness.least([one.feed for one in sources])
    stale = not all(around.freshness.fresh(one.feed) for one in sources)
    objections = [one.objection_since for one in sources if one.objection_since is not None]
    shown = said.outcome in ("match", "not_valid")
    # Not by `replace`, which takes as long as the judging, a thousand times a bulk.
    return Answer(
        said.outcome, said.on, said.fields, said.not_compared, said.former_name, said.status, said.since,
        said.valid_to, said.reason, complete_through=through, basis=basis, stale=stale,
        may_rely=said.outcome == "match" and (not stale or around.stale_allowed),
        objection_since=min(objections) if shown and objections else None,
        mended=tuple(sorted({name for one in sources for name in one.mended})) if shown else (),
        records=tuple(one.record_id for one in behind) if shown else (),
    )  # fmt: skip
