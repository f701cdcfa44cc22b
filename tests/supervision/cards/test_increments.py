"""What runs over changed cases leave behind is what a run over all would: whoever became responsible in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from supervision import running
from supervision.rules import scope
from tests.supervision.desk import REGISTER, Desk
from tests.supervision.world import ORGAN, World, at

OTHER = "11330000002482293D"
HEAD = "organ,unit,role,staff,name,phone,from,to,deputy_of\n"

_LEFT_BEHIND = """
SELECT 'recipient', c.number, t.staff, t.why
FROM supervision.card_recipient AS t JOIN supervision.card AS c USING (card_id)
UNION ALL SELECT 'text', n.subject, n.recipient, n.words FROM supervision.notice AS n
UNION ALL SELECT 'deed', c.number, d.what, d.ground
FROM supervision.card_deed AS d JOIN supervision.card AS c USING (card_id)
UNION ALL SELECT 'fault', f.rule, f.organ, f.records || '/' || f.of_records FROM quality.handed_fault AS f
UNION ALL SELECT 'reminder', r.case_id::text, r.after_days::text, NULL FROM supervision.reminder AS r
UNION ALL SELECT 'unsealed', number, NULL, NULL FROM supervision.card WHERE seal IS NULL
ORDER BY 1, 2, 3, 4
"""


def go(desk: Desk, now: str, *, full: bool = False, keys: bool = True) -> dict[str, Any]:
    protector = desk.runtime.protector if keys else None
    return running.run(desk.engine, as_of=at(now), full=full, protector=protector).counts


def left(desk: Desk) -> list[tuple[Any, ...]]:
    with desk.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(_LEFT_BEHIND))]


def touch(desk: Desk, case: int) -> None:
    """Let a batch have touched a case, without changing anything of it."""
    with desk.engine.begin() as connection:
        desk.world.refresh(connection, case)


def reached(desk: Desk, organ: str) -> set[str]:
    query = "SELECT staff FROM supervision.card_recipient WHERE organ = :organ"
    with desk.engine.connect() as connection:
        return set(connection.execute(sa.text(query), {"organ": organ}).scalars())


def same_as_in_full(desk: Desk, now: str) -> None:
    """A run over all finds nothing more to do than the runs over changed cases have done."""
    before = left(desk)
    go(desk, now, full=True)
    assert left(desk) == before


@pytest.fixture
def province(desk: Desk, world: World) -> tuple[Desk, int]:
    """Overdue cases of two departments without any register, looked at once; and a case that nothing is wrong with."""
    world.item()
    world.case("of-one")
    world.case("of-another", organ=OTHER)
    idle = world.case("in-time", closed="2026-03-10 16:00")
    desk.only_rules("case_overdue")
    go(desk, "2026-03-18 09:00", full=True)
    assert {row[2] for row in left(desk) if row[0] == "fault"} == {ORGAN, OTHER}
    return desk, idle


def test_a_mended_register_sends_the_cards_of_its_organ_whatever_case_changed(
    province: tuple[Desk, int], tmp_path: Path
) -> None:
    desk, idle = province
    desk.register(tmp_path)
    touch(desk, idle)
    counts = go(desk, "2026-03-18 10:00")
    assert (counts["clock"]["cases"], counts["texts"]) == (1, {"queued": 4})
    assert (reached(desk, ORGAN), reached(desk, OTHER)) == ({"S002", "S003", "S004", "S005"}, set())
    assert [row[2] for row in left(desk) if row[0] == "fault"] == [OTHER], "the issue of the one organ is gone"
    same_as_in_full(desk, "2026-03-18 10:01")
    touch(desk, idle)
    assert go(desk, "2026-03-18 10:02")["texts"] == {"queued": 0}
    same_as_in_full(desk, "2026-03-18 10:03")


def test_a_duty_that_begins_on_a_day_is_seen_by_the_first_run_of_that_day(
    province: tuple[Desk, int], tmp_path: Path
) -> None:
    desk, idle = province
    desk.register(tmp_path, HEAD + f"{OTHER},,leader_in_charge,L001,方远,13900001212,2026-03-20,,\n")
    for now, staff in (("2026-03-18 10:00", set()), ("2026-03-19 23:59:59", set()), ("2026-03-20 00:00:01", {"L001"})):
        touch(desk, idle)
        go(desk, now)
        assert reached(desk, OTHER) == staff, now
    same_as_in_full(desk, "2026-03-20 00:00:02")


def test_new_changed_held_and_released_cards_are_addressed_in_the_run_that_makes_them(
    province: tuple[Desk, int], world: World, tmp_path: Path
) -> None:
    desk, idle = province
    desk.register(tmp_path, REGISTER + f"{OTHER},,division_head,D001,方远,13900001212,2026-01-01,,\n")
    desk.do("UPDATE core.source_system SET organ = :organ", organ=OTHER)
    desk.through("2026-03-10 00:00")
    world.case("held", organ=ORGAN)
    world.case("waits", applied="2026-03-02 09:00", accepted=None, supplements=[("2026-03-03 10:00", None)])
    assert go(desk, "2026-03-18 10:00")["cards"]["held"] == 1
    assert ("text", "feed.late") in {(row[0], row[3]) for row in left(desk)}
    same_as_in_full(desk, "2026-03-18 10:01")
    desk.through("2026-03-18 00:00")
    touch(desk, idle)
    assert go(desk, "2026-03-18 10:02")["cards"]["released"] == 1
    same_as_in_full(desk, "2026-03-18 10:03")


def test_who_was_added_by_a_run_without_keys_is_told_by_the_next_that_has_them(
    province: tuple[Desk, int], tmp_path: Path
) -> None:
    desk, idle = province
    desk.register(tmp_path)
    touch(desk, idle)
    go(desk, "2026-03-18 10:00", keys=False)
    assert not [row for row in left(desk) if row[0] == "text"]
    touch(desk, idle)
    assert go(desk, "2026-03-18 10:01")["texts"] == {"queued": 4}
    same_as_in_full(desk, "2026-03-18 10:02")


@pytest.mark.parametrize("listed", [10_000, 0], ids=["named one by one", "too many to name"])
def test_a_missing_stage_is_found_among_the_changed_cases_alone(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch, listed: int
) -> None:
    monkeypatch.setattr(scope, "LISTED", listed)
    world.item()
    desk.only_rules("stage_missing")
    accepted = ("accept", "2026-03-02 10:00", "2026-03-02 11:00")
    world.case("first", closed="2026-03-09 16:00", stages=[accepted])
    go(desk, "2026-03-10 09:00")
    assert desk.cards() == [], "so far this source reports acceptances only"
    world.case("whole", closed="2026-03-09 16:00",
               stages=[accepted, ("undertake", "2026-03-03 10:00", "2026-03-03 11:00")])  # fmt: skip
    go(desk, "2026-03-10 09:01")
    world.case("skipped", closed="2026-03-09 16:00", stages=[accepted])
    go(desk, "2026-03-10 09:02")
    assert [one["case"] for one in desk.cards()] == ["skipped"]
    go(desk, "2026-03-10 09:03", full=True)
    assert [one["case"] for one in desk.cards()] == ["skipped", "first"], (
        "all are judged at night by what is known then"
    )
    desk.do("DELETE FROM core.stage_event WHERE stage = 'undertake'")
    with desk.engine.begin() as connection:
        cases = list(connection.execute(sa.text("SELECT record_id FROM core.approval_case")).scalars())
        world.refresh(connection, *cases)
    go(desk, "2026-03-10 09:04", full=True)
    assert len(desk.cards(contradicted=True)) == 2, "what no case tells any more is forgotten"
