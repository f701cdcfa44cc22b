"""Stages have clocks of their own, round by round; increments and recounts agree."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from supervision import running
from supervision.clock import explaining, service
from tests.supervision.world import ITEM, World, at, day_of

STAGES = {
    "accept": "1 working_day",
    "undertake": "3 working_day",
    "review": "2 working_day",
    "approve": "1 working_day",
}


def rounds(world: World, case: int, now: str | None = None) -> list[dict[str, Any]]:
    with world.engine.begin() as connection:
        running.at(connection, at(now))
        return [dict(row) for row in connection.execute(
            sa.text("SELECT * FROM supervision.stage_now WHERE case_id = :case ORDER BY started_at, stage"),
            {"case": case},
        ).mappings()]  # fmt: skip


def test_each_stage_is_held_against_its_own_limit(world: World) -> None:
    world.item(stages=STAGES)
    case = world.case(stages=[
        ("accept", "2026-03-02 10:00", "2026-03-02 11:00"),
        ("undertake", "2026-03-02 11:00", "2026-03-05 16:00"),  # 3, 4, 5: the third day
        ("review", "2026-03-05 16:00", "2026-03-10 10:00"),  # 6, 9 are two; the 10th is late
        ("approve", "2026-03-10 10:00", None),
    ])  # fmt: skip
    running.run(world.engine)
    found = rounds(world, case, "2026-03-12 09:00")
    assert [(one["stage"], one["verdict"], one["used_days"], day_of(one["due_at"])) for one in found] == [
        ("accept", "early", 0, "2026-03-03"), ("undertake", "on_time", 3, "2026-03-05"),
        ("review", "late", 3, "2026-03-09"), ("approve", None, 2, "2026-03-11"),
    ]  # fmt: skip
    assert (found[3]["left_days"], found[3]["overdue"], found[3]["used_percent"]) == (-1, True, 200)


def test_a_stage_that_is_gone_through_again_after_a_return_is_a_new_round(world: World) -> None:
    world.item(stages=STAGES)
    case = world.case(stages=[
        ("undertake", "2026-03-02 11:00", "2026-03-03 10:00"), ("undertake", "2026-03-03 10:00", "2026-03-03 16:00"),
        ("review", "2026-03-03 16:00", "2026-03-04 10:00", "returned"),
        ("undertake", "2026-03-04 10:00", "2026-03-05 10:00"), ("review", "2026-03-05 10:00", "2026-03-06 10:00"),
    ])  # fmt: skip
    running.run(world.engine)
    assert [(one["stage"], one["round"], day_of(one["started_at"])) for one in rounds(world, case)] == [
        ("undertake", 1, "2026-03-02"), ("review", 1, "2026-03-03"), ("undertake", 2, "2026-03-04"),
        ("review", 2, "2026-03-05"),
    ]  # fmt: skip


def test_a_pause_stops_the_clock_of_the_stage_that_it_falls_into(world: World) -> None:
    world.item(stages=STAGES)
    case = world.case(pauses=[("2026-03-04 10:00", "2026-03-10 10:00")], stages=[
        ("accept", "2026-03-02 10:00", "2026-03-02 11:00"), ("undertake", "2026-03-02 11:00", "2026-03-11 16:00"),
        ("review", "2026-03-11 16:00", None),
    ])  # fmt: skip
    running.run(world.engine)
    found = {one["stage"]: one for one in rounds(world, case, "2026-03-12 09:00")}
    # 3, 4, then 5, 6, 9, 10 stand still, the 11th is the third
    assert (day_of(found["undertake"]["due_at"]), found["undertake"]["used_days"]) == ("2026-03-11", 3)
    assert found["undertake"]["verdict"] == "on_time"
    assert day_of(found["review"]["due_at"]) == "2026-03-13"


def test_an_open_pause_moves_a_stage_by_the_unit_of_its_limit(world: World) -> None:
    world.item(stages={"undertake": "5 calendar_day"})
    case = world.case(pauses=[("2026-03-04 10:00", None)], stages=[("undertake", "2026-03-02 11:00", None)])
    running.run(world.engine)
    # five calendar days run out with Saturday the 7th: one day later is Sunday, the end moves to Monday the 9th; three
    # days later is Tuesday the 10th
    for now, due, left in (("2026-03-05 11:00", "2026-03-09", 2), ("2026-03-07 11:00", "2026-03-10", 2)):
        [found] = rounds(world, case, now)
        assert (day_of(found["due_at"]), found["left_days"]) == (due, left), now


def test_a_stage_without_an_end_ends_where_the_next_begins(world: World) -> None:
    world.item(stages=STAGES)
    case = world.case(stages=[("undertake", "2026-03-02 11:00", None), ("review", "2026-03-04 11:00", None)])
    running.run(world.engine)
    found = rounds(world, case)
    assert [(one["stage"], day_of(one["finished_at"])) for one in found] == [
        ("undertake", "2026-03-04"),
        ("review", None),
    ]


def test_a_stage_that_ends_before_it_starts_is_not_computable_and_the_case_is(world: World) -> None:
    world.item(stages=STAGES)
    case = world.case(stages=[("undertake", "2026-03-05 11:00", "2026-03-03 11:00")])
    running.run(world.engine)
    [one] = rounds(world, case)
    assert (one["why"], one["due_at"], one["verdict"]) == ("stage_ends_before_start", None, None)
    assert world.clock(case)["why"] is None


def test_increments_give_what_a_recount_of_all_gives_to_the_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PIECE", 5)  # so that 24 cases are five pieces
    world.item(stages=STAGES)
    cases = [
        world.case(f"C{n}", pauses=[("2026-03-04 10:00", None)] if n % 3 == 0 else [],
                   stages=[("undertake", "2026-03-02 11:00", None)], closed="2026-03-20 10:00" if n % 4 == 0 else None)
        for n in range(24)
    ]  # fmt: skip
    running.run(world.engine)
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE core.suspension SET ended_at = started_at + interval '5 days' "
                                   "WHERE case_id = ANY(:some)"), {"some": cases[:6]})  # fmt: skip
        connection.execute(sa.text("DELETE FROM core.suspension WHERE case_id = ANY(:some)"), {"some": cases[6:12]})
        world.refresh(connection, *cases[:12])
    done = running.run(world.engine).counts["clock"]
    assert (done["cases"], done["changed"]) == (12, 4)
    full = running.run(world.engine, full=True).counts["clock"]
    assert (full["cases"], full["changed"], full["stages_changed"], full["differing"]) == (24, 0, 0, 0)
    with world.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE supervision.clock SET paused_days = 99 WHERE case_id = :one"), {"one": cases[0]}
        )
    assert running.run(world.engine, full=True).counts["clock"]["differing"] == 1, "a difference is told, and put right"
    assert running.run(world.engine, full=True).counts["clock"]["differing"] == 0


def test_a_new_version_of_the_item_is_taken_by_the_next_run_without_any_batch(world: World) -> None:
    case = world.case()
    running.run(world.engine)
    assert world.clock(case)["why"] == "not_in_catalogue"
    world.item(ITEM, promised="5 working_day")
    assert running.run(world.engine).counts["clock"]["changed"] == 1
    assert day_of(world.clock(case)["due_at"]) == "2026-03-09"


def test_a_case_keeps_the_version_in_force_on_the_day_of_its_acceptance(world: World) -> None:
    world.item(promised="10 working_day")
    world.item(promised="5 working_day", since=at("2026-03-03").date())  # type: ignore[union-attr]  # it is said
    before, after = world.case("C1"), world.case("C2", applied="2026-03-03 09:00", accepted="2026-03-03 10:00")
    running.run(world.engine)
    assert [day_of(world.clock(case)["due_at"]) for case in (before, after)] == ["2026-03-16", "2026-03-10"]
    with world.engine.connect() as connection:
        views = connection.execute(sa.text(
            """SELECT count(*) FROM supervision.clock AS c JOIN catalog.version_of_case AS v USING (case_id)
               WHERE c.version_id IS DISTINCT FROM v.version_id""")).scalar()  # fmt: skip
    assert views == 0, "as the catalogue's own view says"


def test_a_case_that_is_taken_back_has_no_clock(world: World) -> None:
    world.item()
    case = world.case(stages=[("undertake", "2026-03-02 11:00", None)])
    running.run(world.engine)
    with world.engine.begin() as connection:
        for table in ("acceptance", "stage_event"):
            connection.execute(sa.text(f"DELETE FROM core.{table} WHERE case_id = :case"), {"case": case})
        connection.execute(sa.text("DELETE FROM core.approval_case WHERE record_id = :case"), {"case": case})
        connection.execute(sa.text("DELETE FROM core.case_overview WHERE case_id = :case"), {"case": case})
    running.run(world.engine)
    with world.engine.connect() as connection:
        left = [connection.execute(sa.text(f"SELECT count(*) FROM supervision.{name}")).scalar()
                for name in ("clock", "clock_stage")]  # fmt: skip
    assert left == [0, 0]


def test_an_application_without_notice_has_a_clock_once_it_counts_as_accepted(world: World) -> None:
    world.item()
    case = world.case(accepted=None)
    running.run(world.engine)
    before, after = world.clock(case, "2026-03-09 23:59:59"), world.clock(case, "2026-03-10 00:00")
    assert (before["runs"], before["left_days"], before["overdue"]) == (False, None, False)
    assert (after["runs"], after["left_days"], after["overdue"]) == (True, 4, False)


def test_overdue_begins_with_the_midnight_after_the_last_day(world: World) -> None:
    world.item()
    case = world.case()
    running.run(world.engine)
    assert [world.clock(case, now)["left_hours"] for now in ("2026-03-16 09:29:59", "2026-03-17 11:59:59")] == [
        14.5,
        -12,
    ]
    last, over = world.clock(case, "2026-03-16 23:59:59"), world.clock(case, "2026-03-17 00:00")
    assert (last["left_days"], last["overdue"], last["left_hours"]) == (0, False, 0)
    assert (over["left_days"], over["overdue"]) == (-1, True)


def test_a_due_day_that_the_department_declares_otherwise_is_listed(world: World) -> None:
    world.item()
    world.case("SAME", declared="2026-03-16 12:00")
    other = world.case("OTHER", declared="2026-03-20 23:59:59")
    world.case("NONE", item=None, declared="2026-03-20 23:59:59")
    running.run(world.engine)
    with world.engine.connect() as connection:
        found = connection.execute(sa.text("SELECT case_id, days_off FROM supervision.due_differs")).all()
    assert [tuple(row) for row in found] == [(other, 4)]


def test_a_case_is_explained_by_what_was_known_then(world: World) -> None:
    world.item(since=at("2020-01-01").date())  # type: ignore[union-attr]  # it is said
    world.case("C1", recorded="2026-03-02 10:00")
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE catalog.item_version SET published_at = '2020-01-01'"))
        later = world.batch(connection, at("2026-03-12 10:00"))  # type: ignore[arg-type]  # it is said
        connection.execute(sa.text(
            """INSERT INTO core_history.acceptance (record_id, part, case_id, outcome, accepted_at, batch_id,
                   content_hash, closed_by)
               SELECT record_id, part, case_id, outcome, accepted_at, batch_id, content_hash, :batch
               FROM core.acceptance"""), {"batch": later})  # fmt: skip
        connection.execute(sa.text("UPDATE core.acceptance SET accepted_at = :at, batch_id = :batch"),
                           {"at": at("2026-03-05 10:00"), "batch": later})  # fmt: skip
    with world.engine.begin() as connection:
        now = explaining.explain(connection, "C1")
        then = explaining.explain(connection, "clock:C1", at("2026-03-10 10:00"))
    assert (day_of(now.walk.due_at), day_of(then.walk.due_at)) == ("2026-03-19", "2026-03-16")
