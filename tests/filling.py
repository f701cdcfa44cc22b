"""A department that fills in the template which the hub makes for it, as a person does with a spreadsheet program."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl

from connectors.kinds.workbook.sheets import FIRST, NAMES
from connectors.kinds.workbook.template import make
from connectors.loading import load_sources
from connectors.source import Source
from kit.scaffold import write

Book = openpyxl.Workbook
CASE = {
    "case_number": "2026-0001", "item_name": "建筑工程施工许可", "applicant": "某某建设有限公司", "kind": "承诺",
    "applied_at": "2026-01-05 08:30", "changed_at": "2026-01-05 09:00",
}  # fmt: skip


def a_source(place: Path, code: str = "land-office") -> Source:
    """Write the source folder of a department without a system."""
    place.mkdir(parents=True, exist_ok=True)
    return load_sources([write(code, "workbook", None, place).folder])[0]


def book_of(data: bytes) -> Book:
    """Open a workbook as a spreadsheet program would."""
    return openpyxl.load_workbook(io.BytesIO(data))


def fill(
    source: Source,
    file: Path,
    rows: list[dict[str, Any]],
    sheet: str = "cases",
    change: Callable[[Book], Any] | None = None,
) -> None:
    """Fill the template in, by the names above the columns; `change` does what else the person does."""
    book = book_of(make(source))
    page = book[sheet]
    names = [cell.value for cell in page[NAMES]]
    for number, row in enumerate(rows, FIRST):
        for name, value in row.items():
            page.cell(number, names.index(name) + 1, value)
    if change is not None:
        change(book)
    book.save(file)


def redeclare(source: Source, **fields: Any) -> Source:
    """Change fields of the raw schema of `cases`; what is new is ignored by the mapping. Return the source anew."""
    file = source.folder / "cases.schema.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    mapping = source.folder / "mapping.yml"
    for name in set(fields) - set(schema["properties"]):
        mapping.write_text(mapping.read_text(encoding="utf-8") + f'      {name}: "of no use"\n', encoding="utf-8")
    schema["properties"] |= fields
    file.write_text(json.dumps(schema), encoding="utf-8")
    return load_sources([source.folder])[0]
