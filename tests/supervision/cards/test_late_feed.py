"""A late department or a late feed: cards are held until the feed is complete, and then sent or dropped."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from supervision import running
from tests.supervision.desk import Desk
from tests.supervision.world import ORGAN, World, at

FEEDER = "113300000024864972"


def test_a_red_card_waits_until_the_feed_is_complete_through_the_due_moment(desk: Desk, world: World) -> None:
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    desk.through("2026-03-16 23:59:58")  # a second before the due moment
    done = desk.run("2026-03-18 09:00")
    assert (done.raised, done.held) == (1, 1)
    card = desk.card()
    assert (card["state"], card["sent_at"], card["due_at"]) == ("held", None, None)
    desk.run("2026-03-18 10:00")
    assert desk.card()["state"] == "held"
    desk.through("2026-03-16 23:59:59")
    assert desk.run("2026-03-18 11:00").released == 1
    card = desk.card()
    assert (card["state"], card["sent_at"]) == ("sent", at("2026-03-18 11:00"))
    assert desk.whats() == ["held", "released", "unaddressed"]


def test_a_department_that_was_in_time_never_gets_the_card_that_its_late_feed_caused(desk: Desk, world: World) -> None:
    world.item()
    case = world.case()
    desk.only_rules("case_overdue")
    desk.through("2026-03-14 00:00")
    desk.run("2026-03-18 09:00")
    assert desk.card()["state"] == "held"
    close(world, case, "C1", "2026-03-13 16:00")  # it was decided in time, and reported late
    assert desk.run("2026-03-18 12:00").lapsed == 1
    assert desk.card()["state"] == "lapsed"
    assert desk.do("SELECT count(*) FROM supervision.card_counted WHERE counted") == 0


def test_a_case_that_was_dropped_and_then_is_really_late_gets_a_new_card(desk: Desk, world: World) -> None:
    world.item()
    case = world.case()
    desk.only_rules("case_overdue")
    desk.through("2026-03-14 00:00")
    desk.run("2026-03-18 09:00")
    pause(world, case, "2026-03-10 09:00", "2026-03-12 09:00")  # a suspension came late: two days more
    assert desk.run("2026-03-18 12:00").lapsed == 1
    desk.through("2026-03-25 00:00")
    desk.run("2026-03-19 00:00:01")
    assert [(one["state"], one["level"]) for one in desk.cards()] == [("lapsed", "red"), ("sent", "red")]


def test_a_feed_that_never_said_how_far_it_is_holds_every_yellow_and_red_card_and_no_warning(
    desk: Desk, world: World
) -> None:
    world.item()
    world.case()
    desk.through(None)
    desk.run("2026-03-13 09:00")
    assert {(one["level"], one["state"]) for one in desk.cards()} == {("warning", "sent"), ("yellow", "held")}
    desk.run("2026-03-17 09:00")
    states = {(one["level"], one["state"]) for one in desk.cards()}
    assert states == {("warning", "sent"), ("yellow", "lapsed"), ("red", "held")}


def test_the_feeds_owner_is_told_and_the_department_is_not(desk: Desk, world: World, tmp_path: Path) -> None:
    world.item()
    world.case()
    desk.do("UPDATE core.source_system SET organ = :organ", organ=FEEDER)
    desk.register(tmp_path, f"organ,unit,role,staff,name,phone,from,to,deputy_of\n"
                  f"{FEEDER},数据处,division_head,F1,钱进,13900006666,2026-01-01,,\n"
                  f"{ORGAN},审批处,division_head,S002,吴国强,13900002222,2026-01-01,,\n")  # fmt: skip
    desk.only_rules("case_overdue")
    desk.through("2026-03-10 00:00")
    desk.run("2026-03-18 09:00")
    assert [(one["organ"], one["why"]) for one in desk.card()["recipients"]] == [(FEEDER, "feed_owner")]
    with desk.engine.begin() as connection:
        (feed,) = connection.execute(sa.text("SELECT * FROM supervision.held_feed")).mappings()
    assert (feed["source"], feed["organ"], feed["cards"], feed["red"], feed["told"]) == ("clock", FEEDER, 1, 1, True)
    assert (feed["needed_through"], feed["complete_through"]) == (at("2026-03-16 23:59:59"), at("2026-03-10 00:00"))
    desk.through("2026-03-18 00:00")
    desk.run("2026-03-18 12:00")
    told = [(one["organ"], one["why"]) for one in desk.card()["recipients"]]
    assert told == [(FEEDER, "feed_owner"), (ORGAN, "duty")]


def test_the_times_that_tell_a_late_department_from_a_late_feed_stand_side_by_side(desk: Desk, world: World) -> None:
    world.item()
    world.case(recorded="2026-03-20 10:00")
    desk.do("UPDATE core.acceptance SET reported_at = :at", at=at("2026-03-20 09:30"))
    # The source's clock goes ninety seconds before the hub's: it reported what had not been yet.
    desk.do("UPDATE ledger.batch SET newest_report = read_at + INTERVAL '90 seconds'")
    desk.only_rules("case_overdue")
    desk.through("2026-03-10 00:00")
    desk.run("2026-03-20 11:00")
    feed = desk.card()["evidence"]["feed"]
    assert feed["last_event_at"] == "2026-03-02T02:00:00+00:00"
    assert feed["last_reported_at"] == "2026-03-20T01:30:00+00:00"
    assert feed["last_recorded_at"] == "2026-03-20T02:00:00+00:00"
    assert feed["reporting_lag_seconds"] == 18 * 86_400
    assert (feed["complete_through"], feed["needed_through"]) == (
        "2026-03-09T16:00:00+00:00",
        "2026-03-16T15:59:59+00:00",
    )
    assert feed["streams"][0]["clock_ahead_seconds"] == 90


def test_a_card_whose_facts_are_corrected_later_is_marked_and_stays_until_two_people_decide(
    desk: Desk, world: World
) -> None:
    world.item()
    case = world.case()
    desk.only_rules("case_overdue")
    desk.run("2026-03-18 09:00")
    assert desk.card()["state"] == "sent"
    close(world, case, "C1", "2026-03-13 16:00")
    assert desk.run("2026-03-19 09:00").contradicted == 1
    card = desk.card()
    assert (card["state"], card["contradicted_at"]) == ("sent", at("2026-03-19 09:00"))
    assert desk.run("2026-03-20 09:00").contradicted == 0
    desk.do("DELETE FROM core.decision")
    with desk.engine.begin() as connection:
        world.refresh(connection, case)
    desk.run("2026-03-21 09:00")
    assert desk.card()["contradicted_at"] is None
    assert desk.whats()[-2:] == ["contradicted", "holds_again"]


def test_a_threshold_that_is_passed_by_contradicts_nobody(desk: Desk, world: World) -> None:
    world.item()
    case = world.case()
    desk.run("2026-03-13 09:00")
    close(world, case, "C1", "2026-03-13 16:00")
    assert desk.run("2026-03-16 09:00").contradicted == 0


def test_a_rule_that_was_switched_off_contradicts_nothing(desk: Desk, world: World) -> None:
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    desk.run("2026-03-18 09:00")
    desk.set("case_overdue", enabled=False)
    assert desk.run("2026-03-19 09:00").contradicted == 0


def test_what_comes_while_a_run_computes_clocks_moves_no_feed_for_it(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.item()
    case = world.case()
    desk.only_rules("case_overdue")
    desk.through("2026-03-14 00:00")

    coming = [case]

    def a_batch_comes(_connection: sa.Connection, _now: object, _cases: object) -> dict[str, object]:
        while coming:
            coming.pop()
            close(world, case, "C1", "2026-03-13 16:00")
            desk.through("2026-03-18 00:00")
        return {}

    clocks, *others = running.STEPS
    monkeypatch.setattr(running, "STEPS", (clocks, ("batch", a_batch_comes), *others))
    running.run(desk.engine, as_of=at("2026-03-18 09:00"))
    assert desk.card()["state"] == "held", "the decision is not known to the clock, and its feed not complete for it"
    running.run(desk.engine, as_of=at("2026-03-18 09:01"))
    assert desk.card()["state"] == "lapsed"


def close(world: World, case: int, number: str, when: str) -> None:
    """A decision comes later than the case, as its feed is late."""
    with world.engine.begin() as connection:
        batch = world.batch(connection, at("2026-03-18 11:30"))  # type: ignore[arg-type]  # it is said
        world._closing(connection, batch, number=number, closed=when, outcome="granted")
        world.refresh(connection, case)


def pause(world: World, case: int, start: str, end: str) -> None:
    with world.engine.begin() as connection:
        batch = world.batch(connection, at("2026-03-18 11:30"))  # type: ignore[arg-type]  # it is said
        world._put(
            connection, "suspension", record_id=world._record(connection, batch), part=0, case_id=case,
            suspension_kind="hearing", started_at=at(start), ended_at=at(end), batch_id=batch, content_hash=b"\x00",
        )  # fmt: skip
        world.refresh(connection, case)


@pytest.mark.parametrize(
    ("basis", "read", "state"),
    [
        ("inferred", "2026-03-18 01:00", "sent"),
        ("inferred", "2026-03-16 01:00", "held"),
        ("inferred", None, "held"),
        ("declared", "2026-03-18 01:00", "held"),
    ],
)
def test_a_stream_of_what_few_cases_have_is_as_far_as_it_was_last_read(
    desk: Desk, world: World, basis: str, read: str | None, state: str
) -> None:
    """Suspensions are silent for months: their stream's newest report says nothing, that it was read does."""
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    rare = World.__new__(World)
    rare.engine, rare._count, rare.system = world.engine, 900, world.system
    rare.stream = int(desk.do(
        """INSERT INTO ledger.stream (source_system_id, name, complete_through, complete_basis, last_success_at)
           VALUES (:system, 'PAUSES', :long_ago, :basis, :read) RETURNING stream_id""",
        system=world.system, long_ago=at("2026-01-05 00:00"), basis=basis, read=at(read)))  # fmt: skip
    paused = world.case("paused", accepted="2026-03-17 10:00", applied="2026-03-17 09:00")
    pause(rare, paused, "2026-03-17 11:00", "2026-03-17 12:00")
    desk.run("2026-03-18 09:00")
    assert [one["state"] for one in desk.cards()] == [state]
