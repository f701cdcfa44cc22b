"""A department without any system, from its template to the repository: back-entered, and told what to mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from connectors.source import Source
from hub.cli import build
from kit.workbook import complaints, write
from pipeline.afterwards.rebuild import rebuild
from pipeline.pulls.exchange import exchange
from pipeline.runtime import Runtime
from sharedrepo.telling import digest
from sharedrepo.telling.ledger import check
from tests.filling import CASE, a_source, book_of, fill, redeclare


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return a_source(tmp_path / "sources")


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


def pull(runtime: Runtime, source: Source, drop: Path) -> dict[str, Any]:
    report = exchange(source, runtime=runtime, connections=lambda _: str(drop))
    assert report.balanced
    found: dict[str, Any] = report.as_dict()["streams"][0]
    return found


def rows(runtime: Runtime, query: str) -> list[Any]:
    with runtime.engine.connect() as connection:
        return list(connection.execute(sa.text(query)).all())


def test_from_the_template_to_back_entered_cases(
    runtime: Runtime, source: Source, drop: Path, empty_runtime: Runtime
) -> None:
    file = write(source, drop / "made.xlsx")
    assert pull(runtime, source, drop)["read"] == 0  # a template that nobody filled in
    file.unlink()
    fill(source, drop / "january.xlsx", [CASE, {**CASE, "case_number": "2026-0002", "kind": "即办"}])
    assert pull(runtime, source, drop)["new"] == 2
    assert rows(runtime, "SELECT case_number, entry_mode, case_kind FROM core.approval_case ORDER BY 1") == [
        ("2026-0001", "back_entered", "promised"), ("2026-0002", "back_entered", "immediate"),
    ]  # fmt: skip
    assert rows(runtime, "SELECT count(*) FROM core.case_party") == [(2,)]
    fill(source, drop / "january.xlsx", [{**CASE, "item_name": "燃气经营许可"}])
    assert pull(runtime, source, drop)["updated"] == 1
    assert check(runtime.engine) == []
    rebuild(empty_runtime)
    assert digest.digest(empty_runtime.engine) == digest.digest(runtime.engine)


def test_what_a_mapping_says_of_the_entry_comes_first(runtime: Runtime, source: Source, drop: Path) -> None:
    mapping = source.folder / "mapping.yml"
    said = mapping.read_text(encoding="utf-8")
    line = "          item_name: item_name\n"
    mapping.write_text(said.replace(line, f"{line}          entry_mode: {{const: live}}\n"), encoding="utf-8")
    fill(source, drop / "a.xlsx", [CASE])
    pull(runtime, source, drop)
    assert rows(runtime, "SELECT entry_mode FROM core.approval_case") == [("live",)]


def test_each_fault_names_its_cell(runtime: Runtime, source: Source, drop: Path) -> None:
    fill(source, drop / "a.xlsx", [CASE, {**CASE, "case_number": "2", "kind": "特办"}, {**CASE, "case_number": None}])
    pull(runtime, source, drop)
    told = [(one.file, one.sheet, one.row, one.column) for one in complaints(runtime.engine, source)]
    assert ("a.xlsx", "cases", 5, "D 办件类型") in told
    assert ("a.xlsx", "cases", 6, "A 办件编号") in told
    assert {row for _, _, row, _ in told} == {5, 6}
    assert "特办" not in str(complaints(runtime.engine, source))


def test_a_wrong_template_is_refused_whole_and_the_next_good_one_settles_it(
    runtime: Runtime, source: Source, drop: Path
) -> None:
    fill(source, drop / "a.xlsx", [CASE])
    later = redeclare(source, phone={"type": ["string", "null"]})
    found = pull(runtime, later, drop)
    assert (found["read"], found["refused_units"]) == (0, ["a.xlsx"])
    (told,) = complaints(runtime.engine, later)
    assert (told.file, told.sheet, told.row) == ("a.xlsx", "cases", None)
    assert "is of version" in told.what
    fill(later, drop / "a.xlsx", [CASE])
    assert pull(runtime, later, drop)["new"] == 1
    assert complaints(runtime.engine, later) == []


def test_the_command_writes_the_template_once_with_the_examples_of_the_folder(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_SOURCES", str(source.folder.parent))
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    out = tmp_path / "land.xlsx"
    for status in (0, 78):  # what stands there is never written over
        done = CliRunner().invoke(
            build(["connector"]), ["connector", "workbook", "land-office", "--out", str(out), "--json"]
        )
        assert done.exit_code == status or getattr(done.exception, "exit_status", None) == status
    assert book_of(out.read_bytes())["cases"]["A2"].value == "例 2026-0005"
