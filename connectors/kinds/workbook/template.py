"""Makes the Excel template of a source: a sheet a stream, a guide, the code lists, and the hidden stamp."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from connectors.kinds.workbook.sheets import (
    CODES,
    EXAMPLE,
    FIRST,
    GUIDE,
    HEADINGS,
    LAST,
    NAMES,
    STAMP,
    Column,
    Sheet,
    sheets_of,
)
from connectors.source import Source
from hub.records import Record

FORM = 1
"""Version of the form in which the stamp and the sheets are written."""

_PRINTED = 12
"""Columns that can still be read when they are printed on one sheet."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_MUST = PatternFill("solid", fgColor="FFE4B5")
_MAY = PatternFill("solid", fgColor="E8EEF7")
_LINE = Side(style="thin", color="B0B0B0")
_GREY = "808080"

_WORDS = (
    ("一张工作表对应一类记录，一行一条；从第 4 行填起。", "One row a record, from row 4 on."),
    ("第 1–3 行为标题、示例和字段名，已锁定。", "Rows 1 to 3 are locked: headings, an example, names."),
    ("请勿增删列、改工作表名或增加工作表。", "Leave columns and sheets as they are."),
    ("标题带 ＊ 的列必填，其余可留空；空行不读。", "Columns marked ＊ must be filled; empty rows are not read."),
    ("所有单元格都是文本；时间写成 2026-01-05 08:30。", "All cells are text; write times as 2026-01-05 08:30."),
    ("有下拉列表的列只能填「代码」表中的代码。", "Where there is a list, fill in its codes; see sheet Codes."),
    (
        "请勿使用公式、宏、外部链接或合并单元格：此类文件会被退回。",
        "No formulas, macros, links, merged cells: they are sent back.",
    ),
    ("仅供下列单位填报，填报内容按补录办件接收。", "For the organ below only; what is filled in is back-entered."),
)


def make(source: Source, examples: Mapping[str, Record] | None = None) -> bytes:
    """Return the template for a source's streams as the bytes of an .xlsx; `examples` are invented records by stream.

    Raises:
        ConfigError: the mapping, a raw schema or a code list cannot be read, or a sheet cannot be made of it.
    """
    sheets = sheets_of(source)
    book = openpyxl.Workbook()
    guide = book.worksheets[0]
    guide.title = GUIDE
    pages = [book.create_sheet(one.name) for one in sheets]
    codes = book.create_sheet(CODES)
    places = _write_codes(codes, sheets)
    _write_guide(guide, source, sheets)
    for page, sheet in zip(pages, sheets, strict=True):
        _write_sheet(page, sheet, places, (examples or {}).get(sheet.stream, {}))
    _write_stamp(book.create_sheet(STAMP), source, sheets)
    for page in (guide, *pages, codes):
        _fit_for_print(page)
    book.active = 1
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fit_for_print(page: Worksheet) -> None:
    """Let a page that is not too wide be printed whole: some fill it in on paper first."""
    if page.max_column > _PRINTED:
        return
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToHeight = False
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _write_stamp(page: Worksheet, source: Source, sheets: Sequence[Sheet]) -> None:
    """Write for whom and for which columns the workbook was made, where nobody looks and every program keeps it."""
    said = [("form", str(FORM)), ("source", source.code), *((f"sheet {one.name}", one.version) for one in sheets)]
    for row, (name, value) in enumerate(said, 1):
        put(page, row, 1, name)
        put(page, row, 2, value)
    page.sheet_state = "veryHidden"
    page.protection.sheet = True


def _write_sheet(page: Worksheet, sheet: Sheet, places: Mapping[tuple[str, str], str], example: Record) -> None:
    for number, column in enumerate(sheet.columns, 1):
        letter = get_column_letter(number)
        width = page.column_dimensions[letter]
        width.width = max(20, min(40, 2 * len(column.label) + 6))
        width.number_format = "@"  # else Excel shortens long numbers and turns codes into dates
        width.protection = Protection(locked=False)
        _head(page, number, column)
        _example(page, number, example.get(column.field))
        put(page, NAMES, number, column.field, Font(italic=True, size=9, color=_GREY))
        cells = f"{letter}{FIRST}:{letter}{LAST}"
        if (rule := _rule(column, places.get((sheet.name, column.field)))) is not None:
            rule.add(cells)
            page.add_data_validation(rule)
    page.row_dimensions[HEADINGS].height = 32
    page.freeze_panes = f"A{FIRST}"
    lock = page.protection
    lock.sheet = True
    # What is locked is the head; people may still insert, delete, sort and widen.
    lock.formatColumns = lock.formatRows = lock.insertRows = lock.deleteRows = lock.sort = lock.autoFilter = False


