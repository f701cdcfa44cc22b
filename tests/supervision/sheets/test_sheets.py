"""Lists as CSV, workbook and PDF: the same cells in each, formulas made harmless, limits told."""

from __future__ import annotations

import base64
import csv
import io
import re
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervision.sheets import FORMS, WRITERS, Column, Form, Sheet, TooLong, pdf, table, workbook

COLUMNS = (Column("organ", "单位 Department"), Column("cases", "件数 Cases", number=True), Column("note", "说明 Note"))
ROWS: list[dict[str, Any]] = [
    {"organ": "省住房和城乡建设厅", "cases": 17, "note": "=HYPERLINK(\"http://a.example\")"},
    {"organ": "省市场监督管理局", "cases": Decimal("99.30"), "note": datetime(2026, 3, 2, 1, 30, tzinfo=UTC)},
    {"organ": "x\x01y", "cases": None, "note": date(2026, 3, 2)},
]  # fmt: skip
NOTE = "提前办结率＝提前办结件数 ÷ 办结件数"


def sheet(rows: list[dict[str, Any]] | None = None) -> Sheet:
    return Sheet("排名 Ranking", COLUMNS, ROWS if rows is None else rows, (NOTE,))


def written(form: Form, made: Sheet) -> bytes:
    out = io.BytesIO()
    WRITERS[form](made, out)
    return out.getvalue()


def lines(made: Sheet) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written("csv", made).decode("utf-8-sig"), newline="")))


def page(made: Sheet) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(written("xlsx", made)))
    return [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]


def text_of(document: bytes) -> str:
    """What stands on the pages of a PDF that ReportLab wrote: strings of UTF-16 within packed streams."""
    said = ""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", document, re.DOTALL):
        plain = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        for raw in re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", plain, re.DOTALL):
            whole = re.sub(rb"\\([0-7]{3})", lambda one: bytes([int(one[1], 8)]), raw)
            whole = re.sub(rb"\\(.)", lambda one: {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(one[1], one[1]), whole)
            said += whole.decode("utf-16-be", "replace") + "\n"
    return said


def test_all_three_forms_hold_every_cell_and_the_notes() -> None:
    assert lines(sheet())[1] == ["省住房和城乡建设厅", "17", '\'=HYPERLINK("http://a.example")']
    assert lines(sheet())[2:4] == [["省市场监督管理局", "99.30", "2026-03-02 09:30"], ["x�y", "", "2026-03-02"]]
    assert lines(sheet())[-1] == [NOTE]
    assert page(sheet())[1][:2] == ["省住房和城乡建设厅", 17]
    said = text_of(written("pdf", sheet()))
    for word in ("排名 Ranking", "省住房和城乡建设厅", "17", "99.30", "2026-03-02 09:30", NOTE, "第 1 页"):
        assert word in said, word


def test_a_workbook_holds_text_as_text_and_numbers_as_numbers() -> None:
    book = openpyxl.load_workbook(io.BytesIO(written("xlsx", sheet())))
    cell = book.worksheets[0]["C2"]
    assert (cell.data_type, cell.value) == ("s", ROWS[0]["note"])
    assert book.worksheets[0]["B2"].data_type == "n"
    assert [one.title for one in book.worksheets] == ["排名 Ranking", "说明 Notes"]


ANY = st.text(max_size=60)


@given(st.lists(ANY, max_size=5))
def test_no_cell_of_a_csv_begins_like_a_formula_and_all_else_comes_back(texts: list[str]) -> None:
    for said, cells in zip(texts, lines(sheet([{"organ": one} for one in texts]))[1:], strict=False):
        plain = table.UNFIT.sub("�", said)
        assert cells[0] in (plain, f"'{plain}")
        assert not cells[0].startswith(("=", "+", "-", "@", "\t", "\r"))


@settings(max_examples=40)
@given(st.lists(ANY, max_size=5))
def test_whatever_stands_in_a_list_it_can_be_written_and_opened(texts: list[str]) -> None:
    rows = [{"organ": one, "note": one} for one in texts]
    assert len(page(sheet(rows))) == len(texts) + 1
    assert written("pdf", sheet(rows)).endswith(b"%%EOF\n")


def test_a_long_list_goes_over_pages_with_its_head_on_each() -> None:
    said = text_of(written("pdf", sheet([{"organ": f"单位{n}", "note": "长" * 400} for n in range(120)])))
    pages = len(re.findall(r"第 \d+ 页", said))
    assert pages > 5
    assert f"/ 共 {pages} 页  of {pages}" in said
    assert said.count("说明 Note") == pages
    assert "单位119" in said
    assert "…" in said, "what is too long for a cell is cut, and said to be"


def test_no_number_and_no_word_is_broken_and_columns_that_do_not_fit_go_onto_further_pages() -> None:
    columns = [Column("organ", "单位 Department"), *(Column(f"n{n}", f"件数（A） denominator {n}", number=True)
               for n in range(40))]  # fmt: skip
    row = {"organ": "人力资源和社会保障厅", **{f"n{n}": 1_234_500 + n for n in range(40)}}
    said = text_of(written("pdf", Sheet("趋势", columns, [row])))
    assert all(f"\n{1_234_500 + n}\n" in said for n in range(40))
    assert said.count("denominator") == 40
    assert "（A）" in said
    parts = re.findall(r"趋势  \((\d)/(\d)\)", said)
    assert [int(part) for part, _ in parts] == list(range(1, len(parts) + 1))
    assert len(parts) > 1
    assert said.count("人力资源") == len(parts), "each run of pages says which row is whose"


def test_the_same_list_is_the_same_pdf() -> None:
    assert written("pdf", sheet()) == written("pdf", sheet())


@pytest.mark.parametrize(("form", "module"), [("pdf", pdf), ("xlsx", workbook)])
def test_too_many_rows_are_told(form: Form, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 2)
    with pytest.raises(TooLong, match="more than 2 rows"):
        written(form, sheet())


def test_an_empty_list_has_its_head() -> None:
    for form in FORMS:
        assert written(form, sheet([]))
    assert lines(sheet([]))[0] == [one.title for one in COLUMNS]
