"""The quality DAGs: their structure, and what their tasks do without Airflow."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from dags import steward
from hub.errors import RepositoryError
from tests.dags.conftest import DEMONSTRATION
from tests.departments import Department
from tests.journeys.conftest import Hub, department, hub

__all__ = ["department", "hub"]

View = dict[str, Any]


def test_any_delivery_or_the_morning_starts_the_quality_run(small: View) -> None:
    dag = small["dags"]["hub_quality"]
    assert (dag["schedule"], dag["catchup"], dag["max_active_runs"]) == ("AssetOrTimeSchedule", False, 1)
    assert dag["timeout"] > 0
    assert "hub_quality" in dag["doc"]
    said = small["serialized"]["hub_quality"]
    assert '"hub://source/labour"' in said
    assert '"hub://source/county-a"' in said, "each source of a shared DAG by its own asset"


def test_where_nothing_is_to_run_by_itself_it_does_not(view: Any) -> None:
    seen = view(DEMONSTRATION, HUB_SCHEDULES="off")["dags"]
    assert seen["hub_quality"]["schedule"] == "NullTimetable"
    assert seen["hub_held"]["schedule"] == "NullTimetable"


def test_a_check_that_fails_keeps_the_others_from_nothing_and_fails_the_run(small: View) -> None:
    after = {name: task["after"] for name, task in small["dags"]["hub_quality"]["tasks"].items()}
    assert after == {
        "check_sets": [], "refresh": ["check_sets"], "record": ["refresh"], "escalate": ["refresh"],
        "alert": ["escalate"], "held": ["refresh"], "ask": ["held"], "end": ["alert", "ask", "check_sets", "record"],
    }  # fmt: skip
    said = small["serialized"]["hub_quality"]
    assert '"all_done"' in said
    assert '"none_failed"' in said


def test_a_held_delivery_is_asked_about_before_it_is_released(small: View) -> None:
    dag = small["dags"]["hub_held"]
    assert {name: task["after"] for name, task in dag["tasks"].items()} == {"ask": [], "release": ["ask"]}
    assert dag["schedule"] == "NullTimetable"
    assert "是否发布被扣留的批次" in small["serialized"]["hub_held"]


class Uri(NamedTuple):
    """An asset, as far as its name goes."""

    uri: str


def test_a_run_knows_which_deliveries_started_it() -> None:
    events = {Uri("hub://source/labour"): [], Uri("hub://source/b/"): []}
    assert steward.triggering({"triggering_asset_events": events}) == ["b", "labour"]  # type: ignore[typeddict-item]  # all it reads
    assert steward.triggering({}) is None, "the clock or a person"  # type: ignore[typeddict-item]  # all it reads


@pytest.fixture
def deployed(hub: Hub, department: Department, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A department that sent far too little of one stream, and the settings that its tasks find."""
    department.declare(each={"expect": {"rows": {"min": 2}}})
    for number in range(3):
        department.case(f"C{number}", TELPHONE="12")
    for number in range(2):
        department.clear("PRE_TRANSACT", PROJID=f"C{number}")
    hub.pull()
    monkeypatch.setattr("dags.steward.Settings.load", lambda: hub.runtime.settings)
    return hub


def test_the_tasks_do_a_whole_quality_run(deployed: Hub) -> None:
    assert steward.refresh()["opened"] > 0
    assert steward.record()["scores"] > 0
    assert steward.escalate() == {}
    assert steward.alert()["waiting"] > 0
    assert steward.refresh() == {"opened": 0, "reopened": 0, "grown": 0, "woke": 0, "fixed": 0}


def test_a_person_who_says_why_publishes_a_held_delivery_and_is_remembered(deployed: Hub) -> None:
    [asked] = steward.held()
    conf = asked["conf"]
    assert asked["trigger_run_id"] == f"held__labour__{conf['batch']}"
    assert (conf["stream"], conf["read"], conf["rules"]) == ("PRE_TRANSACT", 1, "volume_below")
    for unsaid in ("  ", "x" * 1001):
        with pytest.raises(steward.NobodyAnswered, match="hub batch accept"):
            steward.release(conf, {"params_input": {"reason": unsaid}, "responded_by_user": {"name": "li"}})
    assert deployed.one("SELECT count(*) FROM core.decision") == 0
    answer = {"params_input": {"reason": "two were withdrawn"}, "responded_by_user": {"id": "1", "name": "li"}}
    assert steward.release(conf, answer)["new"] == 1
    kept = deployed.one("SELECT actor, reason FROM ledger.batch WHERE kind = 'accept'")
    assert tuple(kept) == ("airflow:li", "two were withdrawn")
    assert steward.held() == []
    assert steward.release(conf, answer) == {}, "what is held no longer is left alone"


def test_a_source_that_is_declared_no_more_is_said(deployed: Hub, department: Department) -> None:
    [asked] = steward.held()
    (department.folder / "source.yml").unlink()
    with pytest.raises(RepositoryError, match="is declared any more"):
        steward.release(asked["conf"], {"params_input": {"reason": "x"}})
