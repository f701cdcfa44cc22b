"""`hub connector …`: JSON for programs, tables for people, and exit statuses that say how it went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from hub.cli import build
from hub.errors import ConfigError
from hub.settings import Settings
from kit.suite import CHECKS, NAMES
from tests.departments import Department


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(["connector", "pull"]), ["connector", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUB_SOURCES", str(tmp_path))
    return tmp_path


def test_a_new_source_is_made_proven_and_described(place: Path) -> None:
    code, text = run("new", "county-water", "--kind", "files", "--json")
    made = json.loads(text)
    assert (code, made["source"]) == (0, "county-water")
    assert {Path(made["folder"], "..", name).resolve().is_file() for name in made["files"]} == {True}
    code, text = run("test", "county-water", "--json")
    report = json.loads(text)
    assert (code, report["ok"], report["counts"]["failed"]) == (0, True, 0)
    assert [one["check"] for one in report["checks"]] == list(NAMES)
    code, text = run("test", "county-water")
    assert code == 0
    assert "cut-file" in text
    assert run("describe", "county-water")[1].startswith("# 〔county-water")
    assert run("describe", "county-water", "--format", "html")[1].startswith("<!DOCTYPE html>")
    assert json.loads(run("describe", "county-water", "--json")[1])["code"] == "county-water"


def test_a_failed_check_exits_with_one(place: Path) -> None:
    run("new", "county-water", "--kind", "files")
    (place / "county-water" / "key.pem").write_text("-----BEGIN PRIVATE KEY-----", encoding="utf-8")
    code, text = run("test", "county-water", "--check", "no-secret-in-files", "--json")
    assert code == 1
    assert [(one["check"], one["status"]) for one in json.loads(text)["checks"]] == [("no-secret-in-files", "failed")]


def test_what_there_is_is_named(place: Path) -> None:
    run("new", "county-water", "--kind", "files")
    assert run("test", "county-water", "--check", "no-secrets")[0] == 2
    assert run("describe", "county-water", "--format", "pdf")[0] == 2
    with pytest.raises(ConfigError, match="no kind 'odata'"):
        run("new", "other", "--kind", "odata")


def test_another_folder_takes_the_new_source(place: Path, tmp_path: Path) -> None:
    code, _ = run("new", "county-water", "--kind", "rest", "--folder", str(tmp_path / "elsewhere"))
    assert code == 0
    assert (tmp_path / "elsewhere" / "county-water" / "source.yml").is_file()


def test_the_demonstration_is_no_place_for_new_sources() -> None:
    assert run("new", "county-water", "--kind", "rest")[0] == 2


@pytest.mark.parametrize("page", ["connector-commands.md", "standard-suite.md"])
def test_the_pages_tell_every_verb_and_every_check(page: str) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "integrate" / page).read_text(encoding="utf-8")
    words = [f"| `{one.name}` | {one.proves}" for one in CHECKS] if page == "standard-suite.md" else [
        f"## `hub connector {verb}`" for verb in (
            "new", "check", "discover", "preview", "run", "health", "coverage", "test", "describe",
        )
    ]  # fmt: skip
    assert [one for one in words if one not in text] == []
    assert [line for line in text.splitlines() if len(line) > 150 and not line.startswith("|")] == []


def test_every_verb_speaks_json_too() -> None:
    whole: Any = typer.main.get_command(build(["connector"]))
    connector = whole.commands["connector"]
    assert set(connector.commands) >= {"new", "check", "discover", "preview", "run", "test", "describe", "health"}
    assert [name for name, one in connector.commands.items() if not any("--json" in of.opts for of in one.params)] == []


def test_run_pulls(database: str, key_ring: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labour = Department(tmp_path / "sources")
    labour.case("2026-001")
    for name, value in {
        "HUB_SOURCES": str(tmp_path / "sources"), "HUB_CONN_LABOUR": labour.url, "HUB_HOME": str(tmp_path / "home"),
        "HUB_DATABASE_URL": database, "HUB_KEYS": key_ring,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    code, text = run("run", "labour", "--json")
    report = json.loads(text)
    assert (code, report["balanced"]) == (0, True)
    assert sum(one["read"] for one in report["streams"]) == 7


def test_health_is_told_for_every_stream(place: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    Department(place, "labour").case("C1")
    assert settings.database_url is not None
    monkeypatch.setenv("HUB_HOME", str(settings.home))
    monkeypatch.setenv("HUB_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("HUB_KEYS", settings.keys.get_secret_value() if settings.keys else "")
    monkeypatch.setenv("HUB_CONN_LABOUR", f"sqlite:///{place}/labour/system.sqlite")
    before = json.loads(run("health", "labour", "--json")[1])["feeds"]
    assert [(one["stream"], one["signs"]) for one in before][:1] == [("PRE_APASINFO", ["never"])]
    assert run("run", "labour")[0] == 0
    after = json.loads(run("health", "--json")[1])["feeds"]
    assert {(one["stream"], one["volume"]) for one in after} >= {("PRE_NODE", 4), ("PRE_APASINFO", 1)}
    assert "PRE_NODE" in run("health")[1]


def test_coverage_is_asked_by_days_and_regions(place: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    code, text = run("coverage", "--since", "2026-01-01", "--until", "2026-04-01", "--region", "330100", "--json")
    found = json.loads(text)
    assert (code, found["day"], found["until"]) == (0, "2026-03-31", "2026-04-01 00:00:00+08:00")
    assert [found[name]["share"] for name in ("organs", "items", "processes")] == [None] * 3
    assert "nothing to cover" in run("coverage")[1]
    assert run("coverage", "--since", "2026-04-01", "--until", "2026-04-01")[0] == 2
    assert run("coverage", "--region", "33%")[0] == 2
