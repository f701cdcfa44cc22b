"""Writes a list as a workbook, streamed; text is text whatever it begins with, numbers are numbers."""

from __future__ import annotations

from typing import IO, Any, Final

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from supervision.sheets.table import UNFIT, Sheet, counted

MOST_ROWS: Final = 1_048_000
_HEAD: Final = PatternFill("solid", fgColor="E0E6ED")
_TITLE: Final = str.maketrans("[]:*?/\\'", "________")
_LONGEST_TITLE: Final = 31


def write_workbook(sheet: Sheet, out: IO[bytes]) -> int:
    """Write a list into one page, with its notes on a second; return how many rows there were.

    Raises:
        TooLong: there are more rows than a page holds.
    """
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet(UNFIT.sub("", sheet.title).translate(_TITLE)[:_LONGEST_TITLE] or "1")
    page.freeze_panes = "A2"
    for place, one in enumerate(sheet.columns, 1):
        page.column_dimensions[get_column_letter(place)].width = 14 if one.number else 24
    count, saved = 0, False
    try:
        page.append([_cell(page, one.title, head=True) for one in sheet.columns])
        for count, cells in enumerate(counted(sheet, MOST_ROWS, "a workbook"), 1):  # noqa: B007  # how many there were
            page.append([_cell(page, one) for one in cells])
        if sheet.notes:
            notes = book.create_sheet("说明 Notes")
            notes.column_dimensions["A"].width = 120
            for note in sheet.notes:
                notes.append([_cell(notes, UNFIT.sub("�", note))])
        book.save(out)
        saved = True
    finally:
        for left in () if saved else book.worksheets:
            left.close()  # pages of a write-only book hold temporary files open
    return count


def _cell(page: Any, value: Any, *, head: bool = False) -> Any:
    cell = WriteOnlyCell(page, value=None)
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    if head:
        cell.font, cell.fill = Font(bold=True), _HEAD
    if isinstance(value, str):
        if value:
            cell.value, cell.data_type, cell.quotePrefix, cell.number_format = value, "s", True, "@"
    else:
        cell.value = value
    return cell
