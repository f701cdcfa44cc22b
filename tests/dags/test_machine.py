"""Airflow on this machine, for real: started on the embedded PostgreSQL, run, killed, started again, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dags.ops.processes import exists, members
from tests.dags.conftest import airflow_environment
from tests.departments import Department

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.timeout(600)]

Hub = Callable[..., Any]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Runs a `hub` command in a deployment with one good department and one whose system is gone."""
    place = tmp_path_factory.mktemp("machine")
    good, gone = Department(place / "sources", "labour"), Department(place / "sources", "gone")
    good.case("A-1")
    environment = airflow_environment(
        place / "unused", HUB_HOME=str(place / "home"), HUB_SOURCES=str(place / "sources"), HUB_SCHEDULES="off",
        HUB_CONN_LABOUR=good.url, HUB_CONN_GONE=f"sqlite:///{place}/nowhere/system.sqlite",
    )  # fmt: skip
    del gone, environment["AIRFLOW_HOME"]

    def run(*words: str, status: int = 0) -> Any:
        command = [Path(sys.executable).with_name("hub"), *words, "--json"]
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=300)
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
    lines = hub("ledger", "labour")
    assert lines, "what Airflow pulled stands in the ledger"


def test_pools_are_made_once(hub: Hub) -> None:
    assert hub("airflow", "sync") == {"made": [], "changed": [], "unused": []}


@pytest.mark.long
def test_a_killed_airflow_leaves_nothing_and_starts_again(hub: Hub) -> None:
    pid = hub("airflow", "status")["pid"]
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
