"""The hub of the work list's tests, with several refused records, and what is done with a returned workbook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from quality.returns import service
from tests.departments import Department
from tests.quality.worklist.conftest import (  # noqa: F401  # fixtures
    BERND,
    WorkHub,
    department,
    empty_runtime,
    hub,
)

Book = openpyxl.Workbook
HEAD = 2
"""The row with the columns' names."""


@pytest.fixture
def rejected(hub: WorkHub, department: Department) -> WorkHub:  # noqa: F811
    """Three events that are refused for their code; the handler's name is a formula in one of them."""
    department.case("C1")
    for number in range(3):
        department.put("PRE_NODE", UNID=f"n{number}", PROJID="C1", PHASE_CODE="SIGNED", NODE_NAME=f"=1+{number}")
    hub.pull()
    return hub


def returned(hub: WorkHub, folder: Path, **more: Any) -> dict[str, Path]:  # noqa: F811
    """Make the return of the department; give its files by their endings."""
    (done,) = service.give_back(hub.runtime, "labour", folder, actor=BERND, **more)
    return {one.suffix: one for one in done.files}


def edit(file: Path, change: Callable[[Book], Any]) -> Path:
    """Change a workbook as a person with a spreadsheet program does."""
    book = openpyxl.load_workbook(file)
    change(book)
    book.save(file)
    return file


def column(book: Book, name: str, page: int = 0) -> int:
    """The number of a column."""
    return [cell.value for cell in book.worksheets[page][HEAD]].index(name) + 1


def put(name: str, value: Any, *rows: int) -> Callable[[Book], None]:
    """Write a value into a column of these rows; the first row of data is 3."""

    def change(book: Book) -> None:
        for row in rows:
            book.worksheets[0].cell(row, column(book, name)).value = value

    return change
