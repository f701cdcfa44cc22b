"""What supervision finds wrong with the hub's own keeping becomes an issue, and the issue closes by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from quality.alerts import words
from quality.alerts.service import _due
from quality.issues import service as issues
from quality.issues.service import Issue
from sharedrepo.writing.handed import Handed, hand_over
from supervision import running
from tests.supervision.desk import Desk
from tests.supervision.world import ORGAN, World, at

NOW = datetime(2026, 3, 18, 4, 0, tzinfo=UTC)
"""A Wednesday, noon in the province."""


@pytest.fixture
def desk(runtime: object, world: World) -> Desk:
    return Desk(runtime, world)  # type: ignore[arg-type]  # a fixture of the root


def one(desk: Desk, rule: str) -> Issue:
    [found] = issues.listed(desk.engine, rule=rule, closed=True)
    return found


def run(desk: Desk, now: str) -> int:
    counts = running.run(desk.engine, as_of=at(now), full=True).counts
    return int(counts["findings"]["card_without_recipient"])


def test_a_card_that_reaches_nobody_is_an_issue_of_its_organ_until_the_register_is_mended(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    world.item()
    world.case("C2026031800001")
    desk.only_rules("case_overdue")
    assert run(desk, "2026-03-18 09:00") == 1
    assert issues.refresh(desk.engine, NOW).opened == 1
    found = one(desk, "card_without_recipient")
    assert (found.organ, found.source, found.stream, found.owner) == (ORGAN, "", "", "department")
    assert (found.records, found.of_records, found.severity) == (1, 1, "high")
    assert found.due_on == date(2026, 3, 23), "three working days"
    [place] = issues.samples(desk.engine, found.code)
    assert (place.unit, place.case) == (desk.only(), "C20…001")
    assert place.detail == {
        "level": "red", "roles": "handler, division_head, discipline_officer, leader_in_charge"
    }  # fmt: skip

    desk.register(tmp_path)
    assert issues.refresh(desk.engine, NOW).fixed == 0, "nobody has looked since"
    assert run(desk, "2026-03-19 09:00") == 0
    assert issues.refresh(desk.engine, NOW + timedelta(days=1)).fixed == 1
    assert [event.what for event in issues.events(desk.engine, found.code)] == ["opened", "fixed"]


def test_the_silence_of_such_an_issue_climbs_and_is_told(desk: Desk, world: World) -> None:
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    run(desk, "2026-03-18 09:00")
    issues.refresh(desk.engine, NOW)
    [row] = _due(desk.engine, "", NOW)
    assert "监察牌无人接收，监察，1/1 条" in words.body([row])
    [step] = issues.escalate(desk.engine, NOW + timedelta(days=6), [])
    assert (step.level, step.recipient.role, step.recipient.organ) == (1, "contact", ORGAN)


def test_a_recount_that_differs_is_an_issue_of_the_engineers_until_one_finds_nothing(desk: Desk, world: World) -> None:
    world.item(stages={"undertake": "3 working_day"})
    spoiled, changed, also = (world.case(f"C{n}", stages=[("undertake", "2026-03-02 11:00", None)]) for n in range(3))
    running.run(desk.engine)
    desk.do("UPDATE supervision.clock SET paused_days = 99 WHERE case_id = ANY(:some)", some=[spoiled, changed])
    desk.do("UPDATE supervision.clock_stage SET used_days = 7 WHERE case_id = :one", one=also)
    with desk.engine.begin() as connection:
        world.refresh(connection, changed)
    counts = running.run(desk.engine, full=True).counts["clock"]
    assert counts["differing"] == 2, "a case that a batch has changed may well come out otherwise"
    assert issues.refresh(desk.engine, NOW).opened >= 1
    found = one(desk, "recount_differs")
    assert (found.organ, found.owner, found.records, found.of_records) == ("", "engineer", 2, 3)
    assert [place.case for place in issues.samples(desk.engine, found.code)] == ["C0", "C2"]

    running.run(desk.engine)
    assert issues.refresh(desk.engine, NOW).fixed == 0, "increments prove nothing"
    assert running.run(desk.engine, full=True).counts["clock"]["differing"] == 0
    issues.refresh(desk.engine, NOW)
    assert one(desk, "recount_differs").status == "fixed"


def test_due_dates_declared_otherwise_than_the_clock_are_an_issue_until_they_agree(desk: Desk, world: World) -> None:
    world.item()
    paused: Any = {"pauses": [("2026-03-04 10:00", "2026-03-06 10:00")]}  # two days: from the 16th to the 18th
    world.case("RIGHT", declared="2026-03-16 17:30")
    world.case("AS-ACCEPTED", declared="2026-03-16 17:30", **paused)
    world.case("AS-IT-STANDS", declared="2026-03-18 17:30", **paused)
    wrong = [
        world.case("NEITHER", declared="2026-03-17 17:30", **paused), world.case("LATE", declared="2026-03-30 17:30"),
    ]  # fmt: skip
    counts = running.run(desk.engine, as_of=at("2026-03-10 09:00"), full=True).counts
    assert counts["findings"]["due_differs"] == 2
    issues.refresh(desk.engine, NOW)
    found = one(desk, "due_differs")
    assert (found.organ, found.owner, found.records, found.of_records) == (ORGAN, "department", 2, 5)
    off = [place.detail["days_off"] for place in issues.samples(desk.engine, found.code)]
    assert off == [14, -1], "the farthest off first"

    desk.do("UPDATE core.acceptance SET due_at = '2026-03-16 09:30+00' WHERE case_id = ANY(:some)", some=wrong)
    with desk.engine.begin() as connection:
        world.refresh(connection, *wrong)
    running.run(desk.engine)
    assert one(desk, "due_differs").status != "fixed", "all of them are looked at by a run over all"
    running.run(desk.engine, full=True)
    issues.refresh(desk.engine, NOW + timedelta(days=1))
    assert one(desk, "due_differs").status == "fixed"


def test_a_clock_that_stood_for_no_case_is_a_difference_too(desk: Desk, world: World) -> None:
    world.item()
    world.case()
    running.run(desk.engine)
    desk.do("INSERT INTO supervision.clock (case_id, state, calendar) VALUES (999999, 'running', '')")
    assert running.run(desk.engine, full=True).counts["clock"]["differing"] == 1


def test_only_what_supervision_does_is_handed_over(desk: Desk) -> None:
    for code in ("late_feed", "no_such_rule"):
        with pytest.raises(KeyError), desk.engine.begin() as connection:
            hand_over(connection, code, [Handed(ORGAN, 1, 1, NOW)])


def test_a_hand_over_is_whole(desk: Desk) -> None:
    def said() -> list[tuple[str, int]]:
        with desk.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT organ, records FROM quality.handed_fault ORDER BY 1"))
            return [tuple(row) for row in rows]

    for faults in ([("A", 1), ("B", 2)], [("B", 3), ("C", 1)], []):
        with desk.engine.begin() as connection:
            hand_over(connection, "recount_differs", [Handed(organ, count, 5, NOW) for organ, count in faults])
        assert said() == faults