def _head(page: Worksheet, number: int, column: Column) -> None:
    put(page, HEADINGS, number, column.heading, Font(bold=True))
    head = page.cell(HEADINGS, number)
    head.fill = _MUST if column.required else _MAY
    head.border = Border(bottom=_LINE, right=_LINE)
    head.alignment = Alignment(wrap_text=True, vertical="center")
    words = [one for one in (column.note, f"最长 {column.longest} 字 at most" if column.longest else "") if one]
    if words:
        head.comment = Comment("\n".join(words), "hub", width=260, height=24 + 18 * len(words))


def _example(page: Worksheet, number: int, value: Any) -> None:
    text = "" if value is None else ("true" if value else "false") if isinstance(value, bool) else str(value)
    if number == 1:
        text = f"例 {text}".strip()
    put(page, EXAMPLE, number, text, Font(italic=True, color=_GREY))
    page.cell(EXAMPLE, number).border = Border(bottom=_LINE)


def _rule(column: Column, place: str | None) -> DataValidation | None:
    """Return what Excel lets into a column: the codes of its list, else texts that are short enough."""
    if place is not None:
        rule = DataValidation("list", formula1=place, allow_blank=True, showErrorMessage=True)
        rule.error = "请从下拉列表选择 Choose from the list"
        return rule
    if column.longest is None:
        return None
    rule = DataValidation("textLength", "lessThanOrEqual", str(column.longest), allow_blank=True, showErrorMessage=True)
    rule.error = f"最长 {column.longest} 字 At most {column.longest} characters"
    return rule


def _write_codes(page: Worksheet, sheets: Sequence[Sheet]) -> dict[tuple[str, str], str]:
    """Write each code list beside what its codes mean; return where the codes of each field stand."""
    places, number = {}, 1
    for sheet in sheets:
        for column in sheet.columns:
            if not column.codes:
                continue
            put(page, 1, number, f"{sheet.name}: {column.label}", Font(bold=True))
            for row, (code, meaning) in enumerate(column.codes, 2):
                put(page, row, number, code)
                put(page, row, number + 1, meaning)
            letter = get_column_letter(number)
            page.column_dimensions[letter].width = 18
            page.column_dimensions[get_column_letter(number + 1)].width = 24
            places[sheet.name, column.field] = f"'{CODES}'!${letter}$2:${letter}${len(column.codes) + 1}"
            number += 2
    page.protection.sheet = True
    return places


def _write_guide(page: Worksheet, source: Source, sheets: Sequence[Sheet]) -> None:
    title = f"{source.title.get('zh', '')} {source.title.get('en', '')}".strip()
    put(page, 1, 1, title, Font(bold=True, size=14))
    page.row_dimensions[1].height = 24
    for row, (chinese, english) in enumerate(_WORDS, 2):
        put(page, row, 1, chinese)
        put(page, row, 5, english)
    row = len(_WORDS) + 2
    versions = ", ".join(f"{one.name} {one.version}" for one in sheets)
    put(page, row, 1, f"填报单位 Organ: {source.owner.name} ({source.code})")
    put(page, row + 1, 1, f"模板版本 Template: {versions}")
    row += 3
    heads = ("工作表 Sheet", "列 Column", "标题 Heading", "字段 Field", "必填 Required", "最长 Longest", "代码 Codes",
             "说明 Note")  # fmt: skip
    for number, head in enumerate(heads, 1):
        put(page, row, number, head, Font(bold=True))
        page.cell(row, number).fill = _MAY
    for sheet in sheets:
        for place, column in enumerate(sheet.columns, 1):
            row += 1
            for number, text in enumerate(_told(sheet, place, column), 1):
                put(page, row, number, text)
    for number, width in enumerate((20, 10, 26, 26, 14, 14, 18, 60), 1):
        page.column_dimensions[get_column_letter(number)].width = width
    page.protection.sheet = True


def _told(sheet: Sheet, place: int, column: Column) -> tuple[str, ...]:
    longest = "" if column.longest is None else str(column.longest)
    must, listed = "是 yes" if column.required else "", "见下拉列表 list" if column.codes else ""
    return sheet.name, get_column_letter(place), column.label, column.field, must, longest, listed, column.note


def put(page: Worksheet, row: int, column: int, text: str, font: Font | None = None) -> None:
    """Write a locked cell as text, whatever it begins with: what starts with = + - @ must not become a formula."""
    cell = page.cell(row, column)
    cell.value = _CONTROL.sub("", text) or None
    cell.number_format = "@"
    cell.alignment = Alignment(vertical="top")
    cell.protection = Protection(locked=True)
    if font is not None:
        cell.font = font
    if cell.value is not None:
        cell.data_type = "s"
        cell.quotePrefix = True
