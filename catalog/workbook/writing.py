"""The catalogue written as a workbook, or the empty template: texts only, so that nothing in it can be a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import orjson
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from catalog.errors import FileRefused
from catalog.workbook.sheets import BASES, EMPTY, FIRST, GROUP, GUIDE, HEAD, Column, Sheet, arrays, sheets

_LONGEST = 32_767
"""Characters that a cell of a workbook can hold."""
_LONGEST_CHOICE = 255
"""Characters of the list of choices that a spreadsheet program takes."""
_LAST = 20_000
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
"""What a workbook cannot hold or gives back as something else."""
_HEADING = PatternFill("solid", fgColor="E8EEF7")
_WORDS = (
    ("事项表每行一个事项；其他各表用事项编码指明所属事项。", "A row an item; the other sheets name it by its code."),
    ("第 1、2 行为标题和字段名，请勿改动；从第 3 行填起。", "Leave rows 1 and 2; fill in from row 3 on."),
    (
        "所有单元格均为文本；日期写成 2026-01-31；是否填“是”或“否”。",
        "All cells are text; days as 2026-01-31; 是 or 否.",
    ),
    (
        "前置审批：组号相同的各行满足其一即可，各组都须满足。",
        "Prerequisites: of the rows with one group number one is enough; every group must be met.",
    ),
    (
        "确无内容的清单（如无需材料），在事项表最后一列写明其英文名。",
        "A list that holds nothing on purpose is named in the last column of the items.",
    ),
    ("请勿使用公式、宏、外部链接或合并单元格。", "No formulas, macros, links or merged cells: the file is refused."),
)


def write(
    path: Path, items: Iterable[Mapping[str, Any]] = (), bases: Iterable[Mapping[str, Any]] = ()
) -> None:  # fmt: skip
    """Write items and base items, as `hub catalog export` says them, into a new workbook; without any, the template.

    Raises:
        FileRefused: a text cannot stand in a workbook and come back the same; no file is written.
    """
    listed = list(items)
    book = openpyxl.Workbook(write_only=True)
    guide = book.create_sheet(GUIDE)
    guide.column_dimensions["A"].width = guide.column_dimensions["B"].width = 70
    for line in _WORDS:
        guide.append([_cell(guide, text) for text in line])
    try:
        for sheet in sheets():
            page = _page(book, sheet)
            if sheet.holds == BASES:
                for row in _fixed(bases):
                    page.append([_cell(page, text, at=f"base item {row[0]}") for text in row])
                continue
            for item in listed:
                for row in _rows(sheet, item):
                    page.append([_cell(page, text, at=f"item {item['code']}, {sheet.title}") for text in row])
    except FileRefused:
        for page in book.worksheets:
            page.close()  # pages of a write-only book hold temporary files open
        raise
    book.active = 1
    book.save(path)


def _page(book: Any, sheet: Sheet) -> Any:
    page = book.create_sheet(sheet.title)
    page.freeze_panes = f"B{FIRST}"
    for place, column in enumerate(sheet.columns, 1):
        letter = get_column_letter(place)
        width = page.column_dimensions[letter]
        width.width, width.number_format = max(14, min(44, 2 * len(column.label) + 4)), "@"
        choice = _choice(column)
        if choice is not None:
            choice.add(f"{letter}{FIRST}:{letter}{_LAST}")
            page.data_validations.append(choice)
    page.append([_cell(page, one.label, head=True) for one in sheet.columns])
    page.append([_cell(page, one.name, head=True) for one in sheet.columns])
    return page


def _choice(column: Column) -> DataValidation | None:
    words = {"boolean": ("是", "否"), "code": tuple(map(column.worded, column.codes))}.get(column.kind, ())
    said = ",".join(words)
    if not words or len(said) > _LONGEST_CHOICE:
        return None
    return DataValidation("list", formula1=f'"{said}"', allow_blank=True)


def _rows(sheet: Sheet, item: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield an item's rows of a sheet."""
    content = item["content"]
    if sheet.holds is None:
        empty = [name for name in arrays() if content.get(name) == []]
        said = {**content, **{name: item.get(name) for name in HEAD}, EMPTY: empty}
        yield _row(sheet, said)
    elif sheet.holds == "numbers":
        for scheme, number in item.get("numbers", {}).items():
            yield [item["code"], scheme, number]
    else:
        for one in _listed(sheet.holds, content.get(sheet.holds, ())):
            yield _row(sheet, {**one, "code": item["code"]})


def _fixed(bases: Iterable[Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield a row for each field that a base item fixes."""
    for base in bases:
        for name, value in base["content"].items():
            yield [base["base_code"], name, value if isinstance(value, str) else orjson.dumps(value).decode()]


def _listed(name: str, entries: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for place, one in enumerate(entries, 1):
        if not isinstance(one, dict):
            yield {name: one}
        elif "any_of" in one:
            group = {key: value for key, value in one.items() if key != "any_of"}
            for option in one["any_of"]:
                yield {**group, **option, GROUP: place}
        else:
            yield one


def _row(sheet: Sheet, said: Mapping[str, Any]) -> list[str]:
    return [column.shown(_at(said, column.path)) for column in sheet.columns]


def _at(said: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        said = said.get(name) if isinstance(said, dict) else None
    return said


def _cell(page: Any, text: str, *, at: str = "", head: bool = False) -> Any:
    """Make a cell that is text whatever it begins with."""
    if _UNFIT.search(text) or len(text) > _LONGEST:
        raise FileRefused("", f"{at}: a text cannot stand in a workbook", "Export as JSON, or mend the item.")
    cell = WriteOnlyCell(page, value=None)
    cell.number_format = "@"
    cell.alignment = Alignment(vertical="top", wrap_text="\n" in text or head)
    if head:
        cell.font, cell.fill = Font(bold=True), _HEADING
    if text:
        cell.value = text
        cell.data_type = "s"
        cell.quotePrefix = True
    return cell
