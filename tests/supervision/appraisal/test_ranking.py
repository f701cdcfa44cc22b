"""The ranking: each point by hand, against a slow reference, whatever the order of the rows."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as rounds
from hypothesis import strategies as st

from supervision.appraisal import formulas, inputs, people, ranking, years
from supervision.appraisal.counting import counted
from supervision.appraisal.errors import AppraisalRefused
from supervision.appraisal.service import evidence_of
from tests.supervision.appraisal import reference
from tests.supervision.appraisal.making import MONTH, ORGAN, OTHER, THIRD, Month, points, unit

DAYS = st.sampled_from(["", "2026-09-28", "2026-10-01", "2026-10-12", "2026-10-31", "2026-11-03"])
CASES = st.fixed_dictionaries({
    "organ": st.sampled_from([ORGAN, OTHER]), "kind": st.sampled_from(["promised", "immediate", ""]),
    "received": DAYS, "accepted": DAYS, "due": DAYS, "closed": DAYS,
    "verdict": st.sampled_from(["early", "on_time", "late", ""]), "legal": st.sampled_from(["", "0", "20", "45"]),
    "promised": st.sampled_from(["", "0", "7", "20", "60"]), "used": st.sampled_from(["", "0", "3", "33"]),
    "missing": st.sampled_from(["", "outcome", "acceptance stages"]), "city": st.sampled_from(["", "330100"]),
})  # fmt: skip
CARDS = st.fixed_dictionaries({
    "organ": st.sampled_from([ORGAN, OTHER]), "level": st.sampled_from(["warning", "yellow", "red"]),
    "kind": st.sampled_from(["time", "process", "content", "fee", "item", "statistical"]),
    "state": st.sampled_from(["held", "sent", "answered", "appealed", "upheld", "withdrawn", "lapsed"]),
    "unanswered": st.sampled_from(["0", "1"]),
})  # fmt: skip
RATINGS = st.fixed_dictionaries({
    "organ": st.sampled_from([ORGAN, OTHER]), "satisfaction": st.sampled_from(list("12345")),
    "mended_in_time": st.sampled_from(["", "0", "1"]),
})  # fmt: skip
ENTRIES = st.fixed_dictionaries({
    "unit": st.sampled_from([ORGAN, OTHER]), "head": st.sampled_from(["bonus", "integrity", "attitude", "liability"]),
    "unit_value": st.sampled_from(["-2.5", "0.33", "1", "-20"]), "quantity": st.sampled_from(["1", "2", "0.5"]),
})  # fmt: skip


@st.composite
def months(draw: Any) -> Month:
    month = Month().organs(ORGAN, OTHER)
    for name, rows in (("cases", CASES), ("cards", CARDS), ("ratings", RATINGS), ("entries", ENTRIES)):
        for row in draw(st.lists(rows, max_size=12)):
            month.put(name, **row)
    if draw(st.booleans()):
        month.put("cases", draw(st.sampled_from([5, 29, 300])))
    if draw(st.integers(0, 9)) == 0:
        month.put("feeds", source="late", behind="1")
    return month


@rounds(max_examples=150)
@given(months())
def test_scores_are_those_of_a_slow_reference_in_fractions(month: Month) -> None:
    found = ranking.ranked(month.opened())
    for code in (ORGAN, OTHER):
        expected, said = reference.score(month, code), unit(found, code)["score"]
        assert (None if said is None else Fraction(said)) == expected


@rounds(max_examples=60)
@given(months(), st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(month: Month, order: random.Random) -> None:
    before = inputs.canonical(ranking.ranked(month.opened()))
    files = month.files()
    for name in [one for one in files if one.endswith(".csv")]:
        head, *lines = files[name].decode().splitlines(keepends=True)
        order.shuffle(lines)
        files[name] = "".join([head, *lines]).encode()
    again = ranking.ranked(inputs.opened(lambda name, _largest: files[name], MONTH))
    assert inputs.canonical(again) == before


@rounds(max_examples=60)
@given(months())
def test_every_measure_that_is_a_count_is_the_number_of_its_rows_of_evidence(month: Month) -> None:
    opened = month.opened()
    for key, measures in counted(opened).items():
        for name in ("closed", "closed_late", "closed_incomplete", "cards_red", "cards_unanswered", "ratings_bad",
                     "open_overdue", "feeds_behind"):  # fmt: skip
            assert measures[name] == len(evidence_of(opened, key, name)), (key, name)


@rounds(max_examples=60)
@given(months())
def test_no_head_leaves_its_bounds_and_ranks_follow_scores(month: Month) -> None:
    found = ranking.ranked(month.opened())
    for units in found["levels"].values():
        scores = [Decimal(one["score"]) for one in units if one["rank"]]
        assert scores == sorted(scores, reverse=True)
        for one in units:
            assert (one["rank"] is None) == (one["score"] is None) == bool(one["unranked"])
            assert all(0 <= Decimal(head["points"]) <= Decimal(head["of"]) for head in one["heads"])


def test_a_clean_month_by_hand() -> None:
    """100 points; all 40 early: +10; promises cut by half: 3 + 2; 40 closed cases: × 0.95; (100 + 15) × 0.95."""
    one = unit(ranking.ranked(Month().organs(ORGAN).put("cases", 40).opened()))
    assert (one["score"], one["rank"]) == ("109.25", 1)
    assert (points(one, "early_bonus"), points(one, "promise_bonus"), points(one, "coefficient")) == ("10", "5", "0.95")


def test_cards_of_each_level_take_what_the_rule_says_and_no_head_falls_below_nothing() -> None:
    month = Month().organs(ORGAN).put("cases", 40)
    month.put("cards", 4, level="warning").put("cards", level="yellow")  # 3 for the first three warnings, 5
    month.put("cards", 3, kind="fee", level="red")  # 30 of 8
    one = unit(ranking.ranked(month.opened()))
    assert (points(one, "time_limit"), points(one, "fees")) == ("6", "0")


def test_a_card_that_is_held_withdrawn_or_was_never_sent_takes_nothing() -> None:
    month = Month().organs(ORGAN).put("cases", 40)
    for state in ("held", "withdrawn", "lapsed"):
        month.put("cards", level="red", state=state)
    assert points(unit(ranking.ranked(month.opened())), "time_limit") == "14"


def test_incomplete_data_takes_a_point_for_each_full_percent_and_five_at_most() -> None:
    def less(incomplete: int) -> str:
        month = Month().organs(ORGAN).put("cases", 200 - incomplete).put("cases", incomplete, missing="outcome")
        return points(unit(ranking.ranked(month.opened())), "incomplete_data")

    assert [less(count) for count in (0, 1, 2, 3, 4, 10, 60)] == ["0", "0", "1", "1", "2", "5", "5"]


def test_ties_share_a_rank_and_the_next_one_is_left_out() -> None:
    month = Month().organs(THIRD, OTHER, ORGAN)
    for code in (ORGAN, OTHER, THIRD):
        month.put("cases", 40, organ=code)
    month.put("cards", organ=OTHER)
    found = ranking.ranked(month.opened())["levels"]["department"]
    assert [(one["rank"], one["unit"]) for one in found] == [(1, ORGAN), (1, THIRD), (3, OTHER)]


def test_units_of_one_rank_stand_by_code_point_and_not_by_any_locale() -> None:
    codes = ["a", "B", "é", "Z", "中", "10", "9", "\U00020087", "ｚ"]
    month = Month().organs(*codes)
    for code in codes:
        month.put("cases", 5, organ=code)
    found = ranking.ranked(month.opened())["levels"]["department"]
    assert [one["unit"] for one in found] == sorted(codes, key=lambda one: one.encode())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda month: month.put("feeds", source="x", behind="1").put("cases", 40), "feeds_incomplete"),
        (lambda month: month.put("cases", 4), "few_cases"),
        (lambda month: month, "no_cases few_cases"),
    ],
)
def test_a_unit_without_a_rank_is_listed_with_the_reason_and_without_a_score(change: Any, reason: str) -> None:
    month = Month().organs(ORGAN, OTHER).put("cases", 40, organ=OTHER)
    change(month)
    found = ranking.ranked(month.opened())["levels"]["department"]
    assert [one["unit"] for one in found] == [OTHER, ORGAN]
    assert (found[1]["rank"], found[1]["score"], " ".join(found[1]["unranked"])) == (None, None, reason)


def test_one_late_feed_is_too_much_for_a_department_and_not_for_twenty_feeds_of_a_city() -> None:
    month = Month().organs(ORGAN).put("cases", 40, city="330100").put("feeds", source="late", behind="1")
    for place in range(18):
        month.put("organs", organ=f"C{place}", city="330100", level="city").put("feeds", organ=f"C{place}")
    found = ranking.ranked(month.opened())
    assert unit(found)["unranked"] == ["feeds_incomplete"]
    assert unit(found, "330100", "city")["unranked"] == [], "1 of 20"


def test_a_department_that_no_feed_speaks_for_is_not_ranked() -> None:
    month = Month().put("organs").put("cases", 40)
    assert unit(ranking.ranked(month.opened()))["unranked"] == ["feeds_incomplete"]


def test_both_definitions_of_a_rate_stand_side_by_side_and_differ() -> None:
    month = Month().organs(ORGAN)
    month.put("cases", 6)  # promised, received, accepted and closed early in the month
    month.put("cases", 2, kind="immediate", verdict="on_time")
    month.put("cases", verdict="late", due="2026-10-13", used="12")
    month.put("cases", closed="", verdict="", due="2026-10-30")  # open past its limit at the month's end
    month.put("cases", received="2026-09-01", accepted="2026-09-01", verdict="")  # no computable limit
    month.put("cases", closed="2026-11-02", due="2026-11-09")  # closed after the month
    rates = {(one["rate"], one["definition"]): one for one in unit(ranking.ranked(month.opened()))["rates"]}

    def said(rate: str, letter: str) -> tuple[str, str, str]:
        one = rates[rate, letter]
        return one["numerator"], one["denominator"], one["value"]

    assert said("completion", "A") == ("10", "11", "0.9091")
    assert said("completion", "B") == ("10", "11", "0.9091")
    assert said("early", "A") == ("6", "10", "0.6")
    assert said("early", "B") == ("6", "9", "0.6667")
    assert said("on_time", "A") == ("8", "10", "0.8")
    assert said("on_time", "B") == ("8", "10", "0.8"), "8 of 9 with a verdict and one open: (10 - 1 late - 1 open) / 10"
    assert said("immediate", "A") == ("2", "11", "0.1818")
    assert said("speed_up", "A") == ("120", "160", "0.75"), "8 promised ones of 20 days: 6 × 16 + 8 + 16"
    assert rates["satisfied", "A"]["value"] is None, "no ratings are no rate"


def test_a_city_has_the_cases_in_it_and_is_incomplete_with_the_feeds_of_their_departments() -> None:
    month = Month().organs(ORGAN, OTHER).put("regions")
    month.put("cases", 6, city="330100").put("cases", 6, organ=OTHER)
    assert unit(ranking.ranked(month.opened()), "330100", "city")["measures"]["closed"] == "6"
    month.put("feeds", organ=OTHER, source="late", behind="1")
    assert unit(ranking.ranked(month.opened()), "330100", "city")["rank"] == 1, "that department has no case there"
    month.put("feeds", source="late", behind="1")
    assert unit(ranking.ranked(month.opened()), "330100", "city")["unranked"] == ["feeds_incomplete"]


def test_organs_of_cities_and_counties_are_ranked_among_their_own() -> None:
    month = Month().organs(ORGAN)
    for code, level in (("C1", "city"), ("K1", "county")):
        month.put("organs", organ=code, level=level, city="330100").put("feeds", organ=code)
        month.put("cases", 6, organ=code, city="330100")
    found = ranking.ranked(month.opened())["levels"]
    assert {level: [one["unit"] for one in units] for level, units in found.items()} == {
        "department": [ORGAN], "city": ["330100"], "county": [], "city_department": ["C1"],
        "county_department": ["K1"],
    }  # fmt: skip


def test_points_by_hand_move_their_head_within_its_bounds_and_a_bonus_the_score() -> None:
    month = Month().organs(ORGAN).put("cases", 40).put("entries").put("entries", head="bonus", unit_value="1.5")
    month.put("entries", head="attitude", unit_value="5")
    one = unit(ranking.ranked(month.opened()))
    assert (points(one, "integrity"), points(one, "attitude"), one["entered_bonus"]) == ("8", "10", "1.5")
    assert one["score"] == "108.78", "(98 + 15 + 1.5) × 0.95 = 108.775, half up"


def test_discipline_counts_in_the_year_and_not_in_the_month() -> None:
    month = Month().organs(ORGAN).put("cases", 40).put("entries", head="discipline_demerit", unit_value="-15")
    made = ranking.ranked(month.opened())
    assert unit(made)["score"] == "109.25"
    year = years.of(2026, 2, {MONTH: made}, month.opened().rows["entries.csv"])
    assert unit(year)["score"] == "94.25"


def test_a_year_is_the_mean_of_its_months_half_up_and_one_month_without_a_rank_leaves_the_unit_unranked() -> None:
    first = Month().organs(ORGAN, OTHER).put("cases", 40).put("cases", 40, organ=OTHER)
    second = Month().organs(ORGAN, OTHER).put("cases", 40).put("cards", level="warning").put("cards", kind="fee")
    found = years.of(2026, None, {
        "2026-09": ranking.ranked(first.opened()), "2026-10": ranking.ranked(second.opened()),
    })  # fmt: skip
    assert (unit(found)["score"], unit(found)["rank"]) == ("106.88", 1), "(109.25 + 104.50) / 2 = 106.875"
    assert (unit(found, OTHER)["score"], unit(found, OTHER)["unranked"]) == (None, ["2026-10"])


def test_a_year_over_two_formulas_is_refused_and_none_too() -> None:
    one = ranking.ranked(Month().organs(ORGAN).opened())
    other = ranking.ranked(Month(formulas.named("three-heads/v1")).organs(ORGAN).opened())
    with pytest.raises(AppraisalRefused, match="different formulas"):
        years.of(2026, None, {"2026-09": one, "2026-10": other})
    with pytest.raises(AppraisalRefused, match="no month"):
        years.of(2026, None, {})


def test_the_three_heads_by_hand() -> None:
    """60: all due closed 20, all in time 20, used 4 of 20 days: 16; 20 for one of one item; 20 × 3/4 of the ratings."""
    month = Month(formulas.named("three-heads/v1")).organs(ORGAN).put("cases", 40).put("items")
    month.put("ratings", 3).put("ratings", satisfaction="1")
    one = unit(ranking.ranked(month.opened()))
    heads = [points(one, head) for head in ("approval_work", "items_covered", "public_rating")]
    assert (heads, one["score"]) == (["56", "20", "15"], "91.00")


def test_staff_and_posts_are_scored_by_the_same_formula_over_their_own_cases() -> None:
    month = Month().organs(ORGAN).put("cases", 12)
    cases = [one["case"] for one in month.tables["cases.csv"]]
    month.put("cards", case=cases[0])
    staff = [
        {"case": case, "person": "p1" if place < 6 else "p2", "mask": "周*", "post": "科员", "unit": "一处",
         "stages": "undertake"}
        for place, case in enumerate(cases)
    ]  # fmt: skip
    found = people.of(month.opened(), ORGAN, staff)
    assert [(one["rank"], one["unit"]) for one in found["levels"]["staff"]] == [(1, "p2"), (2, "p1")]
    assert found["levels"]["post"][0]["measures"]["closed"] == "12"
    assert "p1" not in inputs.canonical(ranking.ranked(month.opened())).decode(), "persons stand in no public ranking"
