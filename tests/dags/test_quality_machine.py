"""The quality DAGs in a real Airflow: a delivery starts them, a person answers through Airflow, people are told."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dags.ops.client import Client
from tests.dags.conftest import airflow_environment
from tests.departments import Department
from tests.quality.alerts.listeners import Chat

pytestmark = [pytest.mark.airflow, pytest.mark.long, pytest.mark.timeout(600)]

Hub = Callable[..., Any]
SECONDS = 240


@pytest.fixture(scope="module")
def chat() -> Iterator[Chat]:
    with Chat().open() as opened:
        yield opened


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, chat: Chat) -> Iterator[Hub]:
    """Runs a `hub` command in a deployment whose department has sent far too little of two streams."""
    place = tmp_path_factory.mktemp("quality")
    department = Department(place / "sources", "labour", each={"expect": {"rows": {"min": 2}}})
    for number in range(3):
        department.case(f"C-{number}", TELPHONE="12")
    for stream in ("PRE_TRANSACT", "PRE_ACCEPT"):
        department.clear(stream, PROJID="C-1")
        department.clear(stream, PROJID="C-2")
    environment = airflow_environment(
        place / "unused", HUB_HOME=str(place / "home"), HUB_SOURCES=str(place / "sources"),
        HUB_CONN_LABOUR=department.url, HUB_ALERT_URLS=chat.url,
    )  # fmt: skip
    del environment["AIRFLOW_HOME"]

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


def client_of(hub: Hub) -> Client:
    said = hub("airflow", "status")
    passwords = json.loads(Path(said["password_file"]).read_text(encoding="utf-8"))
    return Client(said["url"], said["user"], passwords[said["user"]])


def runs(client: Client, dag_id: str) -> list[dict[str, Any]]:
    return client._pages(f"/dags/{dag_id}/dagRuns", "dag_runs", {})


def ended(client: Client, dag_id: str) -> list[dict[str, Any]]:
    return [one for one in runs(client, dag_id) if one["state"] in ("success", "failed")]


def until(found: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (value := found()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.5)
    return value


def answer(client: Client, run: str, option: str, reason: str) -> None:
    """Answer the question of a run, as a person does under *Required actions*."""
    until(lambda: client.tasks("hub_held", run)[0]["state"] == "awaiting_input", "the task to wait")
    said = {"chosen_options": [option], "params_input": {"reason": reason}}
    client._checked(client._ask("PATCH", f"/dags/hub_held/dagRuns/{run}/taskInstances/ask/-1/hitlDetails", json=said))


def test_a_delivery_starts_the_quality_run_and_held_batches_wait_for_a_person(hub: Hub, chat: Chat) -> None:
    hub("airflow", "start")
    hub("airflow", "run", "labour", "--wait", status=3)  # its report says that a unit was refused
    client = client_of(hub)
    [done] = until(lambda: ended(client, "hub_quality"), "the quality run")
    tasks = client.tasks("hub_quality", done["dag_run_id"])
    assert done["state"] == "success", {one["task_id"]: one["state"] for one in tasks}
    issues = {one["rule"]: one for one in hub("quality", "issues", "list")["issues"]}
    assert {"phone_invalid", "volume_below"} <= set(issues)
    assert hub("quality", "scores")["scores"][0]["records"] > 0
    assert any(issues["phone_invalid"]["code"] in one["message"] for one in chat.posted)

    until(lambda: len(runs(client, "hub_held")) == 2, "the questions")
    held = {one["stream"]: one["batch"] for one in hub("batch", "list", "labour", "--status", "held")["batches"]}
    assert set(held) == {"PRE_TRANSACT", "PRE_ACCEPT"}
    run = {stream: f"held__labour__{batch}" for stream, batch in held.items()}
    assert {one["dag_run_id"] for one in runs(client, "hub_held")} == set(run.values())
    place = f"/dags/hub_held/dagRuns/{run['PRE_TRANSACT']}/taskInstances/ask/-1/hitlDetails"
    detail = until(lambda: (found := client._ask("GET", place)).ok and found.json(), "the form")
    assert "volume_below" in detail["body"]
    assert "reason" in detail["params"]
    answer(client, run["PRE_TRANSACT"], "Approve", "two cases were withdrawn")
    answer(client, run["PRE_ACCEPT"], "Reject", "ask the department first")
    until(lambda: len(ended(client, "hub_held")) == 2, "both answers")
    [accepted] = [one for one in hub("batch", "list", "labour")["batches"] if one["kind"] == "accept"]
    assert (accepted["reason"], accepted["actor"]) == ("two cases were withdrawn", "airflow:admin")
    [still] = hub("batch", "list", "labour", "--status", "held")["batches"]
    assert (still["stream"], still["batch"]) == ("PRE_ACCEPT", held["PRE_ACCEPT"]), "what was rejected stays held"
    rejected = {one["task_id"]: one["state"] for one in client.tasks("hub_held", run["PRE_ACCEPT"])}
    assert rejected == {"ask": "success", "release": "skipped"}


def test_the_same_delivery_is_not_asked_about_twice(hub: Hub) -> None:
    client = client_of(hub)
    client.trigger("hub_quality", "again")
    until(lambda: "again" in {one["dag_run_id"] for one in ended(client, "hub_quality")}, "the second run")
    assert len(runs(client, "hub_held")) == 2, "what was rejected is not asked about again"
    assert {one["rule"] for one in hub("quality", "issues", "list", "--status", "fixed")["issues"]} >= {"volume_below"}
