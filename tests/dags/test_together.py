"""Sources that share a DAG: what the folder must say, who is run, and that one's failure is its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connectors.loading import load_sources
from dags.cli import _runs
from dags.headers import PART, read_headers, sources_of
from hub.errors import ConfigError
from tests.dags.conftest import DEMONSTRATION, ROOT, airflow_environment

FOLDER = DEMONSTRATION / "county-platform"

PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from types import SimpleNamespace as Said
from dags import tasks, together
from dags.headers import read_headers
from hub.errors import ConfigError, Fault, RetrySource, SourceBusy

[header] = [one for one in read_headers([Path(sys.argv[1])]) if one.members]
GOOD = {"stream": "cases", "balanced": True, "refused_units": [], **dict.fromkeys(tasks.COUNTS, 0)}
FAULTS = {
    "local-330121": RetrySource(source="local-330121", got="the line was cut", after_seconds=90),
    "local-330122": ConfigError([Fault("instances.csv", 4, "bad")]),
    "local-330123": KeyError("a fault of the hub"),
}
pulled = []

def exchange(member, *, runtime):
    pulled.append(member.code)
    if member.code in faults:
        raise faults[member.code]
    return {"source": member.code, "streams": [GOOD]}

class Events(dict):
    def __missing__(self, key):
        return self.setdefault(key, set())

def run(part, tries, conf=None):
    pulled.clear()
    events = Events()
    context = {"dag_run": Said(conf=conf), "ti": Said(try_number=tries, max_tries=4), "outlet_events": events}
    try:
        said = together.exchange(header, part, context)
    except tasks.SomeFailed as failed:
        decision = tasks.ByErrorType().evaluate(failed, tries, 4)
        said = [decision.action.value, decision.retry_delay.total_seconds(), sorted(failed.errors)]
    return {"said": said, "pulled": list(pulled), "assets": sorted(a.uri for found in events.values() for a in found)}

tasks.exchange = exchange
import pipeline.runtime
pipeline.runtime.Runtime = Said(open=lambda settings: Said(engine=Said(dispose=lambda: None)))
out = {}
faults = FAULTS
out["first"] = run(0, 1)
out["last"] = run(0, 5)
faults = {}
out["asked"] = run(0, 1, {"sources": ["local-330125", "local-331100"]})
out["parts"] = [len(run(part, 1)["pulled"]) for part in range(together.parts(header))]
try:
    together.report([out["last"]["said"]])
except tasks.NotDelivered as trouble:
    out["report"] = str(trouble)
together.report([{"reports": [{"source": "local-330100", "streams": [GOOD]}], "failed": {}}])
print(json.dumps(out))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(FOLDER.parent)],
        env=airflow_environment(tmp_path_factory.mktemp("airflow") / "home"), cwd=ROOT, check=False,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_source_that_fails_keeps_no_other_from_its_turn(said: dict[str, Any]) -> None:
    assert len(said["first"]["pulled"]) == PART
    assert said["first"]["said"] == ["retry", 90.0, ["local-330121"]], "what trying mends is tried again, when it asks"
    last = said["last"]["said"]
    assert [one["source"] for one in last["reports"]] == [
        code for code in said["last"]["pulled"] if code not in last["failed"]
    ]
    assert sorted(last["failed"]) == ["local-330121", "local-330122", "local-330123"]


def test_each_source_that_was_pulled_updates_its_own_asset_and_no_other(said: dict[str, Any]) -> None:
    failed = said["last"]["said"]["failed"]
    pulled = [code for code in said["last"]["pulled"] if code not in failed]
    assert said["last"]["assets"] == sorted(f"hub://source/{code}" for code in pulled)


def test_the_report_fails_and_names_each_source_that_failed(said: dict[str, Any]) -> None:
    assert "source local-330121: RetrySource: " in said["report"]
    assert "source local-330122: ConfigError: 1 fault found:\ninstances.csv:4: bad" in said["report"]
    assert "local-330124" not in said["report"]


def test_all_sources_are_pulled_by_some_task_and_a_run_may_be_for_some_only(said: dict[str, Any]) -> None:
    assert said["parts"] == [26, 26, 26, 23]
    assert said["asked"]["pulled"] == ["local-330125"], "the other one is of another part"


def test_some_of_them_are_run_by_name() -> None:
    headers = read_headers([DEMONSTRATION])
    assert _runs(["hrss"], headers) == {"hub_source_hrss": {}}
    asked = _runs(["local-330100", "hrss", "local-330121"], headers)
    assert asked == {"hub_source_county-platform": {"sources": ["local-330100", "local-330121"]}, "hub_source_hrss": {}}
    assert _runs(["local-330100", "county-platform"], headers) == {"hub_source_county-platform": {}}
    assert len(_runs([], headers)) == 44
    assert len(sources_of(headers)) == 144


def test_a_fault_of_one_instance_is_found_and_stops_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "county-platform"
    folder.mkdir()
    for file in FOLDER.glob("*.*"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "codes").symlink_to(FOLDER / "codes")
    lines = (folder / "instances.csv").read_text(encoding="utf-8").splitlines()
    rows = [f"{lines[0]},schedule", *(f"{line}," for line in lines[1:-1]), f"{lines[-1]},0 1 * * *"]
    (folder / "instances.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"instances.csv:102: has a schedule of its own, but `one_dag` gives all one"):
        load_sources([tmp_path])
    assert [one.code for one in load_sources([tmp_path], only=["local-330100"])] == ["local-330100"]
    [header] = read_headers([tmp_path])
    assert (header.faults, len(header.members)) == ((), 101)


def test_one_dag_goes_with_instances(tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    text = (FOLDER / "source.yml").read_text(encoding="utf-8")
    (tmp_path / "alone" / "source.yml").write_text(f"code: alone\n{text}", encoding="utf-8")
    with pytest.raises(ConfigError, match="one_dag goes with an"):
        load_sources([tmp_path])
