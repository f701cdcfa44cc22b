"""The hub's own template, filled in: a department that has no system at all (source folder `filled-workbooks`).

Its clerk keeps the same ledgers as those who keep sheets by hand, in the workbook that `hub connector workbook` makes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import cache
from io import BytesIO
from os import environ
from pathlib import Path
from types import TracebackType
from typing import Any

from openpyxl import load_workbook

from demo.model import Department
from demo.shapes.contracts import SOURCES
from demo.shapes.excel import STREAMS, Book, ExcelShape
from demo.shapes.record import Entry, Values

_NAMES = 3
"""The row of a template that names the fields; rows are filled in below it."""


class WorkbookShape(ExcelShape):
    """A template that was filled in, saved under the name of the day."""

    name = "workbook"
    # A template with a further column is refused whole: no clerk of this department adds one.
    carries = ExcelShape.carries - {"field_added"}

    def book(self, file: Path, department: Department, title: str, added: tuple[str, ...] = ()) -> Book:
        """Open the template; its title and columns are the hub's."""
        del title, added
        return _Filled(file, template(department.code))


@cache
def template(code: str) -> bytes:
    """Return the template that the hub makes for a department."""
    with tempfile.TemporaryDirectory(prefix="hub-demo-") as place:
        out = Path(place) / "template.xlsx"
        program = str(Path(sys.executable).with_name("hub"))
        words = [program, "connector", "workbook", code, "--out", str(out), "--json"]
        subprocess.run(words, env={**environ, "HUB_SOURCES": str(SOURCES)}, check=True, stdout=subprocess.DEVNULL)
        return out.read_bytes()


class _Filled:
    """One template that is filled in."""

    def __init__(self, file: Path, template: bytes) -> None:
        self._file, self._book = file, load_workbook(BytesIO(template))
        self._fields = {name: [cell.value for cell in self._book[name][_NAMES]] for name in STREAMS}
        self._rows = dict.fromkeys(STREAMS, _NAMES)

    def __enter__(self) -> _Filled:
        return self

    def put(self, entry: Entry, values: Values) -> None:
        """Write one row, numbered."""
        number = self._rows[entry.stream] - _NAMES + 1
        fields = self._fields[entry.stream]
        self.row(entry.stream, [number if field == "序号" else values.get(str(field)) for field in fields])

    def row(self, stream: str, cells: list[Any]) -> None:
        """Write cells as they are."""
        self._rows[stream] += 1
        for column, value in enumerate(cells, 1):
            self._book[stream].cell(self._rows[stream], column, value)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._book.save(self._file)
