"""Makes the Excel template that a department without any system fills in: one sheet a stream of its mapping.

The filled workbook is read by kind `files`, a stream for each sheet. Its second row holds the names of the fields,
which the reader looks for; the first is for people:

    kind: files
    streams:
      cases: {options: {path: "*.xlsx", format: xlsx, sheet: cases, header: {find: [case_no]}}}

What is taken in this way was entered afterwards: its mapping says so, `entry_mode: {const: back_entered}`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from connectors.source import Source
from connectors.yamlmarks import read_marked
from hub.errors import ConfigError, Fault

GUIDE, CODES = "填写说明 Guide", "代码 Codes"
_FIRST, _LAST = 3, 20_000
"""The rows that people fill in: below the headings and the names of the fields."""
_LONGEST_NAME = 31
_UNFIT = re.compile(r"[\[\]:*?/\\]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_MUST = PatternFill("solid", fgColor="FFE4B5")
_MAY = PatternFill("solid", fgColor="E8EEF7")

_WORDS = (
    ("一张工作表对应一类记录，一行一条；从第 3 行填起。", "One row a record, from row 3 on."),
    ("请勿改动第 1、2 行，请勿增删列、改工作表名。", "Leave rows 1 and 2, columns and sheet names as they are."),
    ("标题带 ＊ 的列必填，其余可留空。", "Columns marked ＊ must be filled; the others may stay empty."),
    ("所有单元格都是文本；时间写成 2026-01-05 08:30。", "All cells are text; write times as 2026-01-05 08:30."),
    ("有下拉列表的列只能填「代码」表中的代码。", "Where there is a list, fill in its codes; see sheet Codes."),
    ("请勿使用公式：含公式的文件会被退回。", "No formulas: a file with formulas is sent back."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the raw record as people see it: `codes` are its code list's lines (code, meaning), if it has one."""

    field: str
    label: str
    required: bool
    longest: int | None
    note: str
    codes: tuple[tuple[str, str], ...]


def make(of: Source | Path) -> bytes:
    """Return the template for a source's streams, or for all streams of a mapping file, as the bytes of an .xlsx.

    Raises:
        ConfigError: the mapping, a raw schema or a code list cannot be read.
    """
    mapping = of.mapping if isinstance(of, Source) else of
    title = "填报模板 Template"
    sheets: dict[str, list[Column]] = {}
    if isinstance(of, Source):
        title = f"{of.title.get('zh', '')} {of.title.get('en', '')}".strip()
    for stream, body in _streams(mapping).items():
        if isinstance(of, Source) and stream not in of.streams:
            continue
        name = _sheet_of(of, stream)
        if len(name) > _LONGEST_NAME or _UNFIT.search(name) or name in {GUIDE, CODES, *sheets}:
            raise ConfigError(
                [Fault(str(mapping), 1, f"stream {stream}: Excel allows no sheet {name!r}, or no second")]
            )
        sheets[name] = _columns(mapping, body)
    return _written(title, sheets)


def _sheet_of(of: Source | Path, stream: str) -> str:
    """Return the name of a stream's sheet: what its options say, else its own."""
    wanted = of.streams[stream].options.get("sheet") if isinstance(of, Source) else None
    return wanted if isinstance(wanted, str) else stream


def _streams(mapping: Path) -> dict[str, dict[str, Any]]:
    marked = read_marked(mapping)
    streams = marked.data.get("streams") if isinstance(marked.data, dict) else None
    if marked.faults or not isinstance(streams, dict):
        raise ConfigError(marked.faults or [Fault(str(mapping), 1, "has no `streams`")])
    return {str(name): body for name, body in streams.items() if isinstance(body, dict)}


def _columns(mapping: Path, body: Mapping[str, Any]) -> list[Column]:
    """Return the columns of a stream: the plain fields of its raw schema, in its order."""
    schema = _schema(mapping.parent / str(body.get("schema")))
    key = body.get("key")
    required = {
        *schema.get("required", ()),
        *(one for one in (key if isinstance(key, list) else ()) if isinstance(one, str)),
    }
    lists = dict(_code_lists(mapping.parent, body))
    made = []
    for name, spec in schema.get("properties", {}).items():
        if {"object", "array"} & set(_types(spec)):
            continue  # no cell can hold it
        label = str(spec.get("title") or spec.get("label_zh") or name)
        codes = lists.get(name) or tuple((str(value), "") for value in spec.get("enum", ()) if value is not None)
        made.append(
            Column(name, label, name in required, spec.get("maxLength"), str(spec.get("description", "")), codes)
        )
    return made


def _types(spec: Mapping[str, Any]) -> list[str]:
    types = spec.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _schema(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            [Fault(str(file), 1, f"is no JSON Schema that can be read ({type(error).__name__})")]
        ) from None
    return found if isinstance(found, dict) else {}


