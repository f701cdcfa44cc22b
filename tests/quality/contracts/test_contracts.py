"""Contracts for other tools say what folder, mapping and bounds say; the standard's own tool accepts them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.loading import load_sources
from hub.documents import Documents
from quality.bounds.service import put
from quality.contracts.service import as_yaml, contracts, contracts_of, write
from tests.departments import Department
from tests.journeys.conftest import Hub

ROOT = Path(__file__).resolve().parents[3]
DEMONSTRATION = ROOT / "demo" / "sources"

LINT = """
import json, sys
from pathlib import Path
from datacontract.data_contract import DataContract
found = {}
for file in sorted(Path(sys.argv[1]).glob("*.yaml")):
    run = DataContract(data_contract_file=str(file)).lint()
    if not run.has_passed():
        found[file.name] = [one.reason for one in run.checks]
print(json.dumps(found))
"""


@pytest.fixture
def node(hub: Hub, department: Department) -> dict[str, Any]:
    department.declare(
        schedule="0 2 * * *",
        each={"expect": {"rows": {"min": 3}}, "budget": {"records": 2}},
    )
    put(hub.runtime.engine, hub.source(), "PRE_NODE", least=5, most=90, reason="x", actor="cli:li")
    return contracts(hub.runtime, hub.source())["PRE_NODE"]


def test_a_contract_says_what_its_stream_promises(node: dict[str, Any]) -> None:
    assert (node["apiVersion"], node["kind"], node["status"]) == ("v3.1.0", "DataContract", "active")
    assert node["id"] == "hub://source/labour/PRE_NODE"
    (table,) = node["schema"]
    fields = {one["name"]: one for one in table["properties"]}
    assert fields["UNID"]["primaryKey"]
    assert fields["UNID"]["logicalTypeOptions"] == {"maxLength": 64}
    assert fields["NAME"]["classification"] == "personal"
    assert fields["NAME"]["description"] == "办理人"
    assert fields["PHASE_CODE"]["classification"] == "internal"
    assert node["slaProperties"][0]["value"] == "0 2 * * *"
    assert {one["property"]: one["value"] for one in node["customProperties"]}["errorBudget"]["records"] == 2


def test_the_bounds_are_those_that_hold_now(node: dict[str, Any]) -> None:
    rows = {one["name"]: one for one in node["schema"][0]["quality"]}
    assert rows["rows_at_least"]["mustBeGreaterOrEqualTo"] == 5
    assert (rows["rows_at_most"]["mustBeLessOrEqualTo"], rows["rows_at_most"]["severity"]) == (90, "warning")
    assert rows["key_unique"]["arguments"] == {"properties": ["UNID"]}


def test_files_are_written_one_a_stream_and_read_back(hub: Hub, department: Department, tmp_path: Path) -> None:
    found = contracts_of(hub.source(), Documents.load())
    files = write(found, hub.source(), tmp_path / "out")
    assert sorted(file.name for file in files) == sorted(f"labour.{name}.odcs.yaml" for name in found)
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".yaml"}
    assert [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files] == list(found.values())
    assert "办理人" in as_yaml(found["PRE_NODE"])


def of_each_folder() -> list[Any]:
    """One source of each folder of the demonstration: its instances differ in owner and connection only."""
    return list({source.folder: source for source in load_sources([DEMONSTRATION])}.values())


def test_every_kind_of_source_has_contracts() -> None:
    for source in of_each_folder():
        found = contracts_of(source, Documents.load())
        assert set(found) == set(source.streams)
        assert all(one["schema"][0]["properties"] for one in found.values())


@pytest.mark.long
def test_the_standards_own_tool_accepts_every_contract_of_the_demonstration(tmp_path: Path) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    assert uv is not None, "uv comes with the environment (`make env`)"
    place = tmp_path / "datacontract"
    python = place / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, place], check=True, timeout=120)
    made = subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "datacontract-cli>=1.2.8,<2"],
                          check=False, capture_output=True, text=True, timeout=400)  # fmt: skip
    if made.returncode:
        pytest.skip(f"datacontract-cli cannot be installed here: {made.stderr.strip().splitlines()[-1:]}")
    for source in of_each_folder():
        write(contracts_of(source, Documents.load()), source, tmp_path / "contracts")
    done = subprocess.run([python, "-c", LINT, tmp_path / "contracts"], check=True, capture_output=True, text=True,
                          timeout=500)  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == {}
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "x.yaml").write_text("apiVersion: v3.1.0\nkind: DataContract\n", encoding="utf-8")
    wrong = subprocess.run([python, "-c", LINT, broken], check=True, capture_output=True, text=True, timeout=120)
    assert "x.yaml" in json.loads(wrong.stdout.splitlines()[-1]), "what is no contract is refused"
