"""The hub of the work list's tests, with several refused records, and what is done with a returned workbook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from hub.settings import Settings
from pipeline.runtime import Runtime
from quality.returns import service
from tests.conftest import Stock, Stocking
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


def _three_refused(settings: Settings, runtime: Runtime) -> None:
    made = WorkHub(runtime, Department(settings.sources[0]))
    made.department.case("C1")
    for number in range(3):
        made.department.put("PRE_NODE", UNID=f"n{number}", PROJID="C1", PHASE_CODE="SIGNED", NODE_NAME=f"=1+{number}")
    made.pull()


@pytest.fixture(scope="session")
def three_refused(stocking: Stocking) -> Stock:
    return stocking(_three_refused)


@pytest.fixture
def stock(request: pytest.FixtureRequest, template: str) -> Stock:
    """Nothing, or what `rejected` says for the tests that ask for it."""
    made: Stock = request.getfixturevalue("three_refused") if "rejected" in request.fixturenames else Stock(template)
    return made


@pytest.fixture
def rejected(hub: WorkHub) -> WorkHub:  # noqa: F811
    """Three events that are refused for their code; the handler's name is a formula in one of them."""
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
