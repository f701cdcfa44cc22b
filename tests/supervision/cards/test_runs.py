"""Runs of the rules: in any order the same cards, twice none more, over parts as over all; evidence sealed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sharedrepo.keyring import signing
from supervision.cards import evidence, raising, reading
from supervision.clock import service as clock
from supervision.rules import service as rules
from tests.supervision.desk import Desk
from tests.supervision.world import World, at

MOMENTS = ("2026-03-06 12:00", "2026-03-13 09:00", "2026-03-16 23:59:59", "2026-03-18 09:00", "2026-04-02 08:00")


def several(world: World) -> list[int]:
    """Cases of every sort: in time, late, open, immediate, suspended, with stages, without an item."""
    world.item(stages={"review": "2 working_day"})
    return [
        world.case("open"),
        world.case("in-time", closed="2026-03-10 16:00"),
        world.case("late", closed="2026-03-17 16:00"),
        world.case("suspended", pauses=[("2026-03-05 09:00", "2026-03-11 09:00")]),
        world.case("standing", pauses=[("2026-03-05 09:00", None)]),
        world.case("stages", stages=[("review", "2026-03-02 11:00", "2026-03-06 11:00")]),
        world.case("immediate", kind="immediate"),
        world.case("unknown", item="nothing"),
    ]


def told(connection: sa.Connection) -> set[tuple[Any, ...]]:
    """Every card by what makes it one, with all its grounds."""
    found = connection.execute(sa.text(
        """SELECT c.subject, c.clock, c.level, c.state, array_agg(DISTINCT d.ground ORDER BY d.ground)
           FROM supervision.card AS c JOIN supervision.card_deed AS d USING (card_id) WHERE d.ground IS NOT NULL
           GROUP BY c.card_id"""))  # fmt: skip
    return {(one[0], one[1], one[2], one[3], tuple(one[4])) for one in found}


def judged(connection: sa.Connection, desk: Desk, now: str, cases: list[int] | None = None) -> None:
    connection.execute(sa.text("SELECT set_config('hub.now', :now, true)"), {"now": str(at(now))})
    clock.recount(connection, cases)
    raising.run(connection, cases=cases)


# Each example works in a transaction that is taken back: the cases are written once.
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(MOMENTS), data=st.data())
def test_in_any_order_of_runs_over_any_parts_the_cards_are_the_same(
    desk: Desk, world: World, order: list[str], data: st.DataObject
) -> None:
    with desk.engine.begin() as connection:
        cases = list(connection.execute(sa.text("SELECT record_id FROM core.approval_case ORDER BY 1")).scalars())
    cases = cases or several(world)
    with desk.engine.begin() as connection:
        # What depends on cards that came before is judged by the last run in both ways.
        for code in ("yellow_not_corrected",):
            if rules.found(connection, code).enabled:
                rules.change(connection, code, actor="cli:test", reason="a test", enabled=False)
    results = []
    for way in (list(MOMENTS), order):
        with desk.engine.connect() as connection, connection.begin() as transaction:
            for now in way:
                parts = [None] if way == list(MOMENTS) else [data.draw(st.lists(st.sampled_from(cases))), None]
                for part in parts:
                    judged(connection, desk, now, part)
            judged(connection, desk, MOMENTS[-1])
            results.append(told(connection))
            transaction.rollback()
    assert results[0] == results[1]
    assert len(results[0]) > 5


def test_a_second_run_adds_nothing_at_all(desk: Desk, world: World) -> None:
    several(world)
    desk.run("2026-03-18 09:00")
    query = """SELECT (SELECT count(*) FROM supervision.card), (SELECT count(*) FROM supervision.card_deed),
               (SELECT count(*) FROM supervision.card_recipient), (SELECT sum(last) FROM supervision.card_series)"""
    with desk.engine.begin() as connection:
        before = tuple(connection.execute(sa.text(query)).one())
    assert before[0] > 0
    again = desk.run("2026-03-18 09:00")
    assert (again.raised, again.reminded, again.lapsed, again.contradicted) == (0, 0, 0, 0)
    with desk.engine.begin() as connection:
        assert tuple(connection.execute(sa.text(query)).one()) == before


def test_numbers_count_up_by_level_and_year_without_a_gap(desk: Desk, world: World) -> None:
    several(world)
    for now in MOMENTS:
        desk.run(now)
    by_level: dict[str, list[int]] = {}
    for one in desk.cards():
        letter, year, serial = str(one["number"]).split("-")
        assert (letter, year) == ({"warning": "W", "yellow": "Y", "red": "R"}[one["level"]], "2026")
        by_level.setdefault(letter, []).append(int(serial))
    assert all(sorted(serials) == list(range(1, len(serials) + 1)) for serials in by_level.values())
    assert set(by_level) == {"W", "Y", "R"}


def test_every_rule_that_was_judged_is_logged_with_scope_and_counts(desk: Desk, world: World) -> None:
    cases = several(world)
    desk.run("2026-03-18 09:00", cases=cases[:2])
    desk.run("2026-03-18 09:00")
    with desk.engine.begin() as connection:
        enabled = {one.code for one in rules.current(connection) if one.enabled}
        logged = rules.runs(connection, limit=1_000)
    assert {(one["run"], one["scope"], one["cases"]) for one in logged} == {(1, "touched", 2), (2, "full", len(cases))}
    assert {one["code"] for one in logged if one["run"] == 2} == enabled
    overdue = {one["run"]: (one["found"], one["raised"]) for one in logged if one["code"] == "case_overdue"}
    assert overdue == {1: (1, 1), 2: (4, 3)}  # open; with late, stages and immediate


def test_a_run_over_touched_cases_leaves_other_cards_alone(desk: Desk, world: World) -> None:
    cases = several(world)
    desk.through("2026-03-01 00:00")
    desk.run("2026-03-18 09:00")
    held = {one["number"] for one in desk.cards(state="held")}
    done = desk.run("2026-03-18 10:00", cases=[cases[1]])
    assert (done.lapsed, done.released) == (0, 0)
    assert {one["number"] for one in desk.cards(state="held")} == held


def test_a_card_keeps_what_was_known_then_under_a_seal_that_any_change_breaks(desk: Desk, world: World) -> None:
    version = world.item(stages={"review": "2 working_day"})
    world.case(
        stages=[("accept", "2026-03-02 10:00", "2026-03-02 11:00")], pauses=[("2026-03-03 09:00", "2026-03-04 09:00")]
    )
    desk.only_rules("case_overdue")
    desk.run("2026-03-20 09:00")
    card = desk.card()
    said = card["evidence"]
    assert said["rule"]["code"] == "case_overdue"
    assert said["rule"]["source_zh"].startswith("榆林")
    assert (said["item"]["version_id"], said["item"]["promised_limit"]) == (
        version,
        {"value": 10, "unit": "working_day"},
    )
    assert said["clock"]["due_at"] == "2026-03-17T15:59:59+00:00"  # one working day of suspension added
    assert {one["table"] for one in said["records"]} == {"acceptance", "stage_event", "suspension"}
    assert [one["day"] for one in said["calendar"]["days_not_counted"]][:2] == ["2026-03-07", "2026-03-08"]
    assert said["feed"]["complete_through"] is not None
    keys = signing.published(desk.engine)
    assert reading.proof(card, keys) is None
    assert len(EVERY_CHANGE) > 5
    for change in EVERY_CHANGE:
        forged = copy.deepcopy(card)
        change(forged)
        assert evidence.verify(forged, keys) is not None
    assert evidence.verify(card, {"keys": []}) is not None


EVERY_CHANGE = (
    lambda card: card.update(level="warning"), lambda card: card.update(number="R-2026-000009"),
    lambda card: card.update(organ="other"), lambda card: card.update(seal=None),
    lambda card: card.update(seal=str(card["seal"])[:-6] + "AAAAAA"), lambda card: card["evidence"].update(as_of="x"),
    lambda card: card["evidence"]["records"].pop(), lambda card: card["evidence"]["clock"].pop("due_at"),
)  # fmt: skip


def test_evidence_holds_no_name_of_a_person(desk: Desk, world: World) -> None:
    world.item()
    world.case(extensions=[{"started_at": "2026-03-04 09:00"}])
    desk.run("2026-06-18 09:00")
    assert desk.cards()
    assert "王" not in str([one["evidence"] for one in (desk.card(c["number"]) for c in desk.cards())])


@pytest.mark.parametrize("nothing", ["sup_scope", "sup_hit", "sup_case", "sup_stage", "sup_source", "sup_fresh"])
def test_runs_leave_nothing_behind(desk: Desk, world: World, nothing: str) -> None:
    world.item()
    world.case()
    desk.run("2026-03-18 09:00")
    assert desk.do("SELECT to_regclass(:name)", name=f"pg_temp.{nothing}") is None
