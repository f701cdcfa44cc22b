"""The truth table of prerequisites: each row is one applicant's evidence, and what must be said of it on a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from catalog.limits import Limit
from verification.rules import validity
from verification.rules.ages import earliest
from verification.rules.freshness import Feed, Freshness
from verification.rules.prerequisites import Credential, Decision, Evidence, Group, OpenCase, Option, evaluate
from verification.rules.words import NOTHING_SAID, Heard, Word

DAY = date(2026, 5, 15)
NOW = datetime(2026, 5, 20, 8, tzinfo=UTC)
FRESH = Feed(1, datetime(2026, 5, 19, 20, tzinfo=UTC), "declared")
BEHIND = Feed(2, datetime(2026, 5, 1, tzinfo=UTC), "inferred")
SILENT = Feed(3, None, None)
ASKED = Freshness.of(on=DAY, now=NOW, hours=24)
ITEM = frozenset({"330117021000"})


def cred(kind: str = "A", **over: Any) -> Credential:
    """A credential of a type that is valid from 2025-01-01 to 2027-12-31, issued on the first of these days."""
    periods = tuple(validity.Period(status, since) for status, since in over.pop("periods", ()))
    times = validity.Times(
        over.pop("begin", date(2025, 1, 1)), over.pop("end", date(2027, 12, 31)),
        over.pop("issued", date(2025, 1, 1)), periods, over.pop("reported", date(2025, 1, 2)),
    )  # fmt: skip
    made = Credential(over.pop("record", 1), kind, "ISSUER", "applicant", times, FRESH)
    return replace(made, **over)


def decision(outcome: str = "granted", **over: Any) -> Decision:
    return replace(
        Decision(7, "330117021000", "ORGAN", "applicant", outcome, date(2026, 4, 1), FRESH), **over
    )  # fmt: skip


def running(**over: Any) -> OpenCase:
    due = datetime(2026, 6, 1, tzinfo=UTC)
    made = OpenCase(9, "330117021000", frozenset({"A"}), "ORGAN", "applicant", "review", due, date(2026, 5, 2), FRESH)
    return replace(made, **over)


def opt(kind: str | None = "A", **over: Any) -> Option:
    return replace(Option(kind, frozenset(), feeds=(FRESH,), freshness=ASKED), **over)


def of_item(**over: Any) -> Option:
    return opt(None, items=ITEM, **over)


def g(*options: Option, day: date = DAY, holder: str = "applicant") -> Group:
    return Group("前置", holder, day, options)


A, B = opt(), opt("B")
D = date
YEAR = Limit(1, "year")

ROWS: dict[str, tuple[list[Group], list[Any], str, list[str]]] = {
    # --- one credential, on its days ---
    "valid on the day": ([g(A)], [cred()], "met", ["met"]),
    "first day of validity": ([g(A, day=D(2025, 1, 1))], [cred()], "met", ["met"]),
    "last day of validity": ([g(A, day=D(2027, 12, 31))], [cred()], "met", ["met"]),
    "the day before validity": ([g(A, day=D(2024, 12, 31))], [cred()], "not_met", ["not_yet_valid"]),
    "the day after validity": ([g(A, day=D(2028, 1, 1))], [cred()], "not_met", ["expired"]),
    "open end": ([g(A, day=D(2050, 1, 1))], [cred(end=None)], "met", ["met"]),
    "issued later than the day": ([g(A)], [cred(begin=None, issued=D(2026, 5, 16))], "not_met", ["not_yet_valid"]),
    "nothing says since when": ([g(A)], [cred(begin=None, issued=None, reported=None)], "undetermined",
                                ["undetermined"]),
    "reported before the day": ([g(A)], [cred(begin=None, issued=None)], "met", ["met"]),
    "none at all": ([g(A)], [], "not_met", ["missing"]),
    "only of another type": ([g(A)], [cred("B")], "not_met", ["missing"]),
    "of the project, not of the applicant": ([g(A)], [cred(holder="project")], "not_met", ["missing"]),
    "the project must hold it": ([g(A, holder="project")], [cred(holder="project")], "met", ["met"]),
    "the project must, the applicant does": ([g(A, holder="project")], [cred()], "not_met", ["missing"]),
    # --- statuses ---
    "revoked before the day": ([g(A)], [cred(periods=[("revoked", D(2026, 5, 1))])], "not_met", ["revoked"]),
    "revoked on the day": ([g(A)], [cred(periods=[("revoked", DAY)])], "not_met", ["revoked"]),
    "revoked the day after": ([g(A)], [cred(periods=[("revoked", D(2026, 5, 16))])], "met", ["met"]),
    "suspended": ([g(A)], [cred(periods=[("suspended", D(2026, 5, 1))])], "not_met", ["suspended"]),
    "suspended and restored": ([g(A)], [cred(periods=[("suspended", D(2026, 3, 1)), ("valid", D(2026, 4, 1))])],
                               "met", ["met"]),
    "asked for the days of suspension": (
        [g(A, day=D(2026, 3, 15))], [cred(periods=[("suspended", D(2026, 3, 1)), ("valid", D(2026, 4, 1))])],
        "not_met", ["suspended"]),
    "suspended by date, valid by its present status": (
        [g(A)], [cred(periods=[("suspended", D(2026, 3, 1)), ("valid", None)], reported=D(2026, 5, 1))],
        "undetermined", ["undetermined"]),
    "valid by its present status, suspended later by date": (
        [g(A)], [cred(periods=[("suspended", D(2026, 5, 18)), ("valid", None)])], "met", ["met"]),
    "cancelled": ([g(A)], [cred(periods=[("cancelled", D(2026, 1, 1))])], "not_met", ["revoked"]),
    "void": ([g(A)], [cred(periods=[("void", D(2026, 1, 1))])], "not_met", ["revoked"]),
    "transferred away": ([g(A)], [cred(periods=[("transferred", D(2026, 1, 1))])], "not_met", ["revoked"]),
    "expired by status": ([g(A)], [cred(end=None, periods=[("expired", D(2026, 5, 1))])], "not_met", ["expired"]),
    "lapsed before its end of validity": ([g(A)], [cred(periods=[("expired", D(2026, 5, 1))])], "not_met", ["expired"]),
    "said to have expired, its end of validity says when": (
        [g(A, day=D(2026, 1, 5))], [cred(end=D(2026, 1, 10), periods=[("expired", None)], reported=D(2026, 2, 1))],
        "met", ["met"]),
    "said to have expired, before its end of validity": (
        [g(A)], [cred(periods=[("expired", None)])], "not_met", ["expired"]),
    "status expired, end of validity later": ([g(A)], [cred(periods=[("expired", D(2028, 1, 1))])], "met", ["met"]),
    "revoked without a day, reported before": ([g(A)], [cred(periods=[("revoked", None)])], "not_met", ["revoked"]),
    "revoked without a day, reported after": (
        [g(A)], [cred(periods=[("revoked", None)], reported=D(2026, 5, 18))], "undetermined", ["undetermined"]),
    "a status that means nothing known": ([g(A)], [cred(periods=[("other", None)])], "undetermined", ["undetermined"]),
    "two statuses on one day": ([g(A)], [cred(periods=[("valid", D(2026, 5, 1)), ("revoked", D(2026, 5, 1))])],
                                "not_met", ["revoked"]),
    # --- several pieces of evidence ---
    "an expired one and its renewal": ([g(A)], [cred(end=D(2026, 1, 1)), cred(record=2)], "met", ["met"]),
    "a revoked and an expired one": (
        [g(A)], [cred(periods=[("revoked", D(2026, 1, 1))]), cred(record=2, end=D(2026, 1, 1))], "not_met",
        ["revoked"]),
    "an unclear and an expired one": (
        [g(A)], [cred(periods=[("other", None)]), cred(record=2, end=D(2026, 1, 1))], "undetermined",
        ["undetermined"]),
    # --- issuer and age ---
    "issued by the right organ": ([g(opt(issued_by="ISSUER"))], [cred()], "met", ["met"]),
    "issued by another organ": ([g(opt(issued_by="ELSE"))], [cred()], "not_met", ["missing"]),
    "a year old to the day": ([g(opt(not_older_than=YEAR))], [cred(issued=D(2025, 5, 15))], "met", ["met"]),
    "a year and a day old": ([g(opt(not_older_than=YEAR))], [cred(issued=D(2025, 5, 14))], "not_met", ["too_old"]),
    "old, of unknown age": ([g(opt(not_older_than=YEAR))], [cred(issued=None, begin=None)], "undetermined",
                            ["undetermined"]),
    "ten working days old": (
        [g(opt(not_older_than=Limit(10, "working_day")))], [cred(issued=D(2026, 4, 29))], "met", ["met"]),
    "too many working days old": (
        [g(opt(not_older_than=Limit(10, "working_day")))], [cred(issued=D(2026, 4, 28))], "not_met", ["too_old"]),
    "a month that is shorter": (
        [g(opt(not_older_than=Limit(1, "month")), day=D(2026, 3, 31))], [cred(issued=D(2026, 2, 28))], "met",
        ["met"]),
    # --- decisions on items ---
    "granted": ([g(of_item())], [decision()], "met", ["met"]),
    "granted on the day": ([g(of_item())], [decision(decided=DAY)], "met", ["met"]),
    "granted the day after": ([g(of_item())], [decision(decided=D(2026, 5, 16))], "not_met", ["not_yet_valid"]),
    "refused": ([g(of_item())], [decision("refused")], "not_met", ["refused"]),
    "refused, then granted": ([g(of_item())], [decision("refused"), decision(record_id=8)], "met", ["met"]),
    "withdrawn": ([g(of_item())], [decision("withdrawn")], "not_met", ["refused"]),
    "of an outcome that means nothing known": ([g(of_item())], [decision("other")], "undetermined", ["undetermined"]),
    "granted, nobody says when": ([g(of_item())], [decision(decided=None)], "undetermined", ["undetermined"]),
    "taken back before the day": ([g(of_item())], [decision(taken_back=D(2026, 5, 1))], "not_met", ["revoked"]),
    "taken back on the day": ([g(of_item())], [decision(taken_back=DAY)], "not_met", ["revoked"]),
    "taken back after the day": ([g(of_item())], [decision(taken_back=D(2026, 5, 16))], "met", ["met"]),
    "decided by another organ": ([g(of_item(issued_by="ELSE"))], [decision()], "not_met", ["missing"]),
    "a credential does for no item": ([g(of_item())], [cred()], "not_met", ["missing"]),
    # --- pending ---
    "another department is at work on the item": ([g(of_item())], [running()], "pending", ["pending"]),
    "at work on what gives the credential": ([g(A)], [running()], "pending", ["pending"]),
    "at work on something else": ([g(B)], [running()], "not_met", ["missing"]),
    "at work for another holder": ([g(A)], [running(holder="project")], "not_met", ["missing"]),
    "expired, renewal under way": ([g(A)], [cred(end=D(2026, 1, 1)), running()], "pending", ["pending"]),
    "valid, and a renewal under way": ([g(A)], [cred(), running()], "met", ["met"]),
    "refused, asked again": ([g(of_item())], [decision("refused"), running()], "pending", ["pending"]),
    # --- feeds that are behind ---
    "nothing found, feed behind": ([g(opt(feeds=(BEHIND,)))], [], "undetermined", ["undetermined"]),
    "nothing found, feed silent": ([g(opt(feeds=(SILENT,)))], [], "undetermined", ["undetermined"]),
    "nothing found, one of two feeds behind": ([g(opt(feeds=(FRESH, BEHIND)))], [], "undetermined", ["undetermined"]),
    "nothing found, no feed is known": ([g(opt(feeds=()))], [], "undetermined", ["undetermined"]),
    "valid, feed behind": ([g(opt(feeds=(BEHIND,)))], [cred(feed=BEHIND)], "met", ["met"]),
    "expired, feed behind": ([g(opt(feeds=(BEHIND,)))], [cred(end=D(2026, 1, 1), feed=BEHIND)], "undetermined",
                             ["undetermined"]),
    "revoked, feed behind": (
        [g(opt(feeds=(BEHIND,)))], [cred(periods=[("revoked", D(2026, 1, 1))], feed=BEHIND)], "undetermined",
        ["undetermined"]),
    "pending, feed behind": ([g(opt(feeds=(BEHIND,)))], [running(feed=BEHIND)], "pending", ["pending"]),
    # --- AND and OR ---
    "either of two: the second": ([g(A, B)], [cred("B")], "met", ["met"]),
    "either of two: none": ([g(A, B)], [], "not_met", ["missing"]),
    "either of two: expired or missing": ([g(A, B)], [cred("B", end=D(2026, 1, 1))], "not_met", ["expired"]),
    "either of two: pending or revoked": (
        [g(A, B)], [cred("B", periods=[("revoked", D(2026, 1, 1))]), running()], "pending", ["pending"]),
    "either of two: missing or not known": ([g(A, opt("B", feeds=(BEHIND,)))], [], "undetermined", ["undetermined"]),
    "both of two": ([g(A), g(B)], [cred(), cred("B", record=2)], "met", ["met", "met"]),
    "both of two: one is missing": ([g(A), g(B)], [cred()], "not_met", ["met", "missing"]),
    "both of two: one pending": ([g(B), g(A)], [cred("B"), running()], "pending", ["met", "pending"]),
    "both of two: one pending, one missing": ([g(A), g(B)], [running()], "not_met", ["pending", "missing"]),
    "both of two: one not known": ([g(A), g(opt("B", feeds=(BEHIND,)))], [cred()], "undetermined",
                                   ["met", "undetermined"]),
    "both of two: pending and not known": ([g(A), g(opt("B", feeds=(BEHIND,)))], [running()], "undetermined",
                                           ["pending", "undetermined"]),
    "both of two: missing and not known": ([g(A), g(opt("B", feeds=(BEHIND,)))], [], "not_met",
                                           ["missing", "undetermined"]),
    "groups with days of their own": ([g(A, day=D(2024, 1, 1)), g(A)], [cred()], "not_met", ["not_yet_valid", "met"]),
    "no group at all": ([], [], "met", []),
    "a group without an option": ([g()], [cred()], "undetermined", ["undetermined"]),
    # --- what the asker may not see ---
    "not granted, though it is there": ([g(opt(allowed=False))], [cred()], "undetermined", ["undetermined"]),
    "not granted, the other option is met": ([g(opt(allowed=False), B)], [cred("B")], "met", ["met"]),
    "not granted, the other option is missing": ([g(opt(allowed=False), B)], [cred()], "undetermined",
                                                 ["undetermined"]),
}  # fmt: skip


def evidence(*found: Any) -> Evidence:
    def of(kind: type) -> tuple[Any, ...]:
        return tuple(one for one in found if isinstance(one, kind))

    return Evidence(of(Credential), of(Decision), of(OpenCase))


@pytest.mark.parametrize("name", ROWS)
def test_prerequisites_stand_as_the_table_says(name: str) -> None:
    groups, found, whole, each = ROWS[name]
    said, told = evaluate(groups, evidence(*found))
    assert (said, [one.state for one in told]) == (whole, each)


def word(said: Any) -> Word:
    return Word(said, "ISSUER", None, NOW - timedelta(days=1), NOW)


LATE, HELD = opt(feeds=(BEHIND,)), cred(feed=BEHIND)
TAKEN = cred(periods=[("revoked", D(2026, 1, 1))])
AT_WORK = running(feed=BEHIND)
UNCLEAR = cred(periods=[("other", None)])
BY_WORD: dict[str, tuple[Option, list[Any], dict[str, str]]] = {
    # --- what the feeds say, and how the option then stands without a word and by each ---
    "nothing found, feed behind": (LATE, [], {
        "": "undetermined", "yes": "met", "no": "denied", "not_ours": "undetermined"}),
    "nothing found, no feed is known": (opt(feeds=()), [], {
        "": "undetermined", "yes": "met", "no": "denied", "not_ours": "undetermined"}),
    "nothing found, feed fresh": (A, [], {"": "missing", "yes": "missing", "no": "missing", "not_ours": "missing"}),
    "valid, feed fresh": (A, [cred()], {"": "met", "yes": "met", "no": "met", "not_ours": "met"}),
    "valid, feed behind": (LATE, [HELD], {"": "met", "yes": "met", "no": "denied", "not_ours": "met"}),
    "revoked, feed fresh": (A, [TAKEN], {"": "revoked", "yes": "revoked", "no": "revoked", "not_ours": "revoked"}),
    "revoked, feed behind": (LATE, [replace(TAKEN, feed=BEHIND)], {
        "": "undetermined", "yes": "met", "no": "denied", "not_ours": "undetermined"}),
    "of a status that means nothing known, feed fresh": (A, [UNCLEAR], {
        "": "undetermined", "yes": "met", "no": "denied", "not_ours": "undetermined"}),
    "another department is at work, feed fresh": (A, [running()], {
        "": "pending", "yes": "pending", "no": "pending", "not_ours": "pending"}),
    "another department is at work, feed behind": (LATE, [AT_WORK], {
        "": "pending", "yes": "met", "no": "pending", "not_ours": "pending"}),
    "valid as of then, renewal under way, feed behind": (LATE, [HELD, AT_WORK], {
        "": "met", "yes": "met", "no": "pending", "not_ours": "met"}),
    "refused, then nothing, feed behind": (of_item(feeds=(BEHIND,)), [decision("refused", feed=BEHIND)], {
        "": "undetermined", "yes": "met", "no": "denied", "not_ours": "undetermined"}),
    "granted, feed fresh": (of_item(), [decision()], {"": "met", "yes": "met", "no": "met", "not_ours": "met"}),
    "not granted to the asker": (opt(allowed=False), [], {
        "": "undetermined", "yes": "undetermined", "no": "undetermined", "not_ours": "undetermined"}),
}  # fmt: skip


@pytest.mark.parametrize(("name", "said"), [(name, said) for name in BY_WORD for said in BY_WORD[name][2]])
def test_a_word_decides_what_no_fresh_evidence_does(name: str, said: str) -> None:
    option, found, stands = BY_WORD[name]
    _, (told,) = evaluate([g(option)], evidence(*found), {(0, 0): word(said)} if said else {})
    assert told.state == stands[said]
    fresh = {one for one in stands.values() if len(set(stands.values())) == 1} - {"undetermined"}
    assert (told.best.word is None) == (not said or bool(fresh) or not option.allowed), "what decides is named"


def test_a_yes_may_be_relied_on_and_keeps_the_record_that_a_feed_behind_brought() -> None:
    _, (told,) = evaluate([g(LATE)], evidence(HELD), {(0, 0): word("yes")})
    assert (told.best.record_id, told.best.may_rely, told.best.stale) == (1, True, True)
    _, (alone,) = evaluate([g(LATE)], evidence(), {(0, 0): word("yes")})
    assert (alone.best.record_id, alone.best.may_rely, alone.best.organ) == (None, True, "ISSUER")
    assert alone.best.complete_through == BEHIND.complete_through, "how far the feed is stays told"


def test_words_of_several_options_are_put_together_as_evidence_is() -> None:
    late_b = opt("B", feeds=(BEHIND,))
    both, either = [g(LATE), g(late_b)], [g(LATE, late_b)]
    for said, whole in (({(0, 0): "yes"}, "undetermined"), ({(0, 0): "yes", (1, 0): "yes"}, "met"),
                        ({(0, 0): "yes", (1, 0): "no"}, "not_met"), ({(9, 9): "yes"}, "undetermined")):  # fmt: skip
        assert evaluate(both, evidence(), {at: word(one) for at, one in said.items()})[0] == whole
    for said, whole in (({(0, 0): "no"}, "undetermined"), ({(0, 0): "no", (0, 1): "no"}, "not_met"),
                        ({(0, 0): "no", (0, 1): "yes"}, "met")):  # fmt: skip
        assert evaluate(either, evidence(), {at: word(one) for at, one in said.items()})[0] == whole


def heard(found: Any, *records: int, stream: int = BEHIND.stream_id, at: datetime = NOW) -> Heard:
    return Heard(f"market/{stream}", stream, "ISSUER", "source of ISSUER", found, at, at, frozenset(records))


NOT_KNOWN, TWO = opt(feeds=()), opt(feeds=(BEHIND, SILENT))
REVOKED, RELIED = replace(TAKEN, feed=BEHIND), opt(feeds=(BEHIND,), stale_allowed=True)
LONG_AGO, D_BEFORE = NOW - timedelta(days=2), FRESH.complete_through or NOW
TODAY = Freshness.of(on=NOW.date(), now=NOW, hours=24)
BY_LIVE: dict[str, tuple[Option, list[Any], list[Heard], str, str | None, bool]] = {
    # --- what is held, what the systems brought, and how the option stands, why, and whether it may be relied on ---
    "nothing came": (LATE, [], [heard("none")], "undetermined", "source_has_none", False),
    "what came was refused": (LATE, [], [heard("refused")], "undetermined", "source_record_refused", False),
    "it gave no answer": (LATE, [], [heard("failed")], "undetermined", "feed_behind", False),
    "it gave no answer, and no feed is known": (NOT_KNOWN, [], [heard("failed")], "undetermined", "no_feed", False),
    "a valid one came": (LATE, [HELD], [heard("taken", 1)], "met", None, True),
    "a valid one came, and no feed was known": (NOT_KNOWN, [HELD], [heard("taken", 1)], "met", None, True),
    "a valid one came of one feed, another is silent": (TWO, [HELD], [heard("taken", 1)], "met", None, True),
    "a valid one came, another was refused": (LATE, [HELD], [heard("refused", 1)], "met", None, True),
    "a revoked one came": (LATE, [REVOKED], [heard("taken", 1)], "revoked", None, False),
    "a revoked one came, and no feed was known": (NOT_KNOWN, [REVOKED], [heard("taken", 1)], "revoked", None, False),
    "a revoked one came of one feed, another was not asked": (
        TWO, [REVOKED], [heard("taken", 1)], "undetermined", "feed_behind", False),
    "a revoked one came of one feed, nothing of another": (
        TWO, [REVOKED], [heard("taken", 1), heard("none", stream=3)], "undetermined", "feed_behind", False),
    "a revoked one came of one feed, an expired one of another": (
        TWO, [REVOKED, cred(record=2, end=D(2026, 1, 1), feed=SILENT)],
        [heard("taken", 1), heard("taken", 2, stream=3)], "revoked", None, False),
    "a revoked one came, another was refused": (
        LATE, [REVOKED], [heard("refused", 1)], "undetermined", "source_record_refused", False),
    "a revoked one came, a valid one of earlier did not": (
        LATE, [REVOKED, cred(record=2, feed=BEHIND)], [heard("taken", 1)], "met", None, False),
    "valid as of then, and came again": (LATE, [HELD], [heard("taken", 1)], "met", None, True),
    "valid as of then, and nothing came": (LATE, [HELD], [heard("none")], "met", None, False),
    "valid as of then, nothing came, a stale one is allowed": (RELIED, [HELD], [heard("none")], "met", None, True),
    "valid as of then, what came was refused, a stale one is allowed": (
        RELIED, [HELD], [heard("refused")], "met", None, False),
    "an expired one came, its renewal is under way": (
        LATE, [cred(end=D(2026, 1, 1), feed=BEHIND), AT_WORK], [heard("taken", 1)], "pending", None, False),
    "one of a status that means nothing known came": (
        LATE, [replace(UNCLEAR, feed=BEHIND)], [heard("taken", 1)], "undetermined", "status_unclear", False),
    "one that is too old came": (
        replace(LATE, not_older_than=YEAR), [HELD], [heard("taken", 1)], "too_old", None, False),
    "one of another issuer came": (
        replace(LATE, issued_by="ELSE"), [HELD], [heard("none")], "undetermined", "source_has_none", False),
    "it came two days ago, and the day is not over": (
        replace(LATE, freshness=TODAY), [HELD], [heard("taken", 1, at=LONG_AGO)], "met", None, False),
    "it came two days ago, and the day was over": (LATE, [HELD], [heard("taken", 1, at=LONG_AGO)], "met", None, True),
    "nothing came two days ago": (
        replace(LATE, freshness=TODAY), [], [heard("none", at=LONG_AGO)], "undetermined", "feed_behind", False),
    "its feed has come further since": (
        A, [cred(periods=[("revoked", D(2026, 5, 1))])], [heard("taken", 1, stream=1, at=D_BEFORE)], "revoked", None,
        False),
    "its feed has come further since, and what was refused is no doubt": (
        opt(stale_allowed=True), [cred()], [heard("refused", stream=1, at=D_BEFORE)], "met", None, True),
    "not granted to the asker": (
        replace(LATE, allowed=False), [HELD], [heard("taken", 1)], "undetermined", "not_granted", False),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_LIVE)
def test_what_a_system_brought_is_so_as_of_the_question(name: str) -> None:
    option, found, said, state, reason, rely = BY_LIVE[name]
    _, (told,) = evaluate([g(option)], evidence(*found), {}, {(0, 0): said})
    assert (told.state, told.best.reason, told.best.may_rely) == (state, reason, rely)
    assert told.best.heard == (tuple(said) if option.allowed else ()), "whom one asked is told"


def test_what_an_applicant_was_asked_for_says_nothing_of_a_project() -> None:
    _, (told,) = evaluate(
        [g(LATE, holder="project")], evidence(replace(HELD, holder="project")), {}, {(0, 0): [heard("taken", 1)]}
    )
    assert (told.state, told.best.may_rely, told.best.heard) == ("met", False, ())


def test_a_record_that_came_goes_before_a_word_and_nothing_that_came_does_not() -> None:
    for said, found, brought, state in (
        ("no", [HELD], heard("taken", 1), "met"), ("yes", [REVOKED], heard("taken", 1), "revoked"),
        ("no", [], heard("none"), "denied"), ("yes", [], heard("none"), "met"), ("yes", [], heard("refused"), "met"),
        ("no", [HELD], heard("none"), "denied"),
    ):  # fmt: skip
        _, (told,) = evaluate([g(LATE)], evidence(*found), {(0, 0): word(said)}, {(0, 0): [brought]})
        assert told.state == state
        assert (told.best.word is None) == (brought.found == "taken"), "what decides is named"


def test_a_system_that_gives_no_answer_takes_nothing_back() -> None:
    words = NOTHING_SAID.and_heard(1, {(0, 0): [heard("taken", 1), heard("none", stream=3)]})
    again = words.and_heard(1, {(0, 0): [heard("failed"), heard("taken", 4, stream=3)], (0, 1): [heard("failed")]})
    assert again.heard_of(1) == {
        (0, 0): (heard("taken", 1), heard("taken", 4, stream=3)), (0, 1): (heard("failed"),)
    }  # fmt: skip
    assert again.heard_of(2) == {}, "it is of that version of the item"
    assert again.and_heard(2, {}).heard_of(2) == {}


def test_the_table_is_large_enough() -> None:
    assert len(ROWS) >= 60


def test_pending_tells_stage_and_due_date_of_the_case_that_is_due_first() -> None:
    later = running(record_id=10, due=datetime(2026, 7, 1, tzinfo=UTC))
    _, (told,) = evaluate([g(A)], evidence(later, running(), running(record_id=11, due=None)))
    assert (told.best.record_id, told.best.stage, told.best.organ) == (9, "review", "ORGAN")
    assert told.best.due == datetime(2026, 6, 1, tzinfo=UTC)


def test_a_stale_positive_is_told_as_such_and_relied_on_only_where_the_grant_allows() -> None:
    for allowed in (False, True):
        option = opt(feeds=(BEHIND,), stale_allowed=allowed)
        _, (told,) = evaluate([g(option)], evidence(cred(feed=BEHIND)))
        assert (told.best.stale, told.best.may_rely) == (True, allowed)
        assert told.best.complete_through == BEHIND.complete_through


def test_of_two_credentials_the_one_that_may_be_relied_on_counts() -> None:
    option = opt(feeds=(FRESH, BEHIND))
    _, (told,) = evaluate([g(option)], evidence(cred(record=1, feed=BEHIND), cred(record=2)))
    assert (told.best.record_id, told.best.may_rely) == (2, True)


def test_what_may_not_be_seen_says_nothing_of_what_is_there() -> None:
    hidden = opt(allowed=False)
    _, (with_it,) = evaluate([g(hidden)], evidence(cred()))
    _, (without,) = evaluate([g(hidden)], evidence())
    assert with_it == without


def test_a_day_that_no_limit_reaches_back_to_is_the_first_of_all() -> None:
    assert earliest(DAY, Limit(3660, "year")) == date.min
    assert earliest(date(2024, 2, 29), Limit(1, "year")) == date(2023, 2, 28)
    assert earliest(DAY, Limit(0, "working_day")) == DAY
    assert earliest(DAY, Limit(3, "calendar_day")) == DAY - timedelta(days=3)
