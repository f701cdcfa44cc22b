"""The pages on rules, cards and duty: their examples run as they stand."""

from __future__ import annotations

import csv
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from hub.cli import build
from supervision.cards.duty import files
from supervision.rules import service as rules
from supervision.rules.measures import MEASURES
from tests.docs.commands import shell_lines
from tests.supervision.cards.test_api import Program
from tests.supervision.desk import REGISTER, Desk
from tests.supervision.world import ORGAN, World
from tests.web.serving import serving

DOCS = Path(__file__).resolve().parents[3] / "docs" / "supervise"
_BLOCK = re.compile(r"^```(sh|csv)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return [text for said, text in _BLOCK.findall(page(name)) if said == language]


@pytest.fixture
def hub(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = desk.runtime.settings
    assert settings.database_url is not None
    assert settings.keys is not None
    monkeypatch.setenv("HUB_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("HUB_KEYS", settings.keys.get_secret_value())
    monkeypatch.setenv("HUB_HOME", str(settings.home))


def typed(name: str) -> Iterator[list[str]]:
    """The commands that a page's reader types, in order."""
    for line in shell_lines(page(name)):
        if line.startswith("hub "):
            yield shlex.split(line, comments=True)[1:]


def run(words: list[str]) -> str:
    done = CliRunner().invoke(build([words[0]]), words, catch_exceptions=False)
    assert done.exit_code == 0, (words, done.output)
    return done.output


@pytest.mark.usefixtures("hub")
def test_the_commands_of_the_page_on_rules_run_as_they_stand(desk: Desk, world: World) -> None:
    world.item()
    world.case()
    desk.run("2026-03-18 09:00")
    said = [run(words) for words in typed("rules.md")]
    assert len(said) == 7
    with desk.engine.begin() as connection:
        changed = rules.found(connection, "case_ninety_percent")
        assert (changed.version, changed.basis["at_least"]) == (2, 85)
        assert rules.found(connection, "stage_day_left").enabled


@pytest.mark.usefixtures("hub")
def test_the_commands_of_the_page_on_duty_run_as_they_stand(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = blocks("duty.md", "csv")
    assert example == REGISTER, "the example is what the tests import"
    monkeypatch.chdir(tmp_path)
    Path("duty.csv").write_text(example, encoding="utf-8")
    book = openpyxl.Workbook()
    for row in csv.reader(example.splitlines()):
        book.active.append(row)
    book.save("duty.xlsx")
    first, dry, listed, _ = [run(words) for words in typed("duty.md")]
    assert "5 entered" in first
    assert dry.startswith("Would be: 5 rows: 0 entered, 0 changed")
    assert "S005" in listed
    assert "吴国强" not in listed
    assert len(files.read(Path("duty.csv"))) == 5


@pytest.mark.usefixtures("hub")
def test_the_commands_of_the_page_on_cards_run_as_they_stand(
    desk: Desk, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    desk.register(tmp_path)
    world.item(stages={"review": "2 working_day"})
    for case in ("A", "B", "C"):
        world.case(case, stages=[("review", "2026-03-02 11:00", "2026-03-10 11:00")])
    desk.only_rules("case_overdue", "stage_overdue")
    desk.run("2026-03-18 09:00")
    for words in typed("cards.md"):
        if words[0] == "supervise":
            run(words)
    states = {str(one["number"]): one["state"] for one in desk.cards()}
    assert states["Y-2026-000001"] == "withdrawn"
    assert (states["R-2026-000001"], states["R-2026-000002"]) == ("upheld", "withdrawn")
    dossier = Path("card.html").read_text(encoding="utf-8")
    assert "已验证" in dossier
    assert "http" not in re.sub(r"GET /v1/keys", "", dossier)


def test_the_calls_of_the_page_on_cards_run_as_they_stand(desk: Desk, world: World) -> None:
    world.item()
    world.case()
    desk.only_rules("case_overdue")
    desk.run("2026-03-18 09:00")
    (calls,) = blocks("cards.md", "sh")
    with serving(lambda: desk.runtime) as url:
        program = Program(desk, url, "market-cards", ORGAN)
        env = {"HUB": url, "TOKEN": program.token, "CARD": desk.only(), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(["bash", "-ec", calls], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert desk.card()["state"] == "answered"


def test_every_measure_and_every_default_stands_on_the_page_of_rules() -> None:
    said = page("rules.md")
    assert [name for name in MEASURES if f"`{name}`" not in said] == []
    assert [code for code in rules.defaults() if f"| `{code}` |" not in said] == []
