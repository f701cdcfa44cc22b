"""The prerequisites of an item evaluated for one applicant: pure, on the evidence that was gathered.

All groups must be met, one option of a group is enough. Each option says how it stands by its best evidence, and each
group by its best option. What is not met is said for certain only where the feed that could say otherwise is complete:
else it is `undetermined`, or `pending` where another department is known to be at work on it. What an officer of the
issuing department says of an option decides where fresh evidence does not: it is not weighed against what a feed that
is far enough says for certain. What a department's system brought when it was asked live is so as of then: a record
that it brought counts as one of a feed that is complete up to that instant. That it brought nothing counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

from catalog.limits import Limit
from verification.rules import validity
from verification.rules.ages import earliest
from verification.rules.freshness import Feed, Freshness
from verification.rules.words import NO_WORDS, NOTHING_HEARD, Heard, Place, Word

State = Literal[
    "met", "pending", "undetermined", "suspended", "revoked", "refused", "expired", "not_yet_valid", "too_old",
    "denied", "missing",
]  # fmt: skip
ORDER: Final[tuple[State, ...]] = (
    "met", "pending", "undetermined", "suspended", "revoked", "refused", "expired", "not_yet_valid", "too_old",
    "denied", "missing",
)  # fmt: skip
"""From best to worst; of several options or pieces of evidence the best counts. `denied` is an officer's no."""
Overall = Literal["met", "not_met", "pending", "undetermined"]

_OF_STATUS: Final[Mapping[str, State]] = {
    validity.EXPIRED: "expired", validity.NOT_YET: "not_yet_valid", validity.UNKNOWN: "undetermined",
    "suspended": "suspended",
}  # fmt: skip
"""Every other status that is not valid has taken the credential away for good: `revoked`, and the status is told."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to meet a group: a credential of a type, or the decision on an item by one of its codes."""

    credential: str | None = None
    items: frozenset[str] = frozenset()
    issued_by: str | None = None
    not_older_than: Limit | None = None
    allowed: bool = True
    """Whether the asker may see evidence of this kind; what it may not see is undetermined for it."""
    feeds: tuple[Feed, ...] = ()
    freshness: Freshness | None = None
    stale_allowed: bool = False
    heard: tuple[Heard, ...] = ()
    """What systems brought that were asked live for the holder, as far as it is still news."""


