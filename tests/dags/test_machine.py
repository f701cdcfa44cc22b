"""Airflow on this machine, for real: started on the embedded PostgreSQL, run, killed, started again, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from dags.ops.processes import exists, members
from tests.dags.conftest import airflow_environment
from tests.departments import GOOD, Department

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600)]

Hub = Callable[..., Any]
BUSY = 1500
"""Cases of the department whose pull takes long enough to be killed in its midst."""


PASSWORD = "s3cret-of-the-gone"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the deployment lies."""
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="module")
def hub(place: Path) -> Iterator[Hub]:
    """Runs a `hub` command in a deployment with one good department and one whose system is gone."""
    good, gone = Department(place / "sources", "labour"), Department(place / "sources", "gone")
    good.case("A-1")
    busy = Department(place / "sources", "harbour")
    for number in range(BUSY):
        busy.put("PRE_APASINFO", PROJID=f"H-{number}")
        busy.put("PRE_NODE", UNID=f"H-{number}-1", PROJID=f"H-{number}")
    environment = airflow_environment(
        place / "unused", HUB_HOME=str(place / "home"), HUB_SOURCES=str(place / "sources"), HUB_SCHEDULES="off",
        HUB_CONN_LABOUR=good.url, HUB_CONN_HARBOUR=busy.url, HUB_SLICE_SIZE="40",
        HUB_CONN_GONE=f"postgresql://reader:{PASSWORD}@127.0.0.1:9/gone", HUB_LINEAGE_URL=f"file://{place}/lineage.jsonl",
    )  # fmt: skip
    del gone, environment["AIRFLOW_HOME"]

    def run(*words: str, status: int = 0, **more: str) -> Any:
        command = [Path(sys.executable).with_name("hub"), *words, "--json"]
        done = subprocess.run(command, env=environment | more, check=False, capture_output=True, text=True, timeout=300)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    try:
        yield run
    finally:
        for words in (["airflow", "stop"], ["db", "stop"]):
            subprocess.run([Path(sys.executable).with_name("hub"), *words], env=environment, check=True, timeout=120)


def test_it_starts_runs_sources_and_says_why_one_failed(hub: Hub) -> None:
    started = hub("airflow", "start")
    assert started["started"]
    assert not hub("airflow", "start")["started"], "a second start finds the first"
    assert hub("airflow", "status")["healthy"]

    outcome = hub("airflow", "run", "labour", "gone", "--wait", status=3)
    assert outcome["states"] == {"hub_source_gone": "failed", "hub_source_labour": "success"}
    [failure] = outcome["failures"]
    assert failure["task"] == "exchange"
    assert failure["reason"].startswith("SourceUnreachable: source gone"), failure["reason"]

    again = hub("airflow", "run", "labour", "--wait")
    assert again["states"] == {"hub_source_labour": "success"}
    lines = hub("ledger", "labour")["streams"]
    assert lines, "what Airflow pulled stands in the ledger"


def test_lineage_is_told_of_each_exchange_and_no_secret_with_it(hub: Hub, place: Path) -> None:
    text = (place / "lineage.jsonl").read_text(encoding="utf-8")
    events = [one for one in map(json.loads, text.splitlines()) if one["job"]["name"].endswith(".exchange")]
    assert {one["job"]["namespace"] for one in events} == {"hub"}
    good = [one for one in events if one["job"]["name"] == "hub_source_labour.exchange"]
    assert [one["eventType"] for one in good][:2] == ["START", "COMPLETE"]
    assert len({one["run"]["runId"] for one in good[:2]}) == 1
    done = good[1]
    read = {one["name"]: one["inputFacets"]["inputStatistics"]["rowCount"] for one in done["inputs"]}
    assert read == {"PRE_APASINFO": 1, "PRE_ACCEPT": 1, "PRE_NODE": 4, "PRE_TRANSACT": 1}
    assert {one["namespace"] for one in done["inputs"]} == {"hub://source/labour"}
    node = next(one for one in done["inputs"] if one["name"] == "PRE_NODE")
    assert any(one["success"] for one in node["inputFacets"]["dataQualityAssertions"]["assertions"])
    assert {"core.approval_case", "core.stage_event"} <= {one["name"] for one in done["outputs"]}
    failed = [one for one in events if one["job"]["name"] == "hub_source_gone.exchange"]
    assert [one["eventType"] for one in failed] == ["START", "FAIL"]
    assert failed[1]["run"]["facets"]["errorMessage"]["message"].startswith("source gone")
    personal = [GOOD["PRE_APASINFO"][name] for name in ("APPLYNAME", "APPLY_CARDNUMBER", "TELPHONE", "ADDRESS")]
    personal += [GOOD["PRE_NODE"]["NAME"], GOOD["PRE_TRANSACT"]["TRANSACT_USER"]]
    assert [said for said in (PASSWORD, *personal, "A-1") if said in text or json.dumps(said)[1:-1] in text] == []


