"""The way from a case to its clock."""

from __future__ import annotations

from supervision import running
from tests.supervision.world import World, day_of


def test_a_plain_case_is_due_on_its_tenth_working_day(world: World) -> None:
    world.item()
    case = world.case(accepted="2026-03-02 10:00")  # Monday; 3 to 6 and 9 to 13 March are nine days, the 16th the tenth
    running.run(world.engine)
    found = world.clock(case, "2026-03-10 09:00")
    assert (found["state"], found["why"], day_of(found["due_at"])) == ("running", None, "2026-03-16")
    assert (found["left_days"], found["used_days"], found["used_percent"], found["overdue"]) == (4, 6, 60, False)
    assert day_of(found["legal_due_at"]) == "2026-03-30"


def test_a_case_without_an_item_is_counted_and_not_guessed(world: World) -> None:
    case = world.case(item=None)
    done = running.run(world.engine)
    assert done.counts["clock"]["not_computable"] == {"no_item_said": 1}
    assert (world.clock(case)["state"], world.clock(case)["due_at"]) == ("not_computable", None)