def _code_lists(folder: Path, body: Mapping[str, Any]) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Yield each field that is looked up in a code list, with the list; one with unlisted words is no closed list."""
    for made in body.get("yields", ()):
        for column in made.get("columns", {}).values() if isinstance(made, dict) else ():
            if not isinstance(column, dict) or "unlisted" in column or not isinstance(column.get("from"), str):
                continue
            if isinstance(column.get("codes"), str):
                yield column["from"], _code_list(folder / "codes" / f"{column['codes']}.csv")
            elif isinstance(column.get("map"), dict):
                yield column["from"], tuple((str(code), "") for code in column["map"])


def _code_list(file: Path) -> tuple[tuple[str, str], ...]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            return tuple((line["code"], line.get("label_zh") or "") for line in csv.DictReader(handle))
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError([Fault(str(file), 1, f"is no code list that can be read ({type(error).__name__})")]) from None


def _written(title: str, sheets: Mapping[str, list[Column]]) -> bytes:
    book = openpyxl.Workbook()
    guide = book.worksheets[0]
    guide.title = GUIDE
    pages = {name: book.create_sheet(name) for name in sheets}
    codes = book.create_sheet(CODES)
    places = _write_codes(codes, sheets)
    _write_guide(guide, title, sheets)
    for name, page in pages.items():
        _write_sheet(page, sheets[name], {field: place for (sheet, field), place in places.items() if sheet == name})
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_sheet(page: Worksheet, columns: list[Column], places: Mapping[str, str]) -> None:
    for number, column in enumerate(columns, 1):
        letter = get_column_letter(number)
        put(page, 1, number, ("＊" if column.required else "") + column.label)
        put(page, 2, number, column.field)
        head = page.cell(1, number)
        head.font, head.fill = Font(bold=True), _MUST if column.required else _MAY
        page.cell(2, number).font = Font(italic=True, color="808080")
        page.column_dimensions[letter].width = max(12, min(40, 2 * len(column.label) + 4))
        page.column_dimensions[
            letter
        ].number_format = "@"  # else Excel shortens long numbers and turns codes into dates
        if column.field in places:
            rule = DataValidation("list", formula1=places[column.field], allow_blank=True, showErrorMessage=True)
            rule.error = "请从下拉列表选择 Choose from the list"
            rule.add(f"{letter}{_FIRST}:{letter}{_LAST}")
            page.add_data_validation(rule)
    page.freeze_panes = f"A{_FIRST}"


def _write_codes(page: Worksheet, sheets: Mapping[str, list[Column]]) -> dict[tuple[str, str], str]:
    """Write each code list beside what its codes mean; return where the codes of each field stand."""
    places, number = {}, 1
    for sheet, columns in sheets.items():
        for column in columns:
            if not column.codes:
                continue
            put(page, 1, number, f"{sheet}: {column.label}")
            page.cell(1, number).font = Font(bold=True)
            for row, (code, meaning) in enumerate(column.codes, 2):
                put(page, row, number, code)
                put(page, row, number + 1, meaning)
            letter = get_column_letter(number)
            places[sheet, column.field] = f"'{CODES}'!${letter}$2:${letter}${len(column.codes) + 1}"
            number += 2
    return places


def _write_guide(page: Worksheet, title: str, sheets: Mapping[str, list[Column]]) -> None:
    put(page, 1, 1, title)
    page.cell(1, 1).font = Font(bold=True, size=14)
    for row, (chinese, english) in enumerate(_WORDS, 2):
        put(page, row, 1, chinese)
        put(page, row, 4, english)
    row = len(_WORDS) + 3
    heads = ("工作表 Sheet", "标题 Heading", "字段 Field", "必填 Required", "最长 Longest", "代码 Codes", "说明 Note")
    for number, head in enumerate(heads, 1):
        put(page, row, number, head)
        page.cell(row, number).font = Font(bold=True)
    for sheet, columns in sheets.items():
        for column in columns:
            row += 1
            longest = "" if column.longest is None else str(column.longest)
            must, listed = "是 yes" if column.required else "", "见下拉列表 list" if column.codes else ""
            for number, text in enumerate((sheet, column.label, column.field, must, longest, listed, column.note), 1):
                put(page, row, number, text)
    for number, width in enumerate((22, 26, 26, 14, 14, 20, 60), 1):
        page.column_dimensions[get_column_letter(number)].width = width


def put(page: Worksheet, row: int, column: int, text: str) -> None:
    """Write a cell as text, whatever it begins with: what starts with = + - @ must not become a formula."""
    cell = page.cell(row, column)
    cell.value = _CONTROL.sub("", text) or None
    cell.number_format = "@"
    cell.alignment = Alignment(vertical="top")
    if cell.value is not None:
        cell.data_type = "s"
        cell.quotePrefix = True
