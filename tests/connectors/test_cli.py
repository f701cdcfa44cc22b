"""`hub source list` and `hub source check`: readable tables, JSON for programs, honest exit statuses."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.cli import UnknownSource, source
from tests.connectors.test_sources import GOOD, folder


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "sources"
    folder(place, "hr", GOOD.format(code="hr").replace("CHANGED, lookback: PT10M", "CHANGED"))
    monkeypatch.setenv("HUB_SOURCES", str(place))
    monkeypatch.setenv("HUB_CONN_HR", f"sqlite:///{tmp_path}/hr.db")
    database = sqlite3.connect(tmp_path / "hr.db")
    database.execute("CREATE TABLE CASE_ (x)")
    database.close()
    return place


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(source, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_list_shows_every_source(sources: Path) -> None:
    code, text = run("list")
    assert code == 0
    assert "hr" in text
    code, text = run("list", "--json")
    (one,) = json.loads(text)
    assert (one["code"], one["kind"], one["streams"]) == ("hr", "database", ["CASE"])


def test_check_tells_what_is_wrong_and_exits_with_one(sources: Path, tmp_path: Path) -> None:
    code, text = run("check", "hr", "--json")
    report = json.loads(text)
    assert code == 1
    assert [(item["stream"], item["ok"]) for item in report["items"]] == [(None, True), ("CASE", False)]
    assert "no table or view 'CASE' (known: CASE_)" in report["items"][1]["hint"]
    code, text = run("check", "hr")
    assert code == 1
    assert "✗" in text


def test_check_succeeds_and_discovers(sources: Path, tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "hr.db")
    database.execute('CREATE TABLE "CASE" (ID text, CHANGED timestamp, primary key (ID))')
    database.close()
    code, text = run("check", "hr", "--discover")
    assert code == 0
    assert "✓" in text
    code, text = run("check", "hr", "--discover", "--json")
    assert code == 0
    assert {one["name"] for one in json.loads(text)["found"]} == {"CASE", "CASE_"}


def test_an_unknown_code_names_the_known_ones(sources: Path) -> None:
    with pytest.raises(UnknownSource, match=r"no source 'hrr' \(known: hr\)"):
        run("check", "hrr")
