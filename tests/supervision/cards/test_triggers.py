"""When cards are raised: a table of limits, levels and boundary instants, each computed by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.supervision.desk import Desk
from tests.supervision.world import World, day_of

# Accepted on Monday 2 March 2026; ten working days end on Monday the 16th, at its last second. Nine of them, 90 %, are
# used on Friday the 13th, when one is left.
TEN: list[tuple[str, set[tuple[str, str]]]] = [
    ("2026-03-02 10:00:00", set()),
    ("2026-03-12 23:59:59", set()),
    ("2026-03-13 00:00:00", {("warning", "case_day_left"), ("yellow", "case_ninety_percent")}),
    ("2026-03-14 12:00:00", {("warning", "case_day_left"), ("yellow", "case_ninety_percent")}),
    ("2026-03-16 23:59:59", {("warning", "case_day_left"), ("yellow", "case_ninety_percent")}),
    ("2026-03-17 00:00:00", {("red", "case_overdue")}),
    ("2026-06-01 09:00:00", {("red", "case_overdue")}),
]


def raised(desk: Desk) -> set[tuple[str, str]]:
    return {(one["level"], one["rule"]) for one in desk.cards()}


@pytest.mark.parametrize(("now", "expected"), TEN)
def test_a_promise_of_ten_days_gives_each_card_from_its_first_instant_on(
    desk: Desk, world: World, now: str, expected: set[tuple[str, str]]
) -> None:
    world.item()
    world.case()
    desk.run(now)
    assert raised(desk) == expected


# One working day: due on Tuesday the 3rd. It has one day left from the beginning, and nobody is warned at once.
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-02 17:00:00", set()),
        ("2026-03-03 00:00:00", {("warning", "case_day_left"), ("yellow", "case_ninety_percent")}),
        ("2026-03-04 00:00:00", {("red", "case_overdue")}),
    ],
)
def test_a_promise_of_one_day_warns_nobody_on_the_day_of_acceptance(
    desk: Desk, world: World, now: str, expected: set[tuple[str, str]]
) -> None:
    world.item(promised="1 working_day")
    world.case()
    desk.run(now)
    assert raised(desk) == expected


# Ten days over Tomb-Sweeping Day 2026 (Monday 6 April is free): accepted on Wednesday 1 April, the 2nd and 3rd are the
# first two, 7 to 10 four more, 13 to 16 the last four: due on the 16th, nine of ten used on the 15th.
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-04-14 23:59:59", set()),
        ("2026-04-15 00:00:00", {("warning", "case_day_left"), ("yellow", "case_ninety_percent")}),
        ("2026-04-17 00:00:00", {("red", "case_overdue")}),
    ],
)
def test_holidays_move_every_threshold(desk: Desk, world: World, now: str, expected: set[tuple[str, str]]) -> None:
    world.item()
    world.case(applied="2026-04-01 09:00", accepted="2026-04-01 10:00")
    desk.run(now)
    assert raised(desk) == expected


@pytest.mark.parametrize(
    ("percent", "day", "fires"),
    [(80, "2026-03-11", False), (80, "2026-03-12", True), (81, "2026-03-12", False), (100, "2026-03-13", False),
     (100, "2026-03-16", True), (1, "2026-03-02", False), (1, "2026-03-03", True)],
)  # fmt: skip
def test_the_threshold_is_data(desk: Desk, world: World, percent: int, day: str, fires: bool) -> None:
    world.item()
    world.case()
    desk.only_rules("case_ninety_percent")
    desk.set("case_ninety_percent", basis={"at_least": percent})
    desk.run(f"{day} 09:00")
    assert bool(desk.cards()) == fires


@pytest.mark.parametrize(
    ("left", "day", "fires"),
    [(0, "2026-03-13", False), (0, "2026-03-16", True), (3, "2026-03-10", False), (3, "2026-03-11", True)],
)
def test_days_left_are_working_days(desk: Desk, world: World, left: int, day: str, fires: bool) -> None:
    world.item()
    world.case()
    desk.only_rules("case_day_left")
    desk.set("case_day_left", basis={"at_most": left})
    desk.run(f"{day} 09:00")
    assert bool(desk.cards()) == fires


def test_a_suspended_case_gets_no_threshold_card_while_it_stands_still(desk: Desk, world: World) -> None:
    world.item()
    world.case(pauses=[("2026-03-04 09:00", None)])
    desk.run("2026-03-31 09:00")
    assert desk.cards() == []


def test_a_case_closed_in_time_gets_no_card_and_one_closed_late_the_red_one(desk: Desk, world: World) -> None:
    world.item()
    world.case("in-time", closed="2026-03-16 23:59:00")
    world.case("late", closed="2026-03-17 00:00:01")
    desk.run("2026-04-20 09:00")
    assert [(one["case"], one["level"]) for one in desk.cards()] == [("late", "red")]


def test_a_round_of_a_stage_has_a_card_of_its_own_and_another_round_another(desk: Desk, world: World) -> None:
    world.item(stages={"accept": "1 working_day", "review": "2 working_day"})
    world.case(
        stages=[
            ("accept", "2026-03-02 10:00", "2026-03-02 11:00"),
            ("review", "2026-03-02 11:00", "2026-03-05 11:00", "returned"),  # three days, two allowed
            ("undertake", "2026-03-05 11:00", "2026-03-06 11:00"),
            ("review", "2026-03-06 11:00", "2026-03-12 11:00"),  # four days
        ]
    )
    desk.only_rules("stage_overdue")
    desk.run("2026-03-12 12:00")
    found = [(one["stage"], one["round"], one["clock"], one["level"]) for one in desk.cards()]
    assert found == [("review", 1, "review#1", "yellow"), ("review", 2, "review#2", "yellow")]


def test_a_stage_is_warned_of_while_it_runs(desk: Desk, world: World) -> None:
    world.item(stages={"review": "5 working_day"})
    world.case(stages=[("review", "2026-03-02 11:00", None)])
    desk.only_rules("stage_ninety_percent", "stage_day_left", "stage_overdue")
    for day, expected in (("2026-03-05", []), ("2026-03-06", ["stage_day_left"]),
                          ("2026-03-10", ["stage_day_left", "stage_overdue"])):  # fmt: skip
        desk.run(f"{day} 09:00")
        assert [one["rule"] for one in desk.cards()] == expected, day


def test_an_application_without_a_notice_is_held_against_the_organ_after_five_days(desk: Desk, world: World) -> None:
    world.item(promised="30 working_day")
    world.case(applied="2026-03-02 09:00", accepted=None)
    desk.only_rules("notice_overdue")
    desk.run("2026-03-09 23:59:59")
    assert desk.cards() == []
    desk.run("2026-03-10 00:00:01")
    assert [(one["clock"], one["level"]) for one in desk.cards()] == [("notice", "yellow")]


def test_a_certificate_that_is_not_in_hand_ten_working_days_after_the_grant_is_held_against_the_organ(
    desk: Desk, world: World
) -> None:
    world.item()
    said = {"closed": "2026-03-10 16:00"}
    # ten working days after the 10th: 11-13 (3), 16-20 (8), 23, 24
    waits, late, in_time = (
        world.case(name, **said, delivered=day)  # type: ignore[arg-type]  # a day or nothing
        for name, day in (("waits", None), ("late", "2026-03-25 09:00"), ("in-time", "2026-03-24 23:00"))
    )
    refused = world.case("refused", **said, outcome="refused")
    desk.only_rules("delivery_overdue")
    desk.set("delivery_overdue", holds_from=date(2026, 1, 1))
    desk.run("2026-03-24 23:59:59", cases=[waits])
    assert desk.cards() == []
    desk.run("2026-03-25 00:00:00")
    assert [(one["case"], one["clock"], one["level"]) for one in desk.cards()] == [
        ("waits", "delivery", "yellow"), ("late", "delivery", "yellow"),
    ]  # fmt: skip
    found = [world.clock(case, view="clock") for case in (waits, late, in_time, refused)]
    assert [(day_of(one["delivery_due_at"]), one["delivery_verdict"]) for one in found] == [
        ("2026-03-24", None), ("2026-03-24", "late"), ("2026-03-24", "on_time"), (None, None),
    ]  # fmt: skip


def test_a_case_whose_clock_cannot_be_computed_gets_no_time_card(desk: Desk, world: World) -> None:
    world.case(item=None)
    desk.run("2026-06-01 09:00")
    assert {one["kind"] for one in desk.cards()} <= {"item"}


def test_a_rule_that_judges_from_a_day_on_leaves_what_was_before(desk: Desk, world: World) -> None:

    world.item()
    world.case("old", applied="2026-01-05 09:00", accepted="2026-01-05 10:00")
    world.case("new")
    desk.only_rules("case_overdue")
    desk.set("case_overdue", since=date(2026, 3, 1))
    desk.run("2026-06-01 09:00")
    assert [one["case"] for one in desk.cards()] == ["new"]


def test_two_rules_on_one_clock_and_level_are_one_card_with_two_grounds(desk: Desk, world: World) -> None:
    world.item()
    world.case()
    desk.only_rules("case_ninety_percent", "case_day_left")
    desk.set("case_day_left", level="yellow")
    desk.run("2026-03-13 09:00")
    card = desk.card(desk.only())
    grounds: list[Any] = [one["ground"] for one in card["deeds"] if one["ground"]]
    assert sorted(grounds) == ["case_day_left", "case_ninety_percent"]
