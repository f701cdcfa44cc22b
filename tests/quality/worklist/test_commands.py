"""The work list at the command line, `hub trace` of what was mended, and what an erasure leaves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.errors import HubError
from pipeline.afterwards.erasure import erase
from pipeline.afterwards.trace import Look
from pipeline.afterwards.trace import trace as walk
from pipeline.cli import trace
from pipeline.runtime import Runtime
from quality.worklist import cli, service
from tests.departments import Department
from tests.quality.worklist.conftest import ANNA, BERND, WorkHub

SET = ["--set", "PHASE_CODE=ACCEPT", "--reason", "by telephone"]


@pytest.fixture
def ask(hub: WorkHub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command of `hub quarantine --json` as a user of the system."""
    monkeypatch.setattr(Runtime, "open", classmethod(lambda *_: hub.runtime))

    def run(user: str, *words: str) -> Any:
        monkeypatch.setattr(cli.getpass, "getuser", lambda: user)
        done = CliRunner().invoke(cli.quarantine, [*words, "--json"])
        if done.exception is not None and isinstance(done.exception, HubError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return run


def test_one_proposes_and_another_approves(ask: Any, refused: WorkHub) -> None:
    (entry,) = ask("anna", "list")["entries"]
    assert (entry["key"], entry["rules"], entry["proposals"]) == ("n1", ["unknown_code"], 0)
    number = ask("anna", "propose", str(entry["id"]), *SET)["proposal"]
    (waiting,) = ask("bernd", "proposals", "labour")["proposals"]
    assert (waiting["id"], waiting["entry"], waiting["proposed_by"]) == (number, entry["id"], "cli:anna")
    with pytest.raises(service.NotDone, match="four eyes"):
        ask("anna", "approve", str(number))
    assert ask("bernd", "approve", str(number)) == {"new": 1}
    assert ask("bernd", "list")["entries"] == []
    (flagged,) = ask("bernd", "list", "--flagged", "--rule", "value_mended")["entries"]
    shown = ask("bernd", "show", str(flagged["id"]), "--flagged", "--reveal", "--reason", "a complaint")
    (field,) = [one for one in shown["fields"] if one["mended"]]
    assert (field["pointer"], field["raw"], field["was"]) == ("/PHASE_CODE", "ACCEPT", "SIGNED")
    assert [one["what"] for one in shown["history"]] == ["propose", "approve", "correction", "reveal"]


def test_changes_may_come_from_a_file(ask: Any, refused: WorkHub, tmp_path: Path) -> None:
    file = tmp_path / "changes.json"
    file.write_text('{"PHASE_CODE": "ACCEPT"}', encoding="utf-8")
    number = ask("anna", "propose", str(refused.number("n1")), "--changes", str(file), "--reason", "r")["proposal"]
    assert ask("bernd", "reject", str(number), "--reason", "no") == {"proposal": number, "status": "rejected"}
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(service.NotDone, match="no JSON object"):
        ask("anna", "propose", str(refused.number("n1")), "--changes", str(file), "--reason", "r")


def test_a_record_is_waived_and_others_replayed(ask: Any, refused: WorkHub, department: Department) -> None:
    assert ask("anna", "replay", "labour", "--rule", "unknown_code") == {"source": "labour", "quarantined": 1}
    assert ask("anna", "waive", str(refused.number("n1")), "--reason", "a test record") == {"excluded": 1}
    assert ask("anna", "list")["entries"] == []


def test_a_trace_says_that_the_value_was_mended(refused: WorkHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = refused
    proposal = service.propose(hub.runtime, hub.number("n1"), {"PHASE_CODE": "ACCEPT"}, actor=ANNA, reason="a letter")
    service.approve(hub.runtime, proposal, actor=BERND)
    monkeypatch.setattr(Runtime, "open", classmethod(lambda *_: hub.runtime))

    def told(*, reveal: bool) -> dict[str, Any]:
        (row,) = walk(hub.runtime, "stage_event", "n1", reveal=Look(ANNA, "a complaint") if reveal else None)
        (mended,) = row.mended
        return mended

    assert {name: told(reveal=False)[name] for name in ("field", "was", "reason", "proposed_by", "approved_by")} == {
        "field": "/PHASE_CODE", "was": "(protected)", "reason": "a letter", "proposed_by": ANNA, "approved_by": BERND,
    }  # fmt: skip
    assert told(reveal=True)["was"] == "SIGNED"
    trace("stage_event", "n1")  # prints


def test_an_erasure_takes_what_a_proposal_says(refused: WorkHub) -> None:
    proposal = service.propose(refused.runtime, refused.number("n1"), {"NAME": "郑立新", "PHASE_CODE": "ACCEPT"},
                               actor=ANNA, reason="r")  # fmt: skip
    erase(refused.runtime, "labour", f"{datetime.now(UTC):%Y-%m}", "a court's order")
    assert refused.rows("SELECT status, sealed IS NULL FROM quality.correction") == [("lapsed", True)]
    with pytest.raises(service.NotDone, match="lapsed already"):
        service.approve(refused.runtime, proposal, actor=BERND)
