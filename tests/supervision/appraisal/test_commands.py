"""The commands of docs/supervise/appraisal.md, typed in their order against a repository."""

from __future__ import annotations

import json
import os
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from hub.cli import build
from hub.errors import HubError
from hub.settings import Settings
from supervision.appraisal import moments
from tests.docs.commands import shell_lines
from tests.supervision.appraisal.filling import ORGAN
from tests.supervision.appraisal.test_freezing import RATINGS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "supervise" / "appraisal.md"
MONTH = "2026-10"


class Typed:
    """A terminal in a folder, whose clock a test sets."""

    def __init__(self, settings: Settings, patch: pytest.MonkeyPatch) -> None:
        self.patch, self.now = patch, datetime(2026, 11, 3, 1, 0, tzinfo=UTC)
        assert settings.database_url is not None
        assert settings.keys is not None
        patch.setenv("HUB_DATABASE_URL", settings.database_url.get_secret_value())
        patch.setenv("HUB_KEYS", settings.keys.get_secret_value())
        patch.setenv("HUB_HOME", str(settings.home))
        patch.setattr(moments, "now", lambda: self.now)

    def __call__(self, line: str) -> str:
        """Type a command; return what it printed."""
        done = CliRunner().invoke(build(["supervise"]), shlex.split(line, comments=True)[1:], catch_exceptions=False)
        assert done.exit_code == 0, (line, done.output)
        return done.stdout

    def json(self, line: str) -> Any:
        """Type a command; return what it says to programs."""
        return json.loads(self(f"{line} --json"))


@pytest.fixture
def typed(engine: sa.Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Typed:
    assert engine is not None
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "ratings.csv").write_text(RATINGS, encoding="utf-8")
    monkeypatch.chdir(folder)
    return Typed(settings, monkeypatch)


def test_every_command_of_the_page_does_what_it_says_in_the_order_of_the_page(typed: Typed, tmp_path: Path) -> None:
    lines = [line for line in shell_lines(PAGE.read_text(encoding="utf-8")) if line.startswith("hub ")]
    assert len(lines) > 20
    for line in lines:
        if "edition publish" in line:
            typed.now = datetime(2026, 11, 11, 1, 0, tzinfo=UTC)
        if "--publish" in line:
            typed.now = datetime(2027, 1, 1, 1, 0, tzinfo=UTC)
        typed(line)
    folder = tmp_path / "desk"
    published = typed.json(f"hub supervise edition list {MONTH}")
    assert [(one["edition"], one["state"]) for one in published["editions"]] == [(1, "published")]
    assert (folder / "ranking.json").stat().st_size > 1_000
    assert sorted(one.name for one in (folder / "year").iterdir()) == [
        "ranking-2026-H2.csv", "ranking-2026-H2.json", "ranking-2026-H2.xlsx",
    ]  # fmt: skip
    assert (folder / "year" / "ranking-2026-H2.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_every_command_answers_programs(typed: Typed) -> None:
    assert typed.json("hub supervise rating import ratings.csv")["new"] == 6
    entry = typed.json(f"hub supervise entry add {MONTH} --unit {ORGAN} --head bonus --value 1 --reason x")["entry"]
    assert typed.json(f"hub supervise entry withdraw {entry} --reason y")["entry"] == entry
    assert typed.json(f"hub supervise freeze {MONTH} --formula three-heads/v1")["formula"] == "three-heads/v1"
    ranked = typed.json(f"hub supervise rank {MONTH} --level department")
    assert list(ranked["levels"]) == ["department"]
    assert {one["definition"] for one in typed.json(f"hub supervise rates {MONTH} {ORGAN}")["rates"]} == {"A", "B"}
    rows = typed.json(f"hub supervise evidence {MONTH} {ORGAN} closed_late")["rows"]
    assert {row["case_number"] for row in rows} == {"C-1008", "C-1017", "C-1026", "C-1035"}
    assert typed.json(f"hub supervise edition draft {MONTH}")["state"] == "draft"
    assert typed.json(f"hub supervise edition withdraw {MONTH} --reason z")["state"] == "withdrawn"
    assert len(typed.json(f"hub supervise sample {MONTH} --seed s --size 3")["cases"]) == 3
    assert typed.json(f"hub supervise staff {MONTH} --organ {ORGAN}")["organ"] == ORGAN
    assert typed.json("hub supervise formula show three-heads/v1")["heads"][0]["code"] == "approval_work"


def test_an_edition_is_proven_by_its_seal_and_a_copied_seal_of_another_ranking_is_not(
    typed: Typed, tmp_path: Path
) -> None:
    folder = tmp_path / "desk"
    for line in (f"freeze {MONTH} --by a", f"edition draft {MONTH} --by a", f"edition hear {MONTH} --until 2026-11-10"):
        typed(f"hub supervise {line}")
    typed.now = datetime(2026, 11, 11, 1, 0, tzinfo=UTC)
    typed(f"hub supervise edition publish {MONTH} --by b")
    typed(f"hub supervise inputs {MONTH} --to out")
    engine = sa.create_engine(_url(typed))
    with engine.connect() as connection:
        token = connection.scalar(sa.text("SELECT signature FROM supervision.edition WHERE number = 1"))
        keys = [row.jwk for row in connection.execute(sa.text("SELECT jwk FROM audit.signing_key"))]
    engine.dispose()
    (folder / "edition.json").write_text(json.dumps({"signature": token}), encoding="utf-8")
    (folder / "keys.json").write_text(json.dumps({"keys": keys}), encoding="utf-8")
    prove = f"hub supervise recompute {MONTH} --from out --edition edition.json --keys keys.json"
    assert typed.json(prove)["proven"][1:] == [
        "the edition is under the hub's seal", "the ranking is the published one to the last digit",
    ]  # fmt: skip
    typed(f"hub supervise freeze {MONTH} --reason again")
    typed(f"hub supervise inputs {MONTH} --to other")
    with pytest.raises(HubError, match="another inputs_sha256"):
        typed(prove.replace("--from out", "--from other"))
    header, payload, seal = str(token).split(".")
    (folder / "edition.json").write_text(
        json.dumps({"signature": ".".join((header, payload[:-4] + "AAAA", seal))}), encoding="utf-8"
    )
    with pytest.raises(HubError, match=re.escape("edition.json: the signature")):
        typed(prove)


def _url(typed: Typed) -> str:

    assert typed.now
    return os.environ["HUB_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1)
