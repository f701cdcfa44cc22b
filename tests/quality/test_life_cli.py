"""The steward's commands on a repository: what they print as JSON, as tables, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import build
from quality.issues import service
from quality.issues.service import DeedDoesNotFit
from tests.departments import ORGAN, Department
from tests.journeys.conftest import Hub

Run = Callable[..., Any]


@pytest.fixture
def run(hub: Hub, department: Department, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `hub quality …` on the repository of a department with an invalid phone number; `--json` is read back."""
    department.case("C1", TELPHONE="12")
    hub.pull()
    settings = hub.runtime.settings
    assert settings.database_url is not None
    assert settings.keys is not None
    monkeypatch.setenv("HUB_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("HUB_KEYS", settings.keys.get_secret_value())
    monkeypatch.setenv("HUB_HOME", str(settings.home))
    monkeypatch.setenv("HUB_SOURCES", str(settings.sources[0]))
    tree = build(["quality"])

    def call(*words: str) -> Any:
        done = CliRunner().invoke(tree, ["quality", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout) if "--json" in words else done.stdout

    return call


def test_a_whole_run_and_the_life_of_an_issue_by_hand(run: Run, hub: Hub, tmp_path: Path) -> None:
    done = run("run", "--no-sets", "--json")
    assert done["issues"]["opened"] > 0
    assert done["scores"]["scores"] > 0
    assert done["alerts"]["waiting"] > 0
    [issue] = [one for one in run("issues", "list", "--json")["issues"] if one["rule"] == "phone_invalid"]
    assert (issue["organ"], issue["title_zh"], issue["page"]) == (
        ORGAN, "联系电话不规范", "steward/rules/phone_invalid.md",
    )  # fmt: skip
    code = issue["code"]
    for words, status in (
        (("acknowledge",), "acknowledged"),
        (("assign", "--to", "account:li"), "acknowledged"),
        (("wait",), "waiting"),
        (("snooze", "--until", "2099-01-01"), None),
        (("accept", "--reason", "numbers are lost"), "accepted"),
        (("note", "--reason", "asked by telephone"), "accepted"),
    ):
        if status is None:
            with pytest.raises(DeedDoesNotFit, match="accept it"):
                run("issues", words[0], code, *words[1:], "--reason", "x", "--json")
        else:
            assert run("issues", words[0], code, *words[1:], "--json")["issue"]["status"] == status
    shown = run("issues", "show", code, "--json")
    assert [one["what"] for one in shown["events"]] == [
        "opened",
        "acknowledged",
        "assigned",
        "sent",
        "accepted",
        "noted",
    ]
    assert all(one["actor"].startswith("cli:") for one in shown["events"][1:])
    assert shown["samples"][0]["key"] == "C1"
    assert code in run("issues", "show", code)
    assert code in run("issues", "list", "--status", "accepted")
    assert run("issues", "bulletin", "--month", "2026-11", "--json") == {"bulletin": []}
    assert service.found(hub.runtime.engine, code).status == "accepted"


def test_scores_bounds_and_contracts_are_printed_and_written(run: Run, tmp_path: Path) -> None:
    run("run", "--no-sets", "--no-alerts")
    (score,) = run("scores", "--json")["scores"]
    assert (score["organ"], score["records"]) == (ORGAN, 7)
    assert "PRE_APASINFO" in run("scores", "--organ", ORGAN)
    assert {one["stream"] for one in run("suggest-bounds", "labour", "--fill", "--json")["suggestions"]} >= {"PRE_NODE"}
    (bound,) = run("bound", "set", "labour", "PRE_NODE", "--min", "2", "--reason", "a small office", "--json")["bounds"]
    assert (bound["least"], bound["most"], bound["latest"]) == (2, None, True)
    assert "a small office" in run("bound", "history", "labour")
    assert len(run("contract", "labour", "--into", str(tmp_path / "out"), "--json")["files"]) == 4
    assert run("contract", "labour").count("kind: DataContract") == 4
