"""The standard suite over every source folder, as far as it goes without its system; live on small departments."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from hub.settings import Settings
from kit.samples import read_samples
from kit.scaffold import write
from kit.subject import find
from kit.suite import CHECKS, Outcome, Status, run
from tests.departments import Department
from tests.kit.services import Hall, case, serving

ROOT = Path(__file__).resolve().parents[1]
REASON = 20
"""A reason has more characters than this."""
ALWAYS = {"check-succeeds", "full-reads-equal", "paging-stops", "resume-from-each-state"}
_LINE = {"wrong-password", "slow-server", "cut-server", "lying-length", "half-document"}
OF_KIND = {
    "files": {"cut-file"}, "queue": _LINE, "rest": {*_LINE, "repeated-page", "endless-page"},
    "soap": {*_LINE, "discover-matches", "repeated-page", "endless-page"}, "workbook": {"cut-file"},
    "xes": {"cut-file"},
}  # fmt: skip
"""What must really run in a system that was made of a folder's examples."""
PLACES = (ROOT / "demo" / "sources", ROOT / "tests" / "real" / "sources", ROOT / "bench" / "sources")


def folders() -> Iterator[Path]:
    """Every source folder that declares a source; a template is proven by those that extend it."""
    for place in PLACES:
        for file in sorted(place.glob("*/source.yml")):
            if yaml.safe_load(file.read_text(encoding="utf-8")).get("template") is not True:
                yield file.parent


@cache
def proven(folder: Path) -> dict[str, Outcome]:
    """Run the suite over one folder, once a test process."""
    return {one.check: one for one in run(folder.name, Settings.load(sources=(folder.parent,)))}


@pytest.mark.parametrize("check", [one.name for one in CHECKS if one.needs != "system"])
@pytest.mark.parametrize("folder", list(folders()), ids=lambda folder: folder.name)
def test_what_needs_no_system(folder: Path, check: str) -> None:
    done = proven(folder)[check]
    assert done.status is not Status.FAILED, done.message
    if done.status is not Status.PASSED:
        assert len(done.message) > REASON, f"{check} of {folder.name} does not say why it did not run"


@pytest.mark.parametrize("folder", list(folders()), ids=lambda folder: folder.name)
def test_a_system_made_of_its_examples(folder: Path) -> None:
    done = {one.name: proven(folder)[one.name] for one in CHECKS if one.needs == "system"}
    assert {name: one.message for name, one in done.items() if one.status is Status.FAILED} == {}
    made = {one for one in done if done[one].status is Status.PASSED}
    source = find(folder.name, (folder.parent,))
    if source.kind == "push" or not read_samples(source).found:
        assert len(done["check-succeeds"].message) > REASON
        return
    assert made >= {*ALWAYS, *OF_KIND.get(source.kind, ())}, {one: done[one].message for one in done if one not in made}
    if "operation" in {one.deletion for one in source.streams.values()}:
        assert "deletions-arrive" in made


# --- small departments that live


def live(folder: Path) -> dict[str, Outcome]:
    done = {one.check: one for one in run(folder.name, Settings.load(sources=(folder.parent,)))}
    assert {name: one.message for name, one in done.items() if one.status is Status.FAILED} == {}
    return done


def passed(done: dict[str, Outcome], *names: str) -> bool:
    return {done[name].status for name in {*ALWAYS, "discover-matches", *names}} == {Status.PASSED}


def test_a_live_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labour = Department(tmp_path / "sources")
    for number in range(1, 9):
        labour.case(f"2026-{number:03d}", CREATE_TIME=f"2026-03-02 08:{number:02d}:00")
    monkeypatch.setenv("HUB_CONN_LABOUR", labour.url)
    assert passed(live(labour.folder), "nothing-before-cursor", "future-state")


def test_a_live_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write("drop", "files", None, tmp_path / "sources").folder
    data = tmp_path / "data"
    data.mkdir()
    for day in (1, 2):
        rows = [case(n, applicant="某某公司") for n in range(day * 10, day * 10 + 9)]
        lines = [",".join(rows[0]), *(",".join("" if v is None else str(v) for v in row.values()) for row in rows)]
        (data / f"cases_{day}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setenv("HUB_CONN_DROP", str(data))
    assert passed(live(folder), "nothing-before-cursor", "cut-file")


def test_a_live_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write("hall", "rest", None, tmp_path / "sources").folder
    with serving(Hall([case(n) for n in range(1, 8)])) as url:
        monkeypatch.setenv("HUB_CONN_HALL", url)
        done = live(folder)
    assert passed(done, "wrong-password", "nothing-before-cursor", "future-state", "slow-server", "endless-page")
