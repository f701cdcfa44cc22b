"""Returns that come back otherwise than they went out: told row by row, or refused whole; nothing by halves."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from quality.returns import service
from quality.worklist import service as worklist
from tests.departments import Department
from tests.quality.returns.conftest import (  # noqa: F401  # fixtures
    Book,
    column,
    department,
    edit,
    hub,
    put,
    rejected,
    returned,
    stock,
    three_refused,
)
from tests.quality.worklist.conftest import BERND, WorkHub

MENDED = put("PHASE_CODE", "ACCEPT", 3, 4, 5)


@pytest.fixture
def mended(rejected: WorkHub, tmp_path: Path) -> tuple[WorkHub, Path]:  # noqa: F811
    """A return whose three rows are well corrected."""
    return rejected, edit(returned(rejected, tmp_path / "out")[".xlsx"], MENDED)


def outcomes(hub: WorkHub, file: Path) -> list[tuple[str, str]]:  # noqa: F811
    done = service.take_back(hub.runtime, file, actor=BERND)
    hub.sound()
    return [(one.outcome, "; ".join(one.reasons)) for one in done.receipts]


def _copy_row(book: Book) -> None:
    page = book.worksheets[0]
    for cell in list(page[3]):
        page.cell(6, cell.column).value = cell.value


def _extra_sheet(book: Book) -> None:
    page = book.create_sheet("我的备注")
    page["A1"] = "PHASE_CODE"


BAD: list[tuple[str, Any, str]] = [
    ("hub:key", "other", "what names the row was changed"),
    ("hub:entry", "99999", "no such row"),
    ("hub:token", "0" * 32, "what names the row was changed"),
    ("hub:stream", "PRE_ACCEPT", "wrong template"),
    ("hub:stream", "NO_STREAM", "what names the row was changed"),
    ("hub:organ", "11330000002482286K", "another department's"),
    ("hub:source", "health", "another department's"),
    ("NODE_NAME", '=HYPERLINK("http://x")', "is a formula"),
    ("hub:entry", "1' OR 1=1", "entry's number was changed"),
    ("hub:entry", "9" * 40, "entry's number was changed"),
]
"""What a person does to one row, and what is said of it."""


def test_bad_rows_are_refused_one_by_one_and_the_good_ones_are_applied(
    hub: WorkHub, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    hub.department.case("C1")
    for number in range(len(BAD) + 2):
        hub.department.put("PRE_NODE", UNID=f"n{number:02}", PROJID="C1", PHASE_CODE="SIGNED")
    hub.pull()

    def spoil(book: Book) -> None:
        page = book.worksheets[0]
        for row in range(3, page.max_row + 1):
            page.cell(row, column(book, "PHASE_CODE")).value = "ACCEPT"
        for row, (name, value, _why) in enumerate(BAD, 4):
            page.cell(row, column(book, name)).value = value

    found = outcomes(hub, edit(returned(hub, tmp_path / "out")[".xlsx"], spoil))
    assert [outcome for outcome, _ in found] == ["accepted", *["refused"] * len(BAD), "accepted"]
    for (name, value, why), (_outcome, told) in zip(BAD, found[1:-1], strict=True):
        assert why in told, (name, value, told)
    kept = hub.rows("SELECT source_key FROM ledger.source_record WHERE state = 'kept' AND source_key LIKE 'n%'")
    assert {key for (key,) in kept} == {"n00", f"n{len(BAD) + 1:02}"}


def test_a_row_that_stands_twice_is_not_guessed(mended: tuple[WorkHub, Path]) -> None:
    hub, file = mended  # noqa: F811
    found = outcomes(hub, edit(file, _copy_row))
    assert [outcome for outcome, _ in found] == ["refused", "accepted", "accepted", "refused"]
    assert "2 times" in found[0][1]


def test_an_extra_sheet_is_refused_and_the_return_is_read(mended: tuple[WorkHub, Path]) -> None:
    hub, file = mended  # noqa: F811
    found = outcomes(hub, edit(file, _extra_sheet))
    assert sorted(outcome for outcome, _ in found) == ["accepted", "accepted", "accepted", "refused"]
    assert any("not of the return" in why for _, why in found)


def test_rows_that_are_settled_already_are_refused(mended: tuple[WorkHub, Path]) -> None:
    hub, file = mended  # noqa: F811
    assert {outcome for outcome, _ in outcomes(hub, file)} == {"accepted"}
    again = outcomes(hub, file)
    assert {outcome for outcome, _ in again} == {"refused"}
    assert all("settled already (corrected)" in why for _, why in again)


def test_another_departments_rows_are_refused(mended: tuple[WorkHub, Path], tmp_path: Path) -> None:
    hub, file = mended  # noqa: F811
    other = Department(tmp_path / "sources", "health")
    other.declare(organ="11330000002482286K", owner={"organ": "11330000002482286K", "name": "n", "contact": "c"})
    other.case("D1")
    other.put("PRE_NODE", UNID="d0", PROJID="D1", PHASE_CODE="SIGNED")
    WorkHub(hub.runtime, other).pull()
    (done,) = service.give_back(hub.runtime, "health", tmp_path / "theirs", actor=BERND)
    theirs = openpyxl.load_workbook(next(one for one in done.files if one.suffix == ".xlsx"))

    def smuggle(book: Book) -> None:
        for cell in theirs.worksheets[0][3]:
            book.worksheets[0].cell(6, cell.column).value = copy(cell.value)
        book.worksheets[0].cell(6, column(book, "PHASE_CODE")).value = "ACCEPT"

    found = outcomes(hub, edit(file, smuggle))
    assert [outcome for outcome, _ in found] == ["accepted"] * 3 + ["refused"]
    assert "another department's" in found[3][1]
    assert hub.state("d0") == "quarantined"


def test_a_changed_stamp_makes_no_other_department(mended: tuple[WorkHub, Path]) -> None:
    hub, file = mended  # noqa: F811

    def forge(book: Book) -> None:
        for row in book["hub"].iter_rows():
            if row[0].value == "organ":
                row[1].value = "11330000002482286K"

    with pytest.raises(service.NoReturn, match="was not made by this hub"):
        service.take_back(hub.runtime, edit(file, forge), actor=BERND)


def _drop_stamp(book: Book) -> None:
    del book["hub"]


def _merge(book: Book) -> None:
    book.worksheets[0].merge_cells("A3:A4")


def _far_cell(book: Book) -> None:
    book.worksheets[0]["A900000"] = "x"


WHOLE: list[tuple[str, Callable[[Book], Any], str]] = [
    ("no_stamp", _drop_stamp, "is no return"),
    ("merged_cells", _merge, "merged"),
    ("one_cell_far_below", _far_cell, "refused whole"),
]


def test_what_is_no_return_is_refused_whole(mended: tuple[WorkHub, Path], tmp_path: Path) -> None:
    hub, file = mended  # noqa: F811
    for name, change, why in WHOLE:
        spoiled = tmp_path / f"{name}.xlsx"
        spoiled.write_bytes(file.read_bytes())
        with pytest.raises(service.NoReturn, match=why):
            service.take_back(hub.runtime, edit(spoiled, change), actor=BERND)
    assert hub.rows("SELECT 1 FROM quality.correction") == []


def test_a_million_rows_are_refused_before_they_are_held(mended: tuple[WorkHub, Path], tmp_path: Path) -> None:
    hub, file = mended  # noqa: F811
    huge = tmp_path / "huge.xlsx"
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(huge, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for one in source.infolist():
            data = source.read(one)
            if one.filename == "xl/worksheets/sheet1.xml":
                rows = "".join(f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>x{n}</t></is></c></row>'
                               for n in range(6, 1_000_001))  # fmt: skip
                data = data.replace(b"</sheetData>", rows.encode() + b"</sheetData>")
            out.writestr(one.filename, data)
    with pytest.raises(service.NoReturn, match="refused whole: a sheet has a row 20,003, and no return has more"):
        service.take_back(hub.runtime, huge, actor=BERND)


def test_a_csv_with_a_million_rows_is_refused(rejected: WorkHub, tmp_path: Path) -> None:  # noqa: F811
    file = returned(rejected, tmp_path / "out")[".csv"]
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    with file.open("a", encoding="utf-8", newline="") as out:
        for _ in range(25_000):
            out.write(lines[1])
    with pytest.raises(service.NoReturn, match="rows; no return has"):
        service.take_back(rejected.runtime, file, actor=BERND)


FILES: list[tuple[str, bytes, str]] = [
    ("a.txt", b"x", "no .xlsx, .csv or .json"),
    ("cut.xlsx", b"PK\x03\x04 cut", "refused whole"),
    ("empty.xlsx", b"", "refused whole"),
    ("deep.json", b"[" * 100_000, "no JSON|no return"),
    ("made-up.json", b'{"form": "1", "streams": []}', "was not made by this hub"),
    ("garbage.csv", b"\xff\xfe\x00garbage", "refused whole"),
    ("another.csv", "编号,主键\n1,2\n".encode(), "names the source"),
]


def test_files_that_are_no_returns(hub: WorkHub, tmp_path: Path) -> None:  # noqa: F811
    for name, content, why in FILES:
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(service.NoReturn, match=why):
            service.take_back(hub.runtime, file, actor=BERND)


def test_a_template_that_is_older_than_the_schema_is_refused(mended: tuple[WorkHub, Path]) -> None:
    hub, file = mended  # noqa: F811

    def rename(book: Book) -> None:
        book.worksheets[0].cell(2, column(book, "NODE_NAME")).value = "NODE_TITLE"

    found = outcomes(hub, edit(file, rename))
    assert {outcome for outcome, _ in found} == {"refused"}
    assert all("wrong template" in why and "NODE_TITLE" in why for _, why in found)


def test_a_number_that_a_program_rounded_is_noticed(rejected: WorkHub, tmp_path: Path) -> None:  # noqa: F811
    file = returned(rejected, tmp_path / "out")[".json"]
    del file
    found = outcomes(
        rejected,
        edit(next((tmp_path / "out").glob("*.xlsx")), put("HANDER_DEPTID", "1.133E+17", 3)),
    )
    assert found[0][0] == "refused"
    assert "rounded" in found[0][1]


def test_a_json_row_with_other_types_is_judged_and_not_trusted(rejected: WorkHub, tmp_path: Path) -> None:  # noqa: F811
    file = returned(rejected, tmp_path / "out")[".json"]
    said = json.loads(file.read_text(encoding="utf-8"))
    said["streams"][0]["rows"][0]["record"] = {"PHASE_CODE": {"nested": ["deep"]}, "UNKNOWN": 1}
    said["streams"][0]["rows"][1] = "no row"
    file.write_text(json.dumps(said), encoding="utf-8")
    found = outcomes(rejected, file)
    assert [outcome for outcome, _ in found] == ["refused", "refused", "untouched"]
    assert rejected.rows("SELECT 1 FROM quality.correction") == []


def test_a_department_cannot_approve_its_own(rejected: WorkHub, tmp_path: Path) -> None:  # noqa: F811
    file = edit(returned(rejected, tmp_path / "out")[".xlsx"], MENDED)
    with pytest.raises(worklist.NotDone, match="another person"):
        service.take_back(rejected.runtime, file, actor="department:11330000002482285J")
