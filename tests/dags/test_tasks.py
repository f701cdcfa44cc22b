"""What the tasks do, apart from Airflow's running: the balance, the retry policy, the connections."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import ROOT, airflow_environment

PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
from types import SimpleNamespace as Said
from dags import tasks
from dags.connections import url_of
from hub.errors import ConfigError, Fault, RetrySource, SourceBusy, WrongCredentials

def line(**over):
    return dict.fromkeys(tasks.COUNTS, 0) | {"stream": "PRE_NODE", "balanced": True, "refused_units": []} | over

def told(**over):
    try:
        tasks.report({"source": "labour", "streams": [line(), line(**over)]})
    except tasks.NotDelivered as trouble:
        return str(trouble)

def decided(error):
    decision = tasks.ByErrorType().evaluate(error, 1, 4)
    delay = decision.retry_delay and decision.retry_delay.total_seconds()
    return [decision.action.value, delay, decision.reason]

def url(kind, **parts):
    extra = parts.pop("extra", {})
    blank = dict.fromkeys(("host", "port", "login", "password", "schema"))
    return url_of(Said(conn_type=kind, extra_dejson=extra, **(blank | parts)))

facts = {"source": "labour", "got": "the server said 503"}
print(json.dumps({
    "balanced": told(read=3, new=2, parked=1),
    "unbalanced": told(read=3, new=2, balanced=False),
    "refused": told(refused_units=["2014.csv", "2015.csv"]),
    "busy": decided(SourceBusy("labour")),
    "retry": decided(RetrySource(**facts)),
    "after": decided(RetrySource(after_seconds=90, **facts)),
    "long": decided(RetrySource(after_seconds=10**9, **facts)),
    "stop": decided(WrongCredentials(**facts)),
    "config": decided(ConfigError([Fault("source.yml", 3, "bad")])),
    "other": decided(OSError("the disk")),
    "fault": decided(KeyError("PROJID")),
    "postgres": url("postgres", host="db", port=5433, login="rea der", password="p@ss/word", schema="approvals",
                    extra={"sslmode": "require"}),
    "http": url("http", host="api.example", port=8443, schema="https", login="user", password="x"),
    "http_in_host": url("http", host="https://api.example/v1"),
    "file": url("fs", host="/data/drop"),
    "whole": url("generic", host="ignored", extra={"url": "sqlite:////data/a.db"}),
    "table": tasks.table({"source": "labour", "streams": [line(read=12345678)]}),
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    environment = airflow_environment(tmp_path_factory.mktemp("airflow") / "home")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_balanced_run_is_reported_without_a_word(said: dict[str, Any]) -> None:
    assert said["balanced"] is None


def test_missing_records_fail_the_report_and_are_counted(said: dict[str, Any]) -> None:
    assert said["unbalanced"].startswith(
        "source labour: stream PRE_NODE: 3 records were read, but 2 are accounted for. See `hub ledger labour`"
    )


def test_units_refused_whole_fail_the_report_and_are_named(said: dict[str, Any]) -> None:
    assert "stream PRE_NODE: refused whole: 2014.csv, 2015.csv." in said["refused"]


@pytest.mark.parametrize(
    ("error", "action", "delay"),
    [
        ("busy", "retry", None),
        ("retry", "retry", None),
        ("after", "retry", 90.0),
        ("long", "retry", 3600.0),
        ("stop", "fail", None),
        ("config", "fail", None),
        ("other", "default", None),
        ("fault", "fail", None),
    ],
)
def test_the_errors_type_says_what_happens_next(said: dict[str, Any], error: str, action: str, delay: float) -> None:
    assert said[error][:2] == [action, delay]


def test_the_reason_is_the_errors_own_sentence(said: dict[str, Any]) -> None:
    assert said["retry"][2].startswith("source labour: the server said 503.")
    assert said["config"][2] == "1 fault found:\nsource.yml:3: bad"


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ("postgres", "postgresql://rea%20der:p%40ss%2Fword@db:5433/approvals?sslmode=require"),
        ("http", "https://user:x@api.example:8443"),
        ("http_in_host", "https://api.example/v1"),
        ("file", "file:///data/drop"),
        ("whole", "sqlite:////data/a.db"),
    ],
)
def test_an_airflow_connection_becomes_a_url(said: dict[str, Any], connection: str, url: str) -> None:
    assert said[connection] == url


def test_the_table_keeps_its_columns_under_large_numbers(said: dict[str, Any]) -> None:
    head, row = said["table"].splitlines()
    assert head.split()[:3] == ["stream", "read", "new"]
    assert row.split()[:2] == ["PRE_NODE", "12345678"]


def test_dags_and_commands_need_no_airflow_before_they_run(tmp_path: Path) -> None:
    """`hub airflow --help`, `status` and `stop` answer at once: they never import Airflow."""
    program = "import sys; import dags.cli, dags.ops.control; sys.exit('airflow' in sys.modules)"
    environment = airflow_environment(tmp_path / "home")
    assert subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, check=False).returncode == 0
