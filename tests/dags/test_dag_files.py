"""Every DAG that Airflow makes of the source folders: that it is there, that it is whole, that it stays the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.loading import load_sources
from tests.dags.conftest import DEMONSTRATION, SOURCES

View = dict[str, Any]

BUDGET_SECONDS = 0.5
READINGS = 5
"""Of so many readings the quickest counts: other processes can only make one slower."""
TOGETHER = "county-platform"
OWN = ["hub_freeze", "hub_held", "hub_province", "hub_quality", "hub_recount", "hub_supervision"]
CODES = ("broken", "county-a", "county-b", "labour", "office", "unreadable")


def sources(view: View) -> dict[str, Any]:
    return {dag_id: dag for dag_id, dag in view["dags"].items() if dag_id.startswith("hub_source_")}


def test_there_are_as_many_dags_as_sources(small: View) -> None:
    assert sorted(small["dags"]) == sorted([*OWN, *(f"hub_source_{code}" for code in CODES)])
    assert small["errors"] == {}


def test_the_demonstration_has_a_dag_for_each_department_and_one_for_all_cities_and_counties(
    demonstration: View,
) -> None:
    found = load_sources([DEMONSTRATION])
    codes = [one.code for one in found if one.folder.name != TOGETHER]
    assert (len(codes), len(found)) == (43, 144)
    assert sorted(sources(demonstration)) == sorted(f"hub_source_{code}" for code in [*codes, TOGETHER])
    waits = demonstration["serialized"]["hub_province"]
    assert all(f'"hub://source/{one.code}"' in waits for one in found), "the province knows each by its own asset"
    assert demonstration["errors"] == {}
    assert not [dag_id for dag_id, dag in demonstration["dags"].items() if "unreadable" in dag["tags"]]


@pytest.mark.parametrize("which", ["small", "demonstration"])
def test_reading_the_dag_files_is_quick_and_imports_nothing_heavy(
    which: str, request: pytest.FixtureRequest, view: Callable[..., View]
) -> None:
    found = request.getfixturevalue(which)
    assert found["heavy"] == []
    least = processor(found)
    for _ in range(READINGS - 1):
        if max(least.values()) >= BUDGET_SECONDS:
            again = processor(view(SOURCES if which == "small" else DEMONSTRATION))
            least = {file: min(seconds, again[file]) for file, seconds in least.items()}
    assert max(least.values()) < BUDGET_SECONDS, least


def processor(found: View) -> dict[str, float]:
    """Return the processor's seconds of each file: to wait for other processes is no fault of the file."""
    return {file: seconds["processor"] for file, seconds in found["seconds"].items()}


@pytest.mark.parametrize("which", ["small", "demonstration"])
def test_every_source_dag_is_whole(which: str, request: pytest.FixtureRequest) -> None:
    for dag_id, dag in sources(request.getfixturevalue(which)).items():
        code = dag_id.removeprefix("hub_source_")
        assert dag["file"] == "sources.py", dag_id
        assert not dag["catchup"], dag_id
        assert dag["max_active_runs"] == 1, dag_id
        assert dag["timeout"] > 0, dag_id
        assert "hub" in dag["tags"], dag_id
        assert dag["doc"].startswith("# "), dag_id
        pulls = [f"exchange_{part}" for part in range(1, 5)] if code == TOGETHER else ["exchange"]
        outlet = f"hub/sources/{code}" if code == TOGETHER else f"hub://source/{code}"
        assert sorted(dag["tasks"]) == [*pulls, "report"], dag_id
        assert all(dag["tasks"][pull]["outlets"] == [outlet] for pull in pulls), dag_id
        assert dag["tasks"]["report"]["after"] == pulls, dag_id
        for task in dag["tasks"].values():
            assert task["owner"], dag_id
            assert task["pool"] == dag_id
            assert task["retries"] > 0, dag_id
            assert task["backoff"] > 1, dag_id
            assert task["policy"] == "ByErrorType", dag_id


def test_a_source_dag_says_what_its_folder_says(small: View) -> None:
    dag = small["dags"]["hub_source_labour"]
    assert dag["title"] == "省人力社保厅行政审批系统"
    assert {"kind:database", "profile:zhejiang-pre", "region:330000", "organ:11330000002482285C"} < set(dag["tags"])
    assert (dag["schedule"], dag["cron"], dag["zone"]) == ("CronTriggerTimetable", "0 2 * * *", "Asia/Shanghai")
    assert dag["tasks"]["exchange"]["owner"] == "浙江省人力资源和社会保障厅"
    for said in (
        "信息中心 0571-8700",
        "《浙江省公共数据条例》第二十条",
        "`PRE_NODE`",
        "hub quarantine list labour",
    ):
        assert said in dag["doc"]


def test_a_source_without_a_schedule_runs_by_hand(small: View) -> None:
    dag = small["dags"]["hub_source_office"]
    assert dag["schedule"] == "NullTimetable"
    assert "by hand" in dag["doc"]


def test_a_folders_words_break_no_page(small: View) -> None:
    assert "&lt;台账> \\| 手工" in small["dags"]["hub_source_office"]["doc"]


@pytest.mark.parametrize("code", ["broken", "unreadable"])
def test_a_broken_folder_shows_its_faults_and_hides_no_other(small: View, code: str) -> None:
    dag = small["dags"][f"hub_source_{code}"]
    assert "unreadable" in dag["tags"]
    assert "source.yml:" in dag["doc"]
    assert dag["schedule"] == "NullTimetable"


def test_the_province_runs_on_any_source_or_in_the_morning(small: View) -> None:
    dag = small["dags"]["hub_province"]
    assert (dag["file"], dag["schedule"]) == ("province.py", "AssetOrTimeSchedule")
    assert (dag["catchup"], dag["max_active_runs"]) == (False, 1)
    assert dag["tasks"]["delivered"]["pool"] == "hub"
    said = small["serialized"]["hub_province"]
    assert '"asset_any"' in said
    for code in CODES:
        assert f"hub://source/{code}" in said


def test_schedules_can_be_turned_off(view: Callable[..., View]) -> None:
    off = view(SOURCES, HUB_SCHEDULES="off")
    assert {dag["schedule"] for dag in sources(off).values()} == {"NullTimetable"}
    assert off["dags"]["hub_province"]["schedule"] == "AssetTriggeredTimetable"


def test_no_sources_is_no_trouble(view: Callable[..., View], tmp_path: Path) -> None:
    empty = view(tmp_path)
    assert (sorted(empty["dags"]), empty["errors"]) == (OWN, {})


def test_dags_are_the_same_each_time_they_are_read(small: View, view: Callable[..., View]) -> None:
    other = view(SOURCES, seed=4711)
    assert small["same_twice"]
    assert other["same_twice"]
    # Compared as Airflow compares them to find a new DAG version: with sorted keys.
    assert small["serialized"] == other["serialized"]
