"""The whole way: a department's system is pulled, and its late case has a card, a recipient and a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.runtime import Runtime
from supervision import running
from supervision.running import Run
from tests.catalog import items
from tests.departments import ITEM, Department
from tests.journeys.conftest import Hub
from tests.supervision.desk import Desk
from tests.supervision.world import at


@pytest.fixture
def hub(runtime: Runtime, place: Path) -> Hub:
    items.published(runtime.engine, ITEM, content=items.content())
    lookback = {"cursor": {"field": "CREATE_TIME", "lookback": "P1D"}}
    return Hub(runtime, Department(place / "sources", each=lookback))


def reported_until(department: Department, day: str) -> None:
    """A further case lets every stream of the department report until a day, so that it is complete until before."""
    department.put("PRE_APASINFO", PROJID="last", RECEIVETIME=f"{day} 08:00:00", CREATE_TIME=f"{day} 09:00:00")
    department.put("PRE_ACCEPT", PROJID="last", ACCEPT_TIME=f"{day} 08:30:00", PROMISE_ETIME="2026-12-31 23:59:59",
                   CREATE_TIME=f"{day} 09:00:00")  # fmt: skip
    department.put("PRE_NODE", UNID="last-1", PROJID="last", START_TIME=f"{day} 08:30:00", END_TIME=f"{day} 08:40:00",
                   CREATE_TIME=f"{day} 09:00:00")  # fmt: skip
    department.put("PRE_TRANSACT", UNID="last-t", PROJID="last", RESULTS_TIME=f"{day} 08:50:00",
                   TRANSACT_TIME=f"{day} 08:50:00", CREATE_TIME=f"{day} 09:00:00")  # fmt: skip


def go(desk: Desk, now: str) -> Run:
    return running.run(desk.engine, as_of=at(now), protector=desk.runtime.protector)


def stands(desk: Desk) -> list[tuple[str, str, str]]:
    return [(str(one["case"]), str(one["level"]), str(one["state"])) for one in desk.cards()]


def test_a_pulled_case_that_ended_late_has_a_red_card_that_reaches_its_people(
    desk: Desk, hub: Hub, tmp_path: Path
) -> None:
    desk.register(tmp_path)
    desk.only_rules("case_overdue")
    hub.department.case("in-time")
    hub.department.case("late")
    late = {"TRANSACT_TIME": "2026-03-20 16:30:00", "RESULTS_TIME": "2026-03-20 16:00:00"}
    hub.department.change("PRE_TRANSACT", {"PROJID": "late"}, CREATE_TIME="2026-03-20 17:00:00", **late)
    reported_until(hub.department, "2026-03-24")
    hub.pull()
    done = go(desk, "2026-03-28 09:00")
    assert stands(desk) == [("late", "red", "sent")]
    card = desk.card()
    assert card["seal"] is not None
    assert {one["table"] for one in card["evidence"]["records"]} == {"acceptance", "stage_event", "decision"}
    assert card["evidence"]["item"]["promised_limit"] == {"value": 10, "unit": "working_day"}
    assert done.counts["texts"]["queued"] == len(card["recipients"]) > 0


def test_a_department_that_was_in_time_and_reports_late_is_held_and_then_let_go(
    desk: Desk, hub: Hub, tmp_path: Path
) -> None:
    desk.register(tmp_path)
    desk.only_rules("case_overdue")
    hub.department.case("slow-feed")
    hub.department.clear("PRE_TRANSACT", PROJID="slow-feed")
    hub.pull()
    go(desk, "2026-03-28 09:00")
    assert stands(desk) == [("slow-feed", "red", "held")]  # nothing was reported since 5 March
    hub.department.put("PRE_TRANSACT", UNID="slow-feed-t", PROJID="slow-feed", CREATE_TIME="2026-03-28 10:00:00")
    hub.pull()
    done = go(desk, "2026-03-28 11:00")  # it was decided on 9 March, a week before it was due
    assert (done.kind, done.counts["cards"]["lapsed"]) == ("touched", 1)
    assert stands(desk) == [("slow-feed", "red", "lapsed")]
