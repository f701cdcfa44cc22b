"""Lineage: what an exchange says of itself, without Airflow's processes (tests/dags/test_machine.py runs them)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dags.ops.home import Home, configuration, transport
from hub.findings import RULES
from hub.settings import SettingError, Settings
from tests.dags.conftest import ROOT, airflow_environment
from tests.departments import Department

PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from dags.headers import read_headers
from dags.lineage import lineage
from hub.settings import Settings
from openlineage.client.serde import Serde
[header] = read_headers([Path(sys.argv[1])])
report = json.loads(sys.argv[2])
for settings in (Settings.load(), Settings.load(database_url=None)):
    found = lineage(header, settings, report)
    print(json.dumps([json.loads(Serde.to_json(one)) for one in (*found.inputs, *found.outputs)]))
"""


Datasets = dict[str, dict[str, Any]]


def told(place: Path, report: Any, **more: str) -> tuple[Datasets, Datasets]:
    """The datasets by name, on a server and embedded, in a process of its own: the provider imports Airflow."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(place), json.dumps(report)],
        env=airflow_environment(place.parent / "airflow", **more), cwd=ROOT, check=False, capture_output=True,
        text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    server, embedded = ({one["name"]: one for one in json.loads(line)} for line in done.stdout.splitlines()[-2:])
    return server, embedded


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Datasets, Datasets]:
    place = tmp_path_factory.mktemp("lineage") / "sources"
    Department(place, "labour")
    report = {
        "streams": [{"stream": "PRE_NODE", "read": 12}],
        "findings": [
            {"stream": "PRE_NODE", "rule": "unknown_code", "effect": "refuse", "field": "PHASE_CODE", "findings": 3},
            {"stream": "PRE_NODE", "rule": "volume_below", "effect": "refuse", "field": "pre_node", "findings": 1},
            {"stream": "PRE_NODE", "rule": "set_same_minute", "effect": "flag", "field": "started_at", "findings": 7},
            {"stream": "PRE_NODE", "rule": "set_same_minute", "effect": "flag", "field": "finished_at", "findings": 0},
            {"stream": "PRE_NODE", "rule": "set_stale", "effect": "flag", "field": "started_at", "findings": 0},
            {"stream": "PRE_ACCEPT", "rule": "phone_invalid", "effect": "flag", "field": "TELPHONE", "findings": 2},
        ],
    }
    return told(place, report, HUB_DATABASE_URL="postgresql://hub:s3cret@db.example:6432/shared")


@pytest.fixture(scope="module")
def datasets(both: tuple[Datasets, Datasets]) -> Datasets:
    return both[0]


def test_each_stream_is_an_input_with_the_records_that_were_read(datasets: Datasets) -> None:
    node = datasets["PRE_NODE"]
    assert node["namespace"] == "hub://source/labour"
    assert node["inputFacets"]["inputStatistics"]["rowCount"] == 12
    assert "PHASE_CODE" in {one["name"] for one in node["facets"]["schema"]["fields"]}
    assert datasets["PRE_APASINFO"].get("inputFacets", {}) == {}, "what was not read has no count"


def test_findings_are_told_as_assertions_of_the_streams_that_were_read(datasets: Datasets) -> None:
    said = datasets["PRE_NODE"]["inputFacets"]["dataQualityAssertions"]
    assert "DataQualityAssertionsDatasetFacet" in said["_schemaURL"]
    found = {(one["assertion"], one.get("column")): one for one in said["assertions"]}
    code = found["unknown_code", "PHASE_CODE"]
    assert (code["success"], code["expected"], code["actual"], code["severity"]) == (False, "0", "3", "warn")
    assert found["volume_below", None]["severity"] == "error", "a delivery is no field"
    assert found["phone_invalid", None]["success"], "another stream's fault is not this one's"
    same = found["set_same_minute", None]
    assert (same["success"], same["actual"], same["severity"]) == (False, "7", "warn"), "what a set shows is told, too"
    assert found["set_stale", None]["success"]
    assert len(found) == len([rule for rule in RULES.values() if rule.scope != "set"]) + 2, "what no suite asked is not"
    assert "dataQualityAssertions" not in datasets["PRE_ACCEPT"].get("inputFacets", {}), "nobody looked"


def test_each_table_is_an_output_whose_columns_come_from_fields(datasets: Datasets) -> None:
    table = datasets["shared.core.stage_event"]
    assert table["namespace"] == "postgres://db.example:6432"
    assert {"stage", "handler_hash", "handler_mask", "started_at_precision", "sealed", "case_id"} <= {
        one["name"] for one in table["facets"]["schema"]["fields"]
    }
    stage = table["facets"]["columnLineage"]["fields"]["stage"]["inputFields"]
    assert {(one["namespace"], one["name"], one["field"]) for one in stage} >= {
        ("hub://source/labour", "PRE_NODE", "PHASE_CODE")
    }
    case = table["facets"]["columnLineage"]["fields"]["case_id"]["inputFields"]
    assert {(one["name"], one["field"]) for one in case} == {("PRE_NODE", "PROJID"), ("PRE_TRANSACT", "PROJID")}
    mask = table["facets"]["columnLineage"]["fields"]["handler_mask"]["inputFields"]
    assert {(one["name"], one["field"], one["transformations"][0]["masking"]) for one in mask} == {
        ("PRE_NODE", "NAME", True), ("PRE_TRANSACT", "TRANSACT_USER", True),
    }  # fmt: skip


def test_neither_account_nor_password_of_the_repository_is_told(datasets: Datasets) -> None:
    assert "s3cret" not in json.dumps(datasets)
    assert "hub:" not in json.dumps(datasets).replace("hub://", "")


def test_the_embedded_repository_has_a_name_of_its_own(both: tuple[Datasets, Datasets]) -> None:
    assert both[1]["core.approval_case"]["namespace"] == "hub://repository"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://lineage.example:5000", {"type": "http", "url": "http://lineage.example:5000"}),
        (
            "https://:k%2Fey@lineage.example/in",
            {
                "type": "http", "url": "https://lineage.example/in",
                "auth": {"type": "api_key", "apiKey": "k/ey"},
            },
        ),
        ("file:///srv/lineage.jsonl", {"type": "file", "log_file_path": "/srv/lineage.jsonl", "append": True}),
    ],
)  # fmt: skip
def test_a_place_for_events_is_written_as_the_client_takes_it(url: str, wanted: dict[str, Any]) -> None:
    assert transport(url) == wanted


@pytest.mark.parametrize("url", ["ftp://lineage.example", "lineage.jsonl", "http://", "file:lineage"])
def test_another_place_is_refused_with_those_that_are_known(url: str) -> None:
    with pytest.raises(SettingError, match="AIRFLOW__OPENLINEAGE__TRANSPORT"):
        transport(url)


def test_without_a_place_nobody_is_told(tmp_path: Path) -> None:
    home = Home.of(Settings(home=tmp_path))
    section = configuration(home, database_url="postgresql://x", port=1, lineage_url=None)["openlineage"]
    assert section["transport"] == ""
