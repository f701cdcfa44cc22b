"""The commands of docs/supervise/exports.md, as they stand there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import build
from hub.settings import Settings
from tests.supervision.world import World

PAGE = Path(__file__).resolve().parents[3] / "docs" / "supervise" / "exports.md"
COMMANDS = [
    shlex.split(one)[1:] for one in re.findall(r"^\$ (hub .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
]


def test_every_command_of_the_page_runs_as_it_stands(
    province: World, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.database_url is not None
    assert settings.keys is not None
    monkeypatch.setenv("HUB_HOME", str(settings.home))
    monkeypatch.setenv("HUB_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("HUB_KEYS", settings.keys.get_secret_value())
    monkeypatch.chdir(tmp_path)
    said = {}
    for words in COMMANDS:
        done = CliRunner().invoke(build(), words)
        assert done.exit_code == 0, (words, done.output, done.exception)
        said[" ".join(words)] = done.output
    assert len(said) == 14
    written = {"march.xes.gz", "item.xes", "march.json", "department.sqlite", "map.svg", "load.xlsx", "trends.pdf"}
    assert written <= {one.name for one in tmp_path.iterdir()}
    told = [json.loads(output) for command, output in said.items() if "--json" in command]
    assert [min(one) for one in told] == ["file", "by", "load", "months"]
    assert "王小明" not in "".join(said.values())
    listed = (tmp_path / "trends.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [one[:7] for one in listed[1:4]] == ["2026-01", "2026-02", "2026-03"]
    assert "÷" in listed[-1]
    assert (tmp_path / "trends.pdf").read_bytes().startswith(b"%PDF-")
    wrong = CliRunner().invoke(build(), ["supervise", "trends", "--write", "trends.docx"])
    assert "no form of lists" in str(wrong.exception)
