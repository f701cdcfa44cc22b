"""docs/integrate/envelope.md, followed to the letter: a department seals with its own means and with ours."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from connectors.envelopes import RECEIPT, read_envelope
from connectors.judging import SCHEMA
from connectors.loading import load_sources
from hub.cli import build
from hub.documents import SCHEMAS
from hub.findings import RULES
from tests.connectors import test_docs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrate" / "envelope.md"
TEXT = PAGE.read_text(encoding="utf-8")


def block(pattern: str) -> str:
    found = re.search(rf"```{pattern}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None, pattern
    return found.group(1)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the source of add-a-source.md, with the page's envelope block, and the file to be sealed."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine: the page's commands cannot be followed")
    folder, drop = tmp_path / "sources" / "county-housing", tmp_path / "drop"
    (folder / "codes").mkdir(parents=True)
    drop.mkdir()
    for name in ("register.schema.json", "mapping.yml", "codes/kind.csv"):
        (folder / name).write_text(test_docs.written(name), encoding="utf-8")
    (drop / "register_17.csv").write_text(test_docs.written("register_20260105.csv"), encoding="gb18030")
    monkeypatch.chdir(drop)
    monkeypatch.setenv("HUB_SOURCES", str(tmp_path / "sources"))
    for line in block("sh").splitlines():
        public = subprocess.run(line, shell=True, check=True, capture_output=True, text=True).stdout.strip()
    body = yaml.safe_load(test_docs.written("source.yml")) | yaml.safe_load(block("yaml"))
    body["envelope"]["keys"][0]["public"] = public
    (folder / "source.yml").write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    load_sources([tmp_path / "sources"])
    return drop


def hub(*words: str) -> tuple[int, Any]:
    done = CliRunner().invoke(build(["envelope"]), ["envelope", *words, "--json"])
    return done.exit_code, json.loads(done.stdout) if done.stdout.startswith("{") else done.output


def test_a_department_seals_and_signs_with_its_own_means(place: Path) -> None:
    for name in ("seal.py", "sign.py"):
        (place / name).write_text(block(f"python {name}"), encoding="utf-8")
    subprocess.run([sys.executable, "seal.py", "register_17.csv", "17", "3"], check=True)
    code, told = hub("verify", "register_17.csv")
    assert (code, [one["rule"] for one in told["faults"]]) == (1, ["envelope_signature"])
    subprocess.run([sys.executable, "sign.py", "register_17.csv.envelope.json", "key.pem", "2026-a"], check=True)
    assert hub("verify", "register_17.csv") == (0, {"file": "register_17.csv", "ok": True, "faults": []})
    assert sorted(path.name for path in place.iterdir()) == [
        "key.pem", "register_17.csv", "register_17.csv.envelope.json", "seal.py", "sign.py",
    ]  # fmt: skip


def test_a_department_seals_with_the_hubs_command(place: Path) -> None:
    lines = [line for line in re.findall(r"^hub envelope (.*)$", TEXT, re.MULTILINE) if "register_17" in line]
    assert [line.split()[0] for line in lines] == ["seal", "verify", "show"]
    for line in lines:
        code, told = hub(*line.split())
        assert code == 0, told
    assert (told["records"], told["number"], told["signature"]["key"]) == (3, 17, "2026-a")
    assert [one["records"] for one in told["organs"]] == [3]


def test_counts_may_be_said_where_the_source_is_not_known(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SOURCES", str(place))
    asked = ("seal", "register_17.csv", "--source", "elsewhere", "--stream", "s", "--number", "1")
    code, told = hub(*asked)
    assert code == 2
    assert "--records" in told
    assert hub(*asked, "--records", "3", "--organ", "A=2", "--organ", "B=1")[0] == 0
    said = read_envelope((place / "register_17.csv.envelope.json").read_bytes())
    assert said.organs == {"A": 2, "B": 1}
    assert hub(*asked, "--records", "4", "--organ", "A=2")[0] != 0
    assert read_envelope((place / "register_17.csv.envelope.json").read_bytes()).records == 3


def test_a_key_that_is_open_to_others_signs_nothing(place: Path) -> None:
    (place / "key.pem").chmod(0o644)
    done = hub("seal", "register_17.csv", "--source", "county-housing", "--stream", "register", "--number", "1",
               "--key", "key.pem", "--key-name", "2026-a")  # fmt: skip
    assert done[0] != 0
    assert not (place / "register_17.csv.envelope.json").exists()


def test_every_field_rule_and_option_is_explained() -> None:
    schemas = [
        json.loads((SCHEMAS / f"exchange/{name}/v1/schema.json").read_text()) for name in ("envelope", "receipt")
    ]
    assert [name for name in schemas[0]["properties"] if f"`{name}`" not in TEXT] == []
    assert [name for name in schemas[0]["properties"].values() if name["label_zh"] not in TEXT] == []
    outcomes = schemas[1]["properties"]["outcome"]["enum"]
    assert [name for name in outcomes if f"`{name}`" not in TEXT] == []
    assert [code for code in RULES if code.startswith("envelope_") and f"`{code}`" not in TEXT] == []
    options = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]["envelope"]["properties"]
    declared = block("yaml")
    assert [name for name in options if f"{name}:" not in declared] == []
    assert RECEIPT in TEXT


def test_the_page_shows_documents_of_the_declared_shape() -> None:
    shown = [json.loads(one.replace("…", "")) for one in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]
    for said, name in zip(shown, ("envelope", "receipt"), strict=True):
        schema = json.loads((SCHEMAS / f"exchange/{name}/v1/schema.json").read_text(encoding="utf-8"))
        assert set(said) <= set(schema["properties"])
        assert set(schema["required"]) <= set(said)
