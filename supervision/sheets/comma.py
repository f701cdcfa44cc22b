"""Writes a list as CSV: UTF-8 with a mark, as spreadsheets open it; a cell that looks like a formula is made text."""

from __future__ import annotations

import csv
import io
from typing import IO, Any

from hub.cells import like_formula
from supervision.sheets.table import Sheet


def write_csv(sheet: Sheet, out: IO[bytes]) -> int:
    """Write a list, row by row; return how many rows there were. Notes follow after an empty line."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    try:
        text.write("\ufeff")
        table = csv.writer(text)
        table.writerow([harmless(one.title) for one in sheet.columns])
        count = 0
        for count, cells in enumerate(sheet.cells(), 1):  # noqa: B007  # the last one is how many there were
            table.writerow([harmless(one) for one in cells])
        if sheet.notes:
            table.writerow([])
            table.writerows([[harmless(note)] for note in sheet.notes])
    finally:
        text.detach()  # the file is its owner's to close
    return count


def harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet computes: text that begins like a formula gets an apostrophe before it."""
    if not isinstance(value, str):
        return value
    return f"'{value}" if like_formula(value) else value