def test_pools_are_made_once(hub: Hub) -> None:
    assert hub("airflow", "sync") == {"made": [], "changed": [], "unused": []}


@pytest.mark.long
def test_a_killed_task_is_tried_again_and_ends_as_an_undisturbed_pull(hub: Hub, tmp_path: Path) -> None:
    pid = hub("airflow", "start")["pid"]
    hub("airflow", "run", "labour", "--wait")
    before = set(members(pid))
    with ThreadPoolExecutor(1) as beside:
        outcome = beside.submit(hub, "airflow", "run", "harbour", "--wait")
        while not any(one["batches"] > 3 for one in hub("ledger", "harbour")["streams"]):
            assert not outcome.done(), f"the pull was too quick to be killed: {outcome.result()}"
        for task in leaves(set(members(pid)) - before):
            os.kill(task, signal.SIGKILL)
        halfway = hub("ledger", "harbour")["streams"]
        assert sum(one["read"] for one in halfway) < 2 * BUSY, "the kill came too late"
        assert outcome.result()["states"] == {"hub_source_harbour": "success"}
    assert {one["stream"]: one["new"] for one in hub("ledger", "harbour")["streams"] if one["read"]} == {
        "PRE_APASINFO": BUSY,
        "PRE_NODE": BUSY,
    }
    assert hub("ledger", "--check")["disagreements"] == []

    calm = {"HUB_DATABASE_URL": _beside(hub("db", "url")["url"]), "HUB_ARCHIVE_URL": str(tmp_path / "archive")}
    hub("db", "upgrade", **calm)
    for code in ("labour", "harbour"):
        hub("pull", code, **calm)
    disturbed, undisturbed = hub("db", "digest"), hub("db", "digest", **calm)
    tables = [name for name in disturbed if name.startswith("core.")]
    assert len(tables) > 10
    assert {name: disturbed[name] for name in tables} == {name: undisturbed[name] for name in tables}


def _beside(url: str) -> str:
    """Make another database on the server of this URL; return its URL."""
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE calm")
    return str(sa.make_url(url).set(database="calm").render_as_string(hide_password=False))


def leaves(pids: set[int]) -> set[int]:
    """Return the processes that have no child among them: those that do the work."""
    parents = {int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1]) for pid in pids}
    return pids - parents


@pytest.mark.long
def test_a_killed_airflow_leaves_nothing_and_starts_again(hub: Hub) -> None:
    pid = hub("airflow", "start")["pid"]
    assert len(members(pid)) > 4
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while members(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert members(pid) == []
    assert not hub("airflow", "status", status=1)["running"]

    pid = hub("airflow", "start")["pid"]
    hub("airflow", "run", "labour", "--wait")
    assert hub("airflow", "stop") == {"stopped": True}
    assert not exists(pid)
    assert members(pid) == []


@pytest.mark.long
def test_it_ends_with_the_process_that_it_was_started_for(hub: Hub) -> None:
    hub("airflow", "stop")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as owner:
        pid = hub("airflow", "start", "--while-running", str(owner.pid))["pid"]
        owner.kill()
    deadline = time.monotonic() + 30
    while (exists(pid) or members(pid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not exists(pid)
    assert members(pid) == []


def test_an_unknown_source_is_refused_with_those_there_are(hub: Hub) -> None:
    hub("airflow", "run", "nobody", status=1)
