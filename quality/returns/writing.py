"""Writes a return: a workbook, a CSV a stream, and a JSON file, each closed to others (0600) and never overwritten."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter

from hub import jsontext
from hub.settings import private_folder
from quality.returns import forms
from quality.returns.forms import Form
from quality.returns.rows import Rejected
from quality.worklist.errors import NotDone
from sharedrepo.archive.names import segment

_LOCKED = PatternFill("solid", fgColor="E0E0E0")
_WIDTHS = {forms.ENTRY: 10, forms.TOKEN: 14, "hub:wrong_zh": 40, "hub:wrong_en": 40, "hub:hint_zh": 40}
_LOCKED_COLUMNS = len(forms.NAMED) + len(forms.TOLD)
_LONGEST_TITLE = 31
_UNFIT = str.maketrans("[]:*?/\\'", "________")


def file_name(source: str, organ: str, *parts: str, ending: str) -> str:
    """Return a file's name: the source, the organ that it is for, and nothing of what it holds."""
    return "-".join(segment(part or "unnamed") for part in (source, organ, *parts)) + f".{ending}"


@contextmanager
def closed_file(path: Path, *, text: bool) -> Iterator[IO[Any]]:
    """Open a new file that only its owner reads.

    Raises:
        NotDone: it is there already.
    """
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise NotDone(f"{path} is there already and is never overwritten; name another folder.") from None
    with os.fdopen(number, "w", encoding="utf-8", newline="") if text else os.fdopen(number, "wb") as out:
        yield out


class Writer:
    """Writes the three forms of one department's return side by side, row by row.

    As a context it takes its files away again when something goes wrong: nobody is sent half a return.
    """

    def __init__(self, folder: Path, source: str, organ: str, mark: str) -> None:
        self._folder, self._source, self._organ, self._mark = private_folder(folder), source, organ, mark
        self._book = openpyxl.Workbook(write_only=True)
        self._titles: dict[str, str] = {}
        self._json: ExitStack = ExitStack()
        self._out: IO[bytes] | None = None
        self._files: list[Path] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        self._json.close()
        if kind is None:
            return
        for page in self._book.worksheets:
            page.close()  # pages of a write-only book hold temporary files open
        for file in self._files:
            file.unlink(missing_ok=True)

    def stream(self, form: Form, rows: Iterator[Rejected]) -> int:
        """Write one stream's rows; return how many there were."""
        first = next(rows, None)
        if first is None:
            return 0
        count = 0
        with self._file(form.stream, ending="csv") as out:
            page = self._page(form)
            out.write("\ufeff")
            table = csv.writer(out)
            table.writerow(form.columns)
            for row in _with(first, rows):
                cells = [row.cells[name] for name in form.columns]
                page.append([_cell(page, text, locked=place < _LOCKED_COLUMNS) for place, text in enumerate(cells)])
                table.writerow([forms.csv_safe(text) for text in cells])
                self._write_json(form, row, first=not count)
                count += 1
        return count

    def _write_json(self, form: Form, row: Rejected, *, first: bool) -> None:
        """Write one row into the JSON file, which is opened at the first."""
        begins = self._out is None
        if self._out is None:
            self._out = self._json.enter_context(self._file(ending="json"))
            self._out.write(jsontext.dumps(self._said)[:-1] + b',"streams":[')
        if first:
            self._out.write((b"" if begins else b"]},") + b'{"stream":' + jsontext.dumps(form.stream) + b',"rows":[')
        named = {name: row.cells[name] for name in (*forms.NAMED, *forms.TOLD)}
        self._out.write((b"" if first else b",") + jsontext.dumps({**named, "record": row.record}))

    def finish(self) -> list[Path]:
        """Write the workbook and end the JSON file; return all files. There is none where there was no row."""
        if self._out is None:
            return []
        self._out.write(b"]}]}")
        self._json.close()
        stamp = self._book.create_sheet(forms.STAMP)
        stamp.sheet_state = "veryHidden"
        for name, value in [*self._said.items(), *((f"sheet {title}", one) for title, one in self._titles.items())]:
            stamp.append([_cell(stamp, name, locked=True), _cell(stamp, value, locked=True)])
        with self._file(ending="xlsx") as out:
            self._book.save(out)
        return self._files

    @property
    def _said(self) -> dict[str, str]:
        return {"form": forms.FORM, "source": self._source, "organ": self._organ, "signature": self._mark}

    @contextmanager
    def _file(self, *parts: str, ending: str) -> Iterator[IO[Any]]:
        path = self._folder / file_name(self._source, self._organ, "rejected", *parts, ending=ending)
        with closed_file(path, text=ending == "csv") as out:
            self._files.append(path)
            yield out

    def _page(self, form: Form) -> Any:
        title = f"{len(self._titles) + 1} {form.stream}".translate(_UNFIT)[:_LONGEST_TITLE]
        self._titles[title] = form.stream
        page = self._book.create_sheet(title)
        page.freeze_panes = "A3"
        page.protection.sheet = True
        page.protection.formatColumns = page.protection.formatRows = page.protection.autoFilter = False
        for place, name in enumerate(form.columns, 1):
            page.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(name, 22)
        labels = [form.label(name) for name in form.columns]
        page.append([_cell(page, text, locked=True, head=True) for text in labels])
        page.append([_cell(page, text, locked=True) for text in form.columns])
        return page


def _with(first: Rejected, rest: Iterator[Rejected]) -> Iterator[Rejected]:
    yield first
    yield from rest


def _cell(page: Any, text: str, *, locked: bool, head: bool = False) -> Any:
    """Make a cell that is text whatever it begins with; what names the row cannot be typed over."""
    cell = WriteOnlyCell(page, value=None)
    cell.protection = Protection(locked=locked)
    cell.number_format = "@"
    cell.alignment = Alignment(vertical="top", wrap_text="\n" in text)
    if head:
        cell.font = Font(bold=True)
    if locked:
        cell.fill = _LOCKED
    if text:
        cell.value = text
        cell.data_type = "s"
        cell.quotePrefix = True
    return cell


def write_stream(path: Path, header: Sequence[str], rows: Iterator[Mapping[str, Any]]) -> int:
    """Write rows as CSV (UTF-8 with BOM, no formulas) and, beside it, as JSON lines; return how many there were."""
    count = 0
    lines = path.with_suffix(".jsonl")
    with closed_file(path, text=True) as out, closed_file(lines, text=False) as beside:
        out.write("\ufeff")
        table = csv.writer(out)
        table.writerow(header)
        for row in rows:
            table.writerow([forms.csv_safe(forms.cell_of(row[name])) for name in header])
            beside.write(jsontext.dumps({name: row[name] for name in header}) + b"\n")
            count += 1
    return count
