"""Reads a return that came back: each row with its place, as text, and what is wrong with it before it is looked at.

A file that cannot be read, or that the hub did not make, is refused whole; what is wrong with one row or one sheet is
told of that one. Memory is bounded: no file, sheet or cell may be larger than any return is.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from connectors.kinds.files.csvfile import open_csv
from connectors.kinds.files.packed import open_zip
from connectors.kinds.files.where import Where
from connectors.kinds.files.xlsx import Seen, XlsxReader, sheet_parts
from connectors.limits import MIB, Limits
from hub import jsontext
from hub.errors import RefuseUnit
from hub.protect import Protector
from hub.records import BrokenRecord
from quality.returns import forms
from quality.worklist.errors import NotDone

LIMITS = Limits(
    file_bytes=64 * MIB, unpacked_bytes=256 * MIB, cell_chars=100_000, columns=500, rows=forms.MOST_ROWS + 2,
    sheet_cells=3_000_000,
)  # fmt: skip
_FOREIGN = ("xl/vbaProject.bin", "xl/externalLinks/", "xl/activeX/", "xl/embeddings/", "xl/macrosheets/")
_MOST_SHEETS = 100


class NoReturn(NotDone):
    """A file is refused whole: it cannot be read, or it is no return that the hub made."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One row as it came: its sheet (or file) and number, its cells by column, and why it is refused already.

    `record` is what a JSON row says of the source's fields, with its types.
    """

    sheet: str
    row: int
    cells: Mapping[str, str]
    record: Mapping[str, Any] | None = None
    refused: tuple[str, ...] = ()


@dataclass(slots=True)
class Came:
    """A return that came back: for whom it was made, and its rows; `source` is empty where only the rows say it."""

    source: str
    organ: str
    rows: Iterator[Raw]
    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read(file: Path, protector: Protector) -> Came:
    """Open a file that came back, by its ending.

    Raises:
        NoReturn: it is of no form that a return has, too large, or not made by this hub.
    """
    readers = {".xlsx": _workbook, ".csv": _csv, ".json": _json}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise NoReturn(f"{file.name} is no .xlsx, .csv or .json file; send one of the files of the return back.")
    try:
        size = file.stat().st_size
        if size > LIMITS.file_bytes:
            raise NoReturn(f"the file has {size:,} bytes, and no return has more than {LIMITS.file_bytes:,}.")
        return reader(file, protector)
    except OSError as error:
        raise NoReturn(f"{file.name} cannot be read: {error.strerror}.") from None
    except RefuseUnit as error:
        raise NoReturn(f"the file is refused whole: {error.got}.") from None


# --- workbooks ---


class _Sheet(XlsxReader):
    """Reads one sheet as it is: a formula refuses its row, not the file."""

    def __init__(self, handle: BinaryIO, sheet: str, where: Where) -> None:
        super().__init__(handle, {"sheet": sheet}, LIMITS, where)
        self.formulas: dict[int, str] = {}

    def table(self) -> Iterator[tuple[int, list[str] | BrokenRecord]]:
        """Yield the rows of the sheet with their numbers."""
        return self._split()

    def _formula(self, cell: str, row: int) -> None:
        self.formulas.setdefault(row, cell)

    def _reach(self, row: int, seen: Seen) -> None:
        super()._reach(row, seen)
        if row > LIMITS.rows:
            raise self.where.hostile(f"a sheet has a row {row:,}, and no return has more than {LIMITS.rows:,}")

    def _accept(self, seen: Seen) -> None:
        if seen.merged:
            raise self.where.refused(f"cells are merged ({', '.join(seen.merged)}); take the merges apart")


def _workbook(file: Path, protector: Protector) -> Came:
    where = Where("return", "", "workbook")
    with file.open("rb") as handle:
        archive = open_zip(handle, where, LIMITS)
        if any(name.startswith(_FOREIGN) for name in archive.namelist()):
            raise NoReturn("the workbook holds macros, controls or links to other files; no return does.")
        try:
            parts = sheet_parts(archive, where)
        except (KeyError, zipfile.BadZipFile, ValueError) as error:
            raise NoReturn(f"the file is no workbook that can be read ({type(error).__name__}).") from None
    if forms.STAMP not in parts or len(parts) > _MOST_SHEETS:
        raise NoReturn("the workbook is no return: its hidden sheet is missing, or its rows were copied into another.")
    stamp = _stamp(file, where)
    _mind_stamp(stamp, protector)
    streams = {name.removeprefix("sheet "): said for name, said in stamp.items() if name.startswith("sheet ")}
    came = Came(stamp["source"], stamp["organ"], iter(()))
    came.rows = _sheets(file, list(parts), streams, came)
    return came


def _stamp(file: Path, where: Where) -> dict[str, str]:
    with file.open("rb") as handle:
        rows = [row for _number, row in _Sheet(handle, forms.STAMP, where).table() if isinstance(row, list)]
    return {row[0]: row[1] for row in rows if len(row) > 1}


def _mind_stamp(stamp: Mapping[str, Any], protector: Protector) -> None:
    """Refuse what this hub did not make, or made in another form."""
    if stamp.get("form") != forms.FORM:
        raise NoReturn("the file is no return of the present form; make a new one with `hub quality return`.")
    source, organ, mark = (str(stamp.get(name, "")) for name in ("source", "organ", "signature"))
    if not forms.same(mark, forms.signature(protector, source, organ)):
        raise NoReturn("the file was not made by this hub, or what it was made for was changed.")


def _sheets(file: Path, names: list[str], streams: Mapping[str, str], came: Came) -> Iterator[Raw]:
    for name in names:
        if name == forms.STAMP:
            continue
        if name not in streams:
            why = "this sheet is not of the return; nothing of it was read"
            yield Raw(name, 0, {}, refused=(why,))
            continue
        with file.open("rb") as handle:
            reader = _Sheet(handle, name, Where("return", streams[name], name))
            yield from _table(name, reader.table(), came, skip=1, formulas=reader.formulas)


def _table(
    name: str, rows: Iterator[tuple[int, list[str] | BrokenRecord]], came: Came, *, skip: int,
    formulas: Mapping[int, str] | None = None,
) -> Iterator[Raw]:  # fmt: skip
    """Yield the rows below the header of a table."""
    header: tuple[str, ...] | None = None
    for number, cells in rows:
        if isinstance(cells, BrokenRecord):
            yield Raw(name, number, {}, refused=(cells.message,))
        elif header is None:
            if number > skip:
                header = tuple(one.strip() for one in cells)
                while header and not header[-1]:
                    header = header[:-1]
                came.headers[name] = header
        elif number in (formulas or {}):
            yield Raw(name, number, _named(header, cells), refused=(f"cell {(formulas or {})[number]} is a formula",))
        elif any(cell.strip() for cell in cells):
            beside = ("there is a value right of the last column",) if any(cells[len(header) :]) else ()
            yield Raw(name, number, _named(header, cells), refused=beside)


def _named(header: tuple[str, ...], cells: list[str]) -> dict[str, str]:
    return dict(zip(header, [*cells, *[""] * (len(header) - len(cells))], strict=False))


# --- CSV and JSON ---


def _csv(file: Path, _protector: Protector) -> Came:
    came = Came("", "", iter(()))
    came.rows = _csv_rows(file, came)
    return came


def _csv_rows(file: Path, came: Came) -> Iterator[Raw]:
    options = {"encoding": "utf-8-sig", "empty": "keep", "short_rows": "pad"}
    with file.open("rb") as handle:
        reader = open_csv(handle, options, LIMITS, Where("return", "", "csv"))
        for count, (number, row) in enumerate(reader.rows()):
            if count >= forms.MOST_ROWS:
                raise NoReturn(f"the file has more than {forms.MOST_ROWS:,} rows; no return has.")
            if isinstance(row, BrokenRecord):
                yield Raw("csv", number, {}, refused=(row.message,))
                continue
            came.headers.setdefault("csv", tuple(row))
            yield Raw("csv", number, {name: forms.csv_read(str(cell)) for name, cell in row.items()})


def _json(file: Path, protector: Protector) -> Came:
    try:
        said = jsontext.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise NoReturn("the file is no JSON that can be read.") from None
    if not isinstance(said, dict) or not isinstance(said.get("streams"), list):
        raise NoReturn("the file is no return: it has no `streams`.")
    _mind_stamp(said, protector)
    return Came(str(said["source"]), str(said["organ"]), _json_rows(said["streams"]))


def _json_rows(streams: list[Any]) -> Iterator[Raw]:
    count = 0
    for part in streams:
        name = str(part.get("stream", ""))[:200] if isinstance(part, dict) else ""
        rows = part.get("rows") if isinstance(part, dict) else None
        for number, row in enumerate(rows if isinstance(rows, list) else [], 1):
            count += 1
            if count > forms.MOST_ROWS * _MOST_SHEETS:
                raise NoReturn("the file has more rows than any return.")
            if not isinstance(row, dict) or not isinstance(row.get("record"), dict):
                yield Raw(name, number, {}, refused=("the row is no object with a `record`",))
                continue
            cells = {column: str(row.get(column, "")) for column in forms.NAMED}
            yield Raw(name, number, cells, record=row["record"])
