"""Kind `workbook`: the template as people see it, what they may do to it, and how a filled one is read."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import connectors
from connectors.kinds.workbook.sheets import CODES, EXAMPLE, FIRST, GUIDE, HEADINGS, NAMES, STAMP, sheets_of
from connectors.kinds.workbook.template import make, put
from connectors.loading import load_sources
from connectors.source import PROFILES, Source
from hub.errors import ConfigError, RefuseUnit, WrongTemplate
from hub.records import Record, Slice
from tests.connectors.parts import keyed
from tests.departments import GOOD, STREAMS
from tests.filling import CASE, a_source, book_of, fill, redeclare


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return a_source(tmp_path / "sources")


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def slices(source: Source, drop: Path, stream: str = "cases") -> list[Slice]:
    connector = connectors.open(source, lambda _: str(drop), keyed_hash=keyed)
    return list(connector.read(source.stream(stream), {}, slice_size=100, full=False))


def read(source: Source, drop: Path, stream: str = "cases") -> list[Record]:
    return [record for piece in slices(source, drop, stream) for record in piece.records]


def zhejiang(place: Path) -> Source:
    """A department that keeps four sheets of a known format by hand."""
    (place / "by-hand").mkdir(parents=True)
    streams = "".join(f"  {name}: {{options: {{path: '*.xlsx'}}}}\n" for name in STREAMS)
    (place / "by-hand" / "source.yml").write_text(
        "version: 2\ncode: by-hand\ntitle: {zh: 手工}\nowner: {organ: 11330000002482285J, name: o, contact: c}\n"
        "legal_basis: l\norgan: 11330000002482285J\nregion: '330000'\nkind: workbook\nprofile: zhejiang-pre\n"
        f"connection: by-hand\nstreams:\n{streams}",
        encoding="utf-8",
    )
    return load_sources([place])[0]


def test_a_filled_template_reads_back_as_its_records(tmp_path: Path, drop: Path) -> None:
    source = zhejiang(tmp_path / "sources")
    for name in STREAMS:
        rows = [{**GOOD[name], "PROJID": f"{number}"} for number in range(3)]
        fill(source, drop / f"{name}.xlsx", rows, sheet=name)
    for name in STREAMS:
        file = PROFILES / "zhejiang-pre" / f"{name}.schema.json"
        declared = json.loads(file.read_text(encoding="utf-8"))["properties"]
        got = read(source, drop, name)
        assert [set(record) for record in got] == [set(declared)] * 3
        assert [record["PROJID"] for record in got] == ["0", "1", "2"]
        types = declared["DATAVERSION"]["type"]
        assert {record["DATAVERSION"] for record in got} == {"1" if "string" in types else 1}


def test_neither_the_example_nor_an_empty_row_is_a_record(source: Source, drop: Path) -> None:
    example = {"cases": {**CASE, "case_number": "EXAMPLE"}}
    (drop / "empty.xlsx").write_bytes(make(source, example))
    assert read(source, drop) == []
    fill(source, drop / "filled.xlsx", [CASE, {}, {"case_number": "2026-0002"}])
    pieces = slices(source, drop)
    assert [record["case_number"] for piece in pieces for record in piece.records] == ["2026-0001", "2026-0002"]
    assert [row for piece in pieces for row in piece.rows] == [FIRST, FIRST + 2]


PASTED = datetime(2026, 1, 5, 8, 30)  # noqa: DTZ001  # a spreadsheet's dates have no zone


def test_dates_and_numbers_that_were_pasted_in_come_as_text(source: Source, drop: Path) -> None:
    fill(source, drop / "a.xlsx", [{**CASE, "case_number": 20260001, "applied_at": PASTED}])
    (record,) = read(source, drop)
    assert (record["case_number"], record["applied_at"]) == ("20260001", "2026-01-05T08:30:00")


def test_cells_become_the_type_that_is_declared_where_they_are_just_that(source: Source, drop: Path) -> None:
    numbers = {"type": ["integer", "null"]}
    source = redeclare(source, fee=numbers, paid={"type": "boolean"}, rate={"type": "number"})
    given = [("12", "TRUE", "0.5"), (12, True, 0.5), ("012", "yes", "1e3"), (None, None, None)]
    fill(source, drop / "a.xlsx", [{**CASE, "fee": fee, "paid": paid, "rate": rate} for fee, paid, rate in given])
    got = [(record["fee"], record["paid"], record["rate"]) for record in read(source, drop)]
    assert got == [(12, True, 0.5), (12, True, 0.5), ("012", "yes", "1e3"), (None, None, None)]


def test_people_see_headings_an_example_lists_and_what_to_do(source: Source) -> None:
    source = redeclare(source, kind={"type": ["string", "null"], "title": "办件类型", "description": "承诺或即办"})
    book = book_of(make(source, {"cases": CASE}))
    assert book.sheetnames == [GUIDE, "cases", CODES, STAMP]
    assert book[STAMP].sheet_state == "veryHidden"
    page = book["cases"]
    names = [cell.value for cell in page[NAMES]]
    kind = names.index("kind") + 1
    assert page.cell(HEADINGS, kind).value == "办件类型"
    assert "承诺或即办" in str(page.cell(HEADINGS, kind).comment)
    assert page.cell(HEADINGS, names.index("case_number") + 1).value == "＊办件编号", "a key must be filled"
    assert page.cell(EXAMPLE, 1).value == "例 2026-0001"
    rules = {str(one.sqref): one for one in page.data_validations.dataValidation}
    letter = page.cell(1, kind).column_letter
    first, last = rules[f"{letter}{FIRST}:{letter}20000"].formula1.rpartition("!")[2].replace("$", "").split(":")
    assert [row[0].value for row in book[CODES][f"{first}:{last}"]] == ["承诺", "即办"]
    assert {one.type for one in rules.values()} == {"list", "textLength"}
    said = "\n".join(str(cell.value) for row in book[GUIDE].iter_rows() for cell in row if cell.value)
    assert all(word in said for word in ("必填", "must be filled", "land-office", sheets_of(source)[0].version))


def test_the_head_is_locked_and_what_is_filled_in_is_not(source: Source) -> None:
    page = book_of(make(source))["cases"]
    assert page.protection.sheet
    assert not page.protection.insertRows
    assert page.freeze_panes == f"A{FIRST}"
    for number in (HEADINGS, EXAMPLE, NAMES):
        assert all(cell.protection.locked for cell in page[number])
    assert not any(one.protection.locked for one in page.column_dimensions.values())


Change = Callable[[openpyxl.Workbook], Any]


def _stamp(name: str, value: str) -> Change:
    def change(book: openpyxl.Workbook) -> None:
        for row in book[STAMP].iter_rows():
            if row[0].value == name:
                row[1].value = value

    return change


WRONG: dict[str, tuple[Change, str]] = {
    "of another department": (_stamp("source", "fire-brigade"), "it is the template of 'fire-brigade'"),
    "of another form": (_stamp("form", "9"), "its stamp is of form '9'"),
    "without the stamp": (lambda book: book.remove(book[STAMP]), "it has no sheet 'hub'"),
    "a column taken away": (lambda book: book["cases"].delete_cols(2), "missing: item_name"),
    "a column put in": (lambda book: book["cases"].cell(NAMES, 20, "more"), "not of the template: .*more"),
    "columns moved": (
        lambda book: (book["cases"].cell(NAMES, 1, "item_name"), book["cases"].cell(NAMES, 2, "case_number")),
        "no longer names its columns",
    ),
    "a sheet put in": (lambda book: book.create_sheet("cases (2)"), r"further sheets.*cases \(2\)"),
    "a sheet renamed": (lambda book: setattr(book["cases"], "title", "办件"), "further sheets.*办件"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_present_template_is_refused_with_a_sentence(source: Source, drop: Path, name: str) -> None:
    change, words = WRONG[name]
    fill(source, drop / "a.xlsx", [CASE], change=change)
    with pytest.raises(WrongTemplate, match=words) as told:
        slices(source, drop)
    assert "hub connector workbook land-office" in str(told.value)


def test_a_template_of_before_a_change_of_columns_or_codes_is_refused(source: Source, drop: Path) -> None:
    fill(source, drop / "a.xlsx", [CASE])
    assert len(read(source, drop)) == 1
    codes = source.folder / "codes" / "kind.csv"
    codes.write_text(codes.read_text(encoding="utf-8") + "上报,reported,上报件\n", encoding="utf-8")
    with pytest.raises(WrongTemplate, match="sheet cases is of version"):
        slices(source, drop)
    fill(source, drop / "a.xlsx", [CASE])
    assert len(read(source, drop)) == 1
    later = redeclare(source, phone={"type": ["string", "null"]})
    with pytest.raises(WrongTemplate, match="sheet cases is of version"):
        slices(later, drop)


def test_a_template_that_libreoffice_saved_is_read(source: Source, drop: Path, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("no LibreOffice on this machine (Debian package libreoffice-calc)")
    fill(source, tmp_path / "a.xlsx", [CASE])
    subprocess.run(  # the program that was found
        [office, f"-env:UserInstallation=file://{tmp_path}/office", "--headless", "--convert-to", "xlsx", "--outdir",
         str(drop), str(tmp_path / "a.xlsx")],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    assert [record["case_number"] for record in read(source, drop)] == ["2026-0001"]


def test_merged_cells_are_refused_and_named(source: Source, drop: Path) -> None:
    fill(source, drop / "a.xlsx", [CASE, CASE], change=lambda book: book["cases"].merge_cells("B4:B5"))
    with pytest.raises(RefuseUnit, match=r"merged \(B4:B5\)"):
        slices(source, drop)


def test_a_required_field_that_no_cell_can_hold_is_a_fault_of_the_declaration(source: Source) -> None:
    file = source.folder / "cases.schema.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    schema["properties"]["remark"] = {"type": "array"}
    schema["required"].append("remark")
    file.write_text(json.dumps(schema), encoding="utf-8")
    with pytest.raises(ConfigError, match="no cell can hold the required field 'remark'"):
        make(source)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r="])
def test_no_cell_that_we_write_is_a_formula(source: Source, begin: str) -> None:
    source = redeclare(
        source, kind={"type": "string", "title": f'{begin}HYPERLINK("http://x")', "description": f"{begin}1+1"}
    )
    (source.folder / "codes" / "kind.csv").write_text(
        f"code,value,label_zh\n{begin.strip()}cmd,immediate,{begin.strip()}x\n", encoding="utf-8"
    )
    for page in book_of(make(source, {"cases": {**CASE, "item_name": f"{begin}1"}})).worksheets:
        for row in page.iter_rows():
            assert all(cell.data_type in {"s", "n"} for cell in row)
            assert all(cell.quotePrefix for cell in row if cell.value is not None)


@given(st.text())
def test_any_text_can_be_written(text: str) -> None:
    book = openpyxl.Workbook()
    put(book.worksheets[0], 1, 1, text)
    assert book.worksheets[0].cell(1, 1).data_type in {"s", "n"}
