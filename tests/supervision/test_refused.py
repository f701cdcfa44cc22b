"""A case that the database refuses stops no other; commands and pages say what they cannot explain."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from supervision import refused, running
from supervision.clock import explaining, listing
from supervision.clock.known import NoCalendar, NoSuchCase
from tests.supervision.world import World


def refuse(world: World, *cases: int) -> None:
    """Let the database take no clock of some cases, as where a check of its own is broken by what is stored."""
    with world.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE supervision.clock DROP CONSTRAINT IF EXISTS ck_odd"))
        if cases:
            odd = f"case_id NOT IN ({', '.join(map(str, cases))}) OR why IS NOT DISTINCT FROM 'refused'"
            connection.execute(sa.text(f"ALTER TABLE supervision.clock ADD CONSTRAINT ck_odd CHECK ({odd})"))


def states(world: World, cases: list[int]) -> set[tuple[str, str | None]]:
    return {(row["state"], row["why"]) for row in (world.clock(case) for case in cases)}


def test_a_case_that_is_refused_is_listed_and_said_once_and_all_others_run(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.item()
    cases = [world.case(f"G{n}") for n in range(9)]
    bad = world.case("BAD", stages=[("undertake", "2026-03-02 11:00", None)])
    refuse(world, bad)
    with caplog.at_level(logging.ERROR, logger="hub"):
        assert running.run(world.engine).counts["clock"]["cases"] == 9
        assert states(world, cases) == {("running", None)}
        assert states(world, [bad]) == {("not_computable", "refused")}
        with world.engine.begin() as connection:
            assert not running.take_touched(connection), "nothing is tried again until something changes"
            world.refresh(connection, *cases[:2], bad)
        running.run(world.engine)
        full = running.run(world.engine, full=True).counts["clock"]
        assert (full["cases"], full["changed"], full["not_computable"]) == (9, 0, {})
    [said] = [one.getMessage() for one in caplog.records]
    assert said.startswith(f"supervision: case {bad} is refused by the database (CheckViolation)")
    with world.engine.connect() as connection:
        counts, rows = listing.uncomputable(connection)
    assert ([(one["why"], one["cases"]) for one in counts], [one["case_number"] for one in rows]) == (
        [("refused", 1)], ["BAD"],
    )  # fmt: skip
    refuse(world)
    running.run(world.engine, full=True)
    assert states(world, [bad]) == {("running", None)}, "the next recount of all takes it in again"


def test_where_most_cases_are_refused_the_fault_is_the_hubs_own(world: World) -> None:
    world.item()
    cases = [world.case(f"C{n}") for n in range(refused.MOST + 2)]
    refuse(world, *cases)
    with pytest.raises(IntegrityError):
        running.run(world.engine)
    with world.engine.connect() as connection:
        waiting = connection.execute(sa.text("SELECT count(DISTINCT case_id) FROM supervision.touched")).scalar()
    assert (refused.listed(world.engine), waiting) == ([], len(cases)), "nothing is set aside, and all wait"


def test_what_cannot_be_explained_gets_a_sentence(world: World) -> None:
    world.item()
    case = world.case("C1")
    with world.engine.begin() as connection:
        with pytest.raises(NoSuchCase, match="no case has the number 'C2'"):
            explaining.explain(connection, "C2")
        with pytest.raises(NoSuchCase, match="nothing was known of case 999999"):
            explaining.explain(connection, 999999)
        connection.execute(sa.text("DELETE FROM supervision.calendar"))
        with pytest.raises(NoCalendar, match="Run `hub supervise run` first"):
            explaining.explain(connection, case)