@dataclass(frozen=True, slots=True)
class Group:
    """Options of which one must hold on a day; `applicant` or `project` must hold it."""

    name: str
    holder: str
    day: date
    any_of: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential that the holder has."""

    record_id: int
    type: str
    issuer: str | None
    holder: str
    times: validity.Times
    feed: Feed
    objection_since: date | None = None
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision in a case of the holder; `taken_back` is the first day on which it no longer held."""

    record_id: int
    item: str
    organ: str | None
    holder: str
    outcome: str
    decided: date | None
    feed: Feed
    taken_back: date | None = None
    objection_since: date | None = None
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case of the holder that another department is still handling."""

    record_id: int
    item: str
    gives: frozenset[str]
    organ: str | None
    holder: str
    stage: str
    due: datetime | None
    applied: date | None
    feed: Feed


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was found of a holder."""

    credentials: tuple[Credential, ...] = ()
    decisions: tuple[Decision, ...] = ()
    open_cases: tuple[OpenCase, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """How an option stands, and by which evidence."""

    state: State
    option: int = 0
    status: str | None = None
    since: date | None = None
    record_id: int | None = None
    stage: str | None = None
    organ: str | None = None
    due: datetime | None = None
    reason: str | None = None
    complete_through: datetime | None = None
    basis: str | None = None
    stale: bool = False
    may_rely: bool = False
    objection_since: date | None = None
    mended: tuple[str, ...] = ()
    word: Word | None = None
    """What an officer said of it, unless fresh evidence tells how it stands."""
    sure: bool = False
    """Whether it stands on what a system brought live, though the feed is behind."""
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupTold:
    """How a group stands: by its best option; all options are told."""

    name: str
    day: date
    state: State
    best: Told
    options: tuple[Told, ...]


def evaluate(
    groups: Sequence[Group], evidence: Evidence, words: Mapping[Place, Word] = NO_WORDS,
    heard: Mapping[Place, Sequence[Heard]] = NOTHING_HEARD,
) -> tuple[Overall, list[GroupTold]]:  # fmt: skip
    """Tell whether all groups are met, and how each stands; `words` are what officers said of single options, and
    `heard` what systems brought for them that were asked live."""
    told = [_group(one, evidence, place, words, heard) for place, one in enumerate(groups)]
    return overall(one.state for one in told), told


def overall(states: Iterable[State]) -> Overall:
    """Put the states of the groups together: one that is not met for certain decides, then what is not known."""
    found = set(states)
    if found - {"met", "pending", "undetermined"}:
        return "not_met"
    if "undetermined" in found:
        return "undetermined"
    return "pending" if "pending" in found else "met"


def unsure(told: Sequence[GroupTold]) -> Iterator[Place]:
    """Tell the options of which more may be learnt: of groups that nobody can tell, or not if they are met still."""
    for at, group in enumerate(told):
        if group.state == "undetermined" or later_unknown(group.best):
            for one in group.options:
                if (one.state == "undetermined" and one.reason != "not_granted") or later_unknown(one):
                    yield at, one.option


def later_unknown(told: Told) -> bool:
    """Say whether something is met as of a feed's instant only: no officer and no system has said so since."""
    vouched = told.sure or (told.word is not None and told.word.said == "yes")
    return told.state == "met" and told.stale and not vouched


def _group(
    group: Group, evidence: Evidence, at: int, words: Mapping[Place, Word], heard: Mapping[Place, Sequence[Heard]]
) -> GroupTold:
    options = []
    for place, one in enumerate(group.any_of):
        # What a holder was asked for says nothing of a project, and nothing to who may not see it.
        every = tuple(heard.get((at, place), ())) if one.allowed and group.holder == "applicant" else ()
        option = replace(one, heard=tuple(said for said in every if _news(one, said))) if every else one
        options.append(replace(_option(option, group, evidence, words.get((at, place))), option=place, heard=every))
    if not options:
        nothing = Told("undetermined", reason="no_option")
        return GroupTold(group.name, group.day, "undetermined", nothing, ())
    best = min(options, key=lambda one: (ORDER.index(one.state), not one.may_rely, one.option))
    return GroupTold(group.name, group.day, best.state, best, tuple(options))


def _option(option: Option, group: Group, evidence: Evidence, word: Word | None) -> Told:
    if not option.allowed:
        return Told("undetermined", reason="not_granted")
    found = [*_held(option, group, evidence), *_decided(option, group, evidence)]
    best = min(found, key=_rank) if found else None
    pending = _pending(option, group, evidence)
    told = _by_evidence(option, best, pending)
    return told if word is None or _certain(option, best) else _by_word(option, told, pending, word)


def _by_evidence(option: Option, best: Told | None, pending: Told | None) -> Told:
    if best is not None and best.state == "met":
        return best
    if pending is not None:
        return pending
    return best if best is not None and best.state == "undetermined" else _unmet(option, best)


def _certain(option: Option, best: Told | None) -> bool:
    """Say whether fresh evidence tells how an option stands: one that is met, or feeds that are all far enough."""
    if best is not None and best.state == "met":
        return not best.stale or best.sure
    return _all_told(option) and (best is None or best.state != "undetermined")


def _by_word(option: Option, told: Told, pending: Told | None, word: Word) -> Told:
    """Say how an option stands by an officer's word; a no leaves open what another department is still at work on."""
    if word.said == "not_ours":
        return replace(told, word=word)
    if word.said == "yes" and told.state == "met":
        return replace(told, may_rely=True, word=word)
    if word.said == "no" and pending is not None:
        return replace(pending, word=word)
    through, basis, stale = _coverage(option)
    state: State = "met" if word.said == "yes" else "denied"
    return Told(
        state, organ=word.organ, complete_through=through, basis=basis, stale=stale, may_rely=state == "met", word=word
    )


def _unmet(option: Option, best: Told | None) -> Told:
    """Say that an option is not met, where every feed is far enough to say so; else that it cannot be told."""
    through, basis, _ = _coverage(option)
    if _all_told(option):
        return best or Told("missing", complete_through=through, basis=basis)
    seen = best or Told("missing")
    return replace(
        seen, state="undetermined", reason=_why(option), complete_through=through, basis=basis, stale=True, sure=False
    )


def _why(option: Option) -> str:
    """Say why nobody can tell whether an option is met."""
    found = {one.found for one in option.heard}
    if "refused" in found:
        return "source_record_refused"
    if found == {"none"}:
        return "source_has_none"
    return "feed_behind" if option.feeds else "no_feed"


def _all_told(option: Option) -> bool:
    """Say whether every feed is far enough to say no: by itself, or by all that it brought live and that was kept."""
    if option.freshness is None:
        return bool(option.feeds)
    taken = {one.stream_id for one in option.heard if one.found == "taken"}
    known = {one.stream_id for one in option.feeds} | taken
    fresh = {one.stream_id for one in option.feeds if option.freshness.fresh(one)}
    return bool(known) and known == fresh | taken


def _news(option: Option, heard: Heard) -> bool:
    """Say whether what a system brought is recent enough for the day; what its feed brought later goes before it."""
    if option.freshness is None:
        return True
    through = [one.complete_through for one in option.feeds if one.stream_id == heard.stream_id]
    overtaken = any(one is not None and one >= heard.asked_at for one in through)
    return not overtaken and heard.asked_at >= option.freshness.needed - option.freshness.lag


def _rank(told: Told) -> tuple[int, bool, int, int]:
    """Order evidence of one option: best state, then what may be relied on, then the latest."""
    since = told.since.toordinal() if told.since is not None else 0
    return ORDER.index(told.state), not told.may_rely, -since, told.record_id or 0


def _held(option: Option, group: Group, evidence: Evidence) -> Iterable[Told]:
    for one in evidence.credentials:
        if one.type == option.credential and one.holder == group.holder and _by(option, one.issuer):
            yield _of_credential(option, group.day, one)


def _of_credential(option: Option, day: date, one: Credential) -> Told:
    stands = validity.standing(one.times, day)
    facts = _facts(option, one.feed, one.record_id, one.issuer, one.objection_since, one.mended)
    facts = replace(facts, status=stands.status, since=stands.since)
    if stands.status == validity.UNKNOWN:
        return replace(facts, state="undetermined", status=None, reason=stands.why)
    if not stands.valid:
        return replace(facts, state=_OF_STATUS.get(stands.status, "revoked"))
    return _aged(option, day, one.times.issued or one.times.valid_from, facts)


def _decided(option: Option, group: Group, evidence: Evidence) -> Iterable[Told]:
    for one in evidence.decisions:
        if one.item in option.items and one.holder == group.holder and _by(option, one.organ):
            yield _of_decision(option, group.day, one)


def _of_decision(option: Option, day: date, one: Decision) -> Told:
    facts = _facts(option, one.feed, one.record_id, one.organ, one.objection_since, one.mended)
    facts = replace(facts, status=one.outcome, since=one.decided)
    if one.outcome == "other":
        return replace(facts, state="undetermined", status=None, reason="outcome_unclear")
    if one.outcome != "granted":
        return replace(facts, state="refused")
    if one.decided is None:
        return replace(facts, state="undetermined", reason="decided_unknown")
    if day < one.decided:
        return replace(facts, state="not_yet_valid")
    if one.taken_back is not None and one.taken_back <= day:
        return replace(facts, state="revoked", status="revoked", since=one.taken_back)
    return _aged(option, day, one.decided, facts)


def _aged(option: Option, day: date, given: date | None, facts: Told) -> Told:
    """Say whether it was given recently enough; the very last day still is."""
    if option.not_older_than is not None:
        if given is None:
            return replace(facts, state="undetermined", reason="given_unknown", may_rely=False)
        if given < earliest(day, option.not_older_than):
            return replace(facts, state="too_old", may_rely=False)
    if not facts.stale or facts.sure:
        return replace(facts, state="met", may_rely=True)
    doubted = any(one.found == "refused" for one in option.heard)
    return replace(facts, state="met", may_rely=option.stale_allowed and not doubted)


def _pending(option: Option, group: Group, evidence: Evidence) -> Told | None:
    """Return the open case that may yet bring it: the one that is due first."""
    fitting = [
        one
        for one in evidence.open_cases
        if one.holder == group.holder and (one.item in option.items or option.credential in one.gives)
        and _by(option, one.organ)
    ]  # fmt: skip
    if not fitting:
        return None
    first = min(fitting, key=lambda one: (one.due is None, one.due.timestamp() if one.due else 0.0, one.record_id))
    facts = _facts(option, first.feed, first.record_id, first.organ, None, ())
    return replace(facts, state="pending", stage=first.stage, due=first.due, since=first.applied)


def _facts(
    option: Option, feed: Feed, record_id: int, organ: str | None, objection: date | None, mended: tuple[str, ...]
) -> Told:
    stale = option.freshness is not None and not option.freshness.fresh(feed)
    sure = stale and any(record_id in one.records for one in option.heard)
    return Told(
        "missing", record_id=record_id, organ=organ, complete_through=feed.complete_through, basis=feed.basis,
        stale=stale, objection_since=objection, mended=mended, sure=sure,
    )  # fmt: skip


def _coverage(option: Option) -> tuple[datetime | None, str | None, bool]:
    if option.freshness is None:
        return None, None, not option.feeds
    through, basis = option.freshness.least(option.feeds)
    return through, basis, not option.feeds or not all(option.freshness.fresh(one) for one in option.feeds)


def _by(option: Option, organ: str | None) -> bool:
    return option.issued_by is None or organ == option.issued_by


def option_of(said: Mapping[str, Any], **facts: Any) -> Option:
    """Read an option as an item's content says it."""
    return Option(
        said.get("credential"), facts.pop("items", frozenset()), said.get("issued_by"),
        Limit.of(said.get("not_older_than")), **facts,
    )  # fmt: skip
