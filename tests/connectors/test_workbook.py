"""The template for departments without a system: made from a mapping, filled by people, read back by kind files."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.source import PROFILES, load_sources
from connectors.workbook import CODES, GUIDE, make, put
from hub.errors import ConfigError
from tests.connectors.parts import pull, records, stream
from tests.connectors.test_soap import make_example
from tests.departments import GOOD, STREAMS

ZHEJIANG = PROFILES / "zhejiang-pre" / "mapping.yml"


def book_of(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def fill(data: bytes, folder: Path, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Fill the template in as a person would: below the headings, by the names in the second row."""
    book = book_of(data)
    for sheet, filled in rows.items():
        page = book[sheet]
        names = [cell.value for cell in page[2]]
        for number, row in enumerate(filled, 3):
            for name, value in row.items():
                page.cell(number, names.index(name) + 1, value)
    book.save(folder / "filled.xlsx")


def read(folder: Path, sheet: str, key: str) -> list[dict[str, Any]]:
    one = stream("s", path="*.xlsx", format="xlsx", sheet=sheet, header={"find": [key]})
    return records(pull("files", str(folder), one))


def test_a_filled_template_reads_back_as_its_records(tmp_path: Path) -> None:
    rows = {name: [{**GOOD[name], "PROJID": f"{number}"} for number in range(3)] for name in STREAMS}
    fill(make(ZHEJIANG), tmp_path, rows)
    for name in STREAMS:
        declared = json.loads((ZHEJIANG.parent / f"{name}.schema.json").read_text(encoding="utf-8"))["properties"]
        got = read(tmp_path, name, "PROJID")
        assert [set(record) for record in got] == [set(declared)] * 3
        assert got == [{**dict.fromkeys(declared), **{k: str(v) for k, v in row.items()}} for row in rows[name]]


def test_an_empty_template_holds_no_record(tmp_path: Path) -> None:
    (tmp_path / "empty.xlsx").write_bytes(make(ZHEJIANG))
    assert read(tmp_path, "PRE_NODE", "PROJID") == []


def test_people_see_headings_marks_lists_and_what_to_do() -> None:
    book = book_of(make(ZHEJIANG))
    assert book.sheetnames[0] == GUIDE
    assert book.sheetnames[-1] == CODES
    page = book["PRE_NODE"]
    heads = dict(zip([cell.value for cell in page[2]], [cell.value for cell in page[1]], strict=True))
    assert heads["UNID"].startswith("＊"), "a key must be filled"
    assert not heads["OPINION"].startswith("＊")
    assert page.freeze_panes == "A3"
    rules = {str(rule.sqref).split(":")[0].rstrip("3"): rule.formula1 for rule in page.data_validations.dataValidation}
    letter = next(cell.column_letter for cell in page[2] if cell.value == "PHASE_CODE")
    first, last = rules[letter].rpartition("!")[2].replace("$", "").split(":")
    codes = [row[0].value for row in book[CODES][f"{first}:{last}"]]
    assert codes[:4] == ["ACCEPT", "UNDERTAKE", "REVIEW", "APPROVE"]
    said = "\n".join(str(cell.value) for row in book[GUIDE].iter_rows() for cell in row if cell.value)
    assert "必填" in said
    assert "must be filled" in said
    assert "PHASE_CODE" in said


def test_a_source_gives_its_own_streams_and_sheets(tmp_path: Path) -> None:
    home = make_example(tmp_path)
    (one,) = load_sources([tmp_path])
    book = book_of(make(one))
    assert book.sheetnames == [GUIDE, "cases", CODES]
    assert str(book[GUIDE]["A1"].value).startswith("市自然资源局审批系统")
    (home / "cases.schema.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"cases.schema.json:1: is no JSON Schema"):
        make(one)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t=", "\r="])
def test_no_cell_that_we_write_is_a_formula(tmp_path: Path, begin: str) -> None:
    home = make_example(tmp_path)
    schema = json.loads((home / "cases.schema.json").read_text(encoding="utf-8"))
    schema["properties"]["kind"] |= {"title": f'{begin}HYPERLINK("http://x")', "description": f"{begin}1+1"}
    (home / "cases.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    (home / "codes" / "kind.csv").write_text(f"code,value,label_zh\n{begin.strip()}cmd,immediate,{begin.strip()}x\n")
    for page in book_of(make(home / "mapping.yml")).worksheets:
        for row in page.iter_rows():
            assert all(cell.data_type in {"s", "n"} for cell in row)
            assert all(cell.quotePrefix for cell in row if cell.value is not None)


@given(st.text())
def test_any_text_can_be_written(text: str) -> None:
    book = openpyxl.Workbook()
    put(book.worksheets[0], 1, 1, text)
    assert book.worksheets[0].cell(1, 1).data_type in {"s", "n"}
