"""What pages for integration engineers tell to write and to type is written and typed, to the letter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml

from connectors.loading import load_sources
from connectors.source import Kind
from hub.settings import Settings
from kit.suite import run

INTEGRATE = Path(__file__).resolve().parents[2] / "docs" / "integrate"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: str) -> list[tuple[str, str, str]]:
    """The fenced parts of a page in order: language, the file's name if it is one, text."""
    return _BLOCK.findall((INTEGRATE / page).read_text(encoding="utf-8"))


EXAMPLES = {name: text for language, name, text in blocks("one-of-each-kind.md") if language == "yaml"}


def test_every_kind_has_its_example() -> None:
    kinds = {yaml.safe_load(text)["kind"] for text in EXAMPLES.values()}
    page = (INTEGRATE / "one-of-each-kind.md").read_text(encoding="utf-8")
    scaffolded = set(re.findall(r"^hub connector new \S+ --kind (\w+)$", page, re.MULTILINE))
    assert kinds | scaffolded == set(get_args(Kind))
    assert [kind for kind in get_args(Kind) if not re.search(rf"^## .+: `{kind}`$", page, re.MULTILINE)] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_a_kind_is_loaded_and_proven(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.parent.mkdir()
    file.write_text(EXAMPLES[name], encoding="utf-8")
    [source] = load_sources([tmp_path])
    done = run(source.code, Settings.load(sources=(tmp_path,)))
    assert [f"{one.check}: {one.message}" for one in done if one.status == "failed"] == []
    assert {one.status for one in done if one.check in {"spec-valid", "every-field-accounted"}} == {"passed"}
    assert len(EXAMPLES[name].splitlines()) <= 25, "a known format needs few lines"


def test_an_example_says_where_its_connection_stands() -> None:
    for text in EXAMPLES.values():
        said = yaml.safe_load(text)
        known = "hub client new" if said["kind"] == "push" else f"HUB_CONN_{said['connection'].upper()}="
        assert known in text


def script(page: str) -> str:
    """Make a shell script of a page: files are written where they are named, commands are typed as they stand."""
    lines = ["set -e"]
    for number, (language, name, text) in enumerate(blocks(page)):
        if name:
            place = name if name.startswith("register_") else f"my-sources/county-housing/{name}"
            lines.append(f"cat > {place} <<'END_{number}'\n{text}END_{number}")
        elif language == "sh":
            lines.append(text)
    return "\n".join(lines)


@pytest.mark.timeout(300)
def test_add_a_source_can_be_typed_from_its_first_line_to_its_last(
    tmp_path: Path, database: str, key_ring: str
) -> None:
    programs = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["bash", "-c", script("add-a-source.md")],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=280,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path), "LANG": "C.UTF-8", "COLUMNS": "200",
             "HUB_HOME": str(tmp_path / "home"), "HUB_DATABASE_URL": database, "HUB_KEYS": key_ring},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"register.* 3 .* 3 ", done.stdout), "three records were read and are new"
    assert re.search(r"^\d+ passed, \d+ cannot run here$", done.stdout, re.MULTILINE), "no check of the suite failed"
