"""The evaluator against one that tries everything: days replayed one by one, every choice of options walked through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalog.limits import Limit
from verification.rules import validity
from verification.rules.freshness import Feed, Freshness
from verification.rules.prerequisites import ORDER, Credential, Decision, Evidence, Group, OpenCase, Option, evaluate
from verification.rules.words import Heard, Place, Word

START = date(2026, 1, 1)
DAYS = 12
NOW = datetime(2026, 2, 1, tzinfo=UTC)
FRESH, BEHIND = Feed(1, NOW, "declared"), Feed(2, datetime(2025, 1, 1, tzinfo=UTC), "inferred")
ASKED = Freshness(NOW, timedelta(hours=24))
TYPES, ITEMS, ORGANS, HOLDERS = ("A", "B"), ("I", "J"), ("X", "Y"), ("applicant", "project")

days = st.integers(0, DAYS).map(lambda many: START + timedelta(days=many))
maybe = st.none() | days
feeds = st.sampled_from([FRESH, BEHIND])
holders, organs = st.sampled_from(HOLDERS), st.sampled_from(ORGANS)
periods = st.lists(
    st.builds(validity.Period, st.sampled_from(["valid", "suspended", "revoked", "expired"]), days), max_size=3
).map(tuple)
times = st.builds(validity.Times, days, maybe, maybe, periods, days)
credentials = st.builds(
    Credential, st.integers(1, 9), st.sampled_from(TYPES), organs, holders, times, feeds, mended=st.just(())
)
decisions = st.builds(
    Decision, st.integers(100, 199), st.sampled_from(ITEMS), organs, holders,
    st.sampled_from(["granted", "refused", "other"]), days, feeds, maybe, mended=st.just(()),
)  # fmt: skip
cases = st.builds(
    OpenCase, st.integers(200, 299), st.sampled_from(ITEMS), st.sets(st.sampled_from(TYPES)).map(frozenset), organs,
    holders, st.just("review"), st.none(), maybe, feeds,
)  # fmt: skip
evidences = st.builds(
    Evidence, st.lists(credentials, max_size=4).map(tuple), st.lists(decisions, max_size=3).map(tuple),
    st.lists(cases, max_size=2).map(tuple),
)  # fmt: skip
names = st.sampled_from([("A", frozenset()), ("B", frozenset()), (None, frozenset("I")), (None, frozenset("IJ"))])
options = st.builds(
    lambda named, by, old, allowed, through, stale: Option(*named, by, old, allowed, through, ASKED, stale),
    names, st.none() | organs, st.none() | st.builds(Limit, st.integers(0, 9), st.just("calendar_day")),
    st.sampled_from([True, True, True, False]), st.lists(feeds, max_size=2).map(tuple), st.booleans(),
)  # fmt: skip
words = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    st.sampled_from(["yes", "no", "not_ours"]).map(lambda said: Word(said, "X", None, NOW, NOW)), max_size=4,
)  # fmt: skip
HOUR_AGO, LONG_AGO = NOW - timedelta(hours=1), NOW - timedelta(days=3)
heards = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    st.lists(st.builds(
        Heard, st.just("m/S"), st.sampled_from([1, 2, 2, 3]), st.just("X"), st.just("source of X"),
        st.sampled_from(["none", "refused", "taken", "taken", "failed"]),
        st.sampled_from([HOUR_AGO, HOUR_AGO, LONG_AGO]), st.just(NOW),
        st.frozensets(st.integers(1, 9), max_size=5),
    ), max_size=2, unique_by=lambda one: one.stream_id).map(tuple), max_size=4,
)  # fmt: skip
groups = st.builds(Group, st.just("g"), holders, days, st.lists(options, max_size=3).map(tuple))


def replayed(one: Credential, day: date) -> str:
    """How a credential stands on a day, by living through every day until then."""
    state = "valid"
    for step in range((day - START).days + 1):
        today = START + timedelta(days=step)
        begun = [period.status for period in one.times.periods if period.since == today]
        if begun:
            taken = [status for status in begun if status != "valid"]
            state = taken[0] if taken else "valid"
    if day < one.times.valid_from:  # type: ignore[operator]  # the strategy always gives one
        return "not_yet_valid"
    if state in ("suspended", "revoked"):
        return state
    over = one.times.valid_to is not None and day > one.times.valid_to
    return "expired" if over or state == "expired" else "valid"


def old(option: Option, day: date, given_on: date) -> bool:
    limit = option.not_older_than
    return limit is not None and (day - given_on).days > limit.value


def states(  # noqa: C901, PLR0912  # it is plain on purpose
    option: Option, group: Group, found: Evidence, word: Word | None, heard: Sequence[Heard]
) -> set[str]:
    """Everything that can be said of one option."""
    if not option.allowed:
        return {"undetermined"}
    said: set[str] = set()
    fresh: set[str] = set()
    news = [] if group.holder == "project" else [one for one in heard if one.asked_at == HOUR_AGO]
    news = [one for one in news if one.stream_id != 1 or FRESH not in option.feeds]
    brought = {number for one in news for number in one.records}
    told = {one.stream_id for one in news if one.found == "taken"}

    def fits(holder: str, organ: str | None) -> bool:
        return holder == group.holder and option.issued_by in (None, organ)

    def says(state: str, feed: Feed, record: int) -> None:
        said.add(state)
        if feed == FRESH or record in brought:
            fresh.add(state)

    for one in found.credentials:
        if one.type == option.credential and fits(one.holder, one.issuer):
            state = replayed(one, group.day)
            since = one.times.issued or one.times.valid_from
            assert since is not None
            says(
                ("too_old" if old(option, group.day, since) else "met") if state == "valid" else state,
                one.feed,
                one.record_id,
            )
    for two in found.decisions:
        if two.item in option.items and fits(two.holder, two.organ):
            assert two.decided is not None
            if two.outcome != "granted":
                says("undetermined" if two.outcome == "other" else "refused", two.feed, two.record_id)
            elif group.day < two.decided:
                says("not_yet_valid", two.feed, two.record_id)
            elif two.taken_back and two.taken_back <= group.day:
                says("revoked", two.feed, two.record_id)
            else:
                says("too_old" if old(option, group.day, two.decided) else "met", two.feed, two.record_id)
    far_enough = bool(option.feeds or told) and (BEHIND not in option.feeds or BEHIND.stream_id in told)
    certain = "met" in fresh or ("met" not in said and "undetermined" not in said and far_enough)
    for three in found.open_cases:
        named = three.item in option.items or option.credential in three.gives
        if named and fits(three.holder, three.organ):
            said.add("pending")
    if word is not None and word.said != "not_ours" and not certain:
        return {"met"} if word.said == "yes" else {"pending"} if "pending" in said else {"denied"}
    if not said & {"met", "pending"} and not far_enough:
        return {"undetermined"}
    return said or {"missing"}


def brute(
    asked: list[Group], found: Evidence, spoken: dict[Place, Word], heard: dict[Place, tuple[Heard, ...]]
) -> tuple[str, list[str]]:
    each = []
    for at, group in enumerate(asked):
        said = (
            states(option, group, found, spoken.get((at, place)), heard.get((at, place), ()))
            for place, option in enumerate(group.any_of)
        )
        every = set().union(*said) or {"undetermined"}
        each.append(next(state for state in ORDER if state in every))
    # Every way to pick one state for each group that is open: what it could still become.
    can_be = {"met": [True], "pending": [False, True], "undetermined": [False, True]}
    outcomes = {all(choice) for choice in product(*(can_be.get(state, [False]) for state in each))}
    if outcomes == {True}:
        return "met", each
    if outcomes == {False}:
        return "not_met", each
    return ("undetermined" if "undetermined" in each else "pending"), each


@given(st.lists(groups, max_size=3), evidences, words, heards)
def test_the_evaluator_says_what_trying_everything_says(
    asked: list[Group], found: Evidence, spoken: dict[Place, Word], heard: dict[Place, tuple[Heard, ...]]
) -> None:
    whole, told = evaluate(asked, found, spoken, heard)
    assert (whole, [one.state for one in told]) == brute(asked, found, spoken, heard)


@given(st.lists(groups, max_size=3), evidences, words, heards)
def test_of_nothing_that_came_nothing_follows(
    asked: list[Group], found: Evidence, spoken: dict[Place, Word], heard: dict[Place, tuple[Heard, ...]]
) -> None:
    nothing = {
        place: tuple(replace(one, found="none", records=frozenset()) for one in said) for place, said in heard.items()
    }
    whole, told = evaluate(asked, found, spoken, nothing)
    before, without = evaluate(asked, found, spoken)
    assert (whole, [one.state for one in told]) == (before, [one.state for one in without])
    for group, was in zip(told, without, strict=True):
        assert [one.may_rely for one in group.options] == [one.may_rely for one in was.options]


@given(st.lists(groups, max_size=3), evidences, heards)
def test_what_is_sure_is_what_came_a_moment_ago(
    asked: list[Group], found: Evidence, heard: dict[Place, tuple[Heard, ...]]
) -> None:
    for at, group in enumerate(evaluate(asked, found, {}, heard)[1]):
        for one in group.options:
            seen = asked[at].any_of[one.option].allowed and asked[at].holder == "applicant"
            assert one.heard == (heard.get((at, one.option), ()) if seen else ())
            news = [said for said in one.heard if said.asked_at == HOUR_AGO]
            if one.sure:
                assert any(one.record_id in said.records for said in news)
            if one.state == "met" and one.stale and any(said.found == "refused" for said in news):
                feeds = {feed.stream_id for feed in asked[at].any_of[one.option].feeds if feed == FRESH}
                doubted = any(said.found == "refused" and said.stream_id not in feeds for said in news)
                assert one.sure or not one.may_rely or not doubted, "what came and was refused may say otherwise"


@given(st.lists(groups, min_size=1, max_size=3), evidences, words)
def test_a_word_touches_its_own_option_alone_and_only_what_no_feed_tells(
    asked: list[Group], found: Evidence, spoken: dict[Place, Word]
) -> None:
    without, with_them = evaluate(asked, found)[1], evaluate(asked, found, spoken)[1]
    for at, (before, after) in enumerate(zip(without, with_them, strict=True)):
        for place, (was, now) in enumerate(zip(before.options, after.options, strict=True)):
            assert now.word in (None, spoken.get((at, place)))
            if now.word is None:
                assert now == was
            else:
                assert was.reason != "not_granted"
                assert (
                    was.stale
                    or BEHIND in asked[at].any_of[place].feeds
                    or not asked[at].any_of[place].feeds
                    or (was.state in ("undetermined", "pending"))
                )


@given(st.lists(groups, min_size=1, max_size=3), evidences, st.randoms())
def test_the_order_of_what_is_found_changes_no_answer(asked: list[Group], found: Evidence, chance: Any) -> None:
    def mixed(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        listed = list(rows)
        chance.shuffle(listed)
        return tuple(listed)

    other = Evidence(mixed(found.credentials), mixed(found.decisions), mixed(found.open_cases))
    assert [one.state for one in evaluate(asked, found)[1]] == [one.state for one in evaluate(asked, other)[1]]


@given(st.lists(groups, max_size=3), evidences)
def test_a_no_is_said_for_certain_only_where_every_feed_is_far_enough(asked: list[Group], found: Evidence) -> None:
    for group, told in zip(asked, evaluate(asked, found)[1], strict=True):
        for option, said in zip(group.any_of, told.options, strict=True):
            if said.state not in ("met", "pending", "undetermined"):
                assert option.feeds
                assert BEHIND not in option.feeds
