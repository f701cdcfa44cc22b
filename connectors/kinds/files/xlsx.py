"""Reads Excel sheets (.xlsx). Every cell gives text, as CSV does: a number as Excel shows it, a date in ISO 8601.

Before calamine reads a workbook its parts are unpacked once, counted and checked, and the sheet's XML is walked for
what calamine would not tell: formulas, whose shown value may be anything; error cells; and one cell far outside,
which would make any reader reserve the whole rectangle.
"""

from __future__ import annotations

import math
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from string import ascii_uppercase
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook

from connectors.kinds.files.columns import find_header, name_columns, table_body
from connectors.kinds.files.packed import open_zip, prove_member
from connectors.kinds.files.where import Where
from connectors.limits import Limits
from connectors.slices import Row
from hub.records import BrokenRecord
from hub.xmlsafe import XmlFault, iterate, parse

_MAIN = "{*}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_NUMBER = re.compile(r"[0-9]{1,7}")
_LONGEST = 3 + 7
"""Characters of a reference: letters and digits."""
_WALKED = ("{*}row", "{*}mergeCell", "{*}sheetData")
_LOOKED_FOR = ("{*}row", "{*}c", "{*}f")
_MOST_MERGED = 3
_EXACT = 1e15
"""Excel keeps fifteen digits; a longer number is shown as it was kept, 9.13E+17, never with invented digits."""


@dataclass(slots=True)
class Seen:
    """What the walk over a sheet's XML saw."""

    height: int = 0
    width: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)
    """The first ranges of cells that are merged."""


class XlsxReader:
    """Reads one sheet of one workbook."""

    def __init__(self, handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> None:
        self.handle, self.options, self.limits, self.where = handle, options, limits, where
        self.declared: dict[str, int] = {}

    def rows(self) -> Iterator[Row]:
        """Yield each row with its number in the sheet.

        Raises:
            RefuseUnit: the workbook is damaged, locked, has formulas, or breaks a limit.
        """
        with self.handle:
            split = self._split()
            table = ((number, cells) for number, cells in split if isinstance(cells, list))
            names = self._names(table)
            absent = dict.fromkeys(set(self.options.get("absent", ())) - set(names))
            keep, width = self.options.get("empty") == "keep", len(names)
            for number, cells in table_body(split, self.options, self.where, self.declared):
                if isinstance(cells, BrokenRecord):
                    yield number, cells
                elif any(cell.strip() for cell in cells[width:]):
                    message = f"row {number} has a value right of the last named column"
                    yield number, BrokenRecord(number, "unreadable_record", message, "\t".join(cells))
                else:
                    values = [cell if keep else cell or None for cell in cells[:width]]
                    yield number, {**dict(zip(names, values, strict=False)), **absent}

    def _names(self, table: Iterator[tuple[int, list[str]]]) -> list[str]:
        """Take the rows up to the header and return the names of the columns."""
        return name_columns(find_header(table, self.options, self.where), self.options, self.where, self.limits)

    def _split(self) -> Iterator[tuple[int, list[str] | BrokenRecord]]:
        archive = open_zip(self.handle, self.where, self.limits)
        try:
            parts = sheet_parts(archive, self.where)
            for member in archive.namelist():
                if member.startswith("xl/") and member.endswith((".xml", ".rels")):
                    prove_member(archive, member, self.where)
            self._look_over(archive, parts)
            name = self._choose(parts)
            seen = self._walk(archive, parts[name])
        except (XmlFault, KeyError) as fault:
            raise self._fault(fault) from None
        self._accept(seen)
        for number, row in enumerate(self._cells(name), 1):
            yield number, self._texts(number, row, seen)

    def _look_over(self, archive: zipfile.ZipFile, parts: Mapping[str, str]) -> None:
        """Look at the workbook as a whole, whose sheets lie in these parts; a stricter reader may refuse it."""

    def _accept(self, seen: Seen) -> None:
        """Look at what the walk saw; a stricter reader may refuse the sheet."""

    def _cells(self, name: str) -> list[list[Any]]:
        """Return the cells of a sheet that was walked over, as calamine reads them."""
        self.handle.seek(0)
        try:
            sheet = CalamineWorkbook.from_filelike(self.handle).get_sheet_by_name(name)
            return sheet.to_python(skip_empty_area=False)
        except (CalamineError, ValueError, OSError) as error:
            raise self.where.refused(f"the workbook cannot be read: {type(error).__name__}") from None

    def _texts(self, number: int, row: list[Any], seen: Seen) -> list[str] | BrokenRecord:
        cells = [cell if type(cell) is str else _shown(cell) for cell in row]
        for column, text in seen.errors.items() if seen.errors else ():
            if column[0] == number:
                cells[column[1] - 1] = text
        if any("\0" in cell or len(cell) > self.limits.cell_chars for cell in cells):
            message = f"row {number} holds a NUL character or a cell beyond the limit"
            return BrokenRecord(number, "unreadable_record", message, "\t".join(cells)[: self.limits.cell_chars])
        return cells

    def _choose(self, parts: Mapping[str, str]) -> str:
        wanted = self.options.get("sheet", 1)
        if isinstance(wanted, int) and wanted <= len(parts):
            return list(parts)[wanted - 1]
        if wanted in parts:
            return str(wanted)
        raise self.where.refused(
            f"the workbook has no sheet {wanted!r}", known=", ".join(parts), hint="Mend `sheet` in source.yml."
        )

    def _walk(self, archive: zipfile.ZipFile, part: str) -> Seen:
        """Walk over the sheet's rows before anything reserves memory for their cells; a row at a time is held."""
        seen, row = Seen(), 0
        with archive.open(part) as member:
            for _, element in iterate(member, tags=_WALKED, limit=self.limits.unpacked_bytes):
                sort = _sort(element)
                if sort == "sheetData":
                    self._only_rows(element)
                    continue
                if sort == "row":
                    row = self._row(element, row + 1, seen)
                elif len(seen.merged) < _MOST_MERGED:
                    seen.merged.append(str(element.get("ref")))
                self._forget(element)
        return seen

    def _row(self, element: Any, following: int, seen: Seen) -> int:
        """Look over a row's cells, at once where they are plain, else one by one; return its number."""
        said = element.get("r") or str(following)
        if not _NUMBER.fullmatch(said):
            raise self.where.hostile("the sheet has a row whose number is none", known="1 to 9,999,999")
        row = int(said)
        self._reach(row, seen)
        cells = list(element)
        if list(element.iter(*_LOOKED_FOR))[1:] != cells:  # a formula, or what a row should not hold
            cells = self._cells_of(element)
        elif "e" not in {cell.get("t") for cell in cells}:
            column = last_column([cell.get("r", "") for cell in cells], row)
            if column:
                self._span(row, column, seen)
                return row
        place = (row, 0)
        for cell in cells:
            place = _place(cell.get("r"), *place)
            self._cell(cell, *place, seen)
        return row

    def _cells_of(self, row: Any) -> list[Any]:
        """Return the cells of a row, if all that a reader may take for one stand in it as cells."""
        cells: list[Any] = row.findall(f"{_MAIN}c")
        inner = list(row.iter("{*}c", "{*}row"))[1:]
        if inner != cells or any(_sort(one) not in {"c", "extLst"} for one in row):
            raise self._odd()
        return cells

    def _only_rows(self, data: Any) -> None:
        """Refuse what a reader of cells may take for one, though it stands in no row that was looked over."""
        if any(_sort(one) != "row" for one in data):
            raise self._odd()

    def _forget(self, element: Any) -> None:
        """Drop an element that was looked at and those before it, which must be of its sort: else more would go."""
        element.clear()
        while (before := element.getprevious()) is not None and (parent := element.getparent()) is not None:
            if _sort(before) != _sort(element):
                raise self._odd()
            parent.remove(before)

    def _odd(self) -> Exception:
        got = "the sheet has cells outside of rows, or rows that hold other things than cells"
        return self.where.hostile(got, known="rows of cells")

    def _reach(self, row: int, seen: Seen) -> None:
        """Note how far down the sheet goes; a stricter reader may refuse it there."""
        seen.height = max(seen.height, row)

    def _span(self, row: int, column: int, seen: Seen) -> None:
        """Note how far the sheet goes, and stop where no honest one does."""
        self._reach(row, seen)
        seen.width = max(seen.width, column)
        if seen.width > self.limits.columns:
            raise self.where.hostile(
                f"the sheet has a cell in column {column:,}", known=f"at most {self.limits.columns:,}"
            )
        if seen.height * seen.width > self.limits.sheet_cells:
            raise self.where.hostile(
                f"the sheet spans {seen.height:,} × {seen.width:,} cells", known=f"at most {self.limits.sheet_cells:,}"
            )

    def _cell(self, element: Any, row: int, column: int, seen: Seen) -> None:
        self._span(row, column, seen)
        if self.options.get("formulas") != "values" and element.find(f"{_MAIN}f") is not None:
            self._formula(f"{letters_of(column)}{row}", row)
        if element.get("t") == "e":
            seen.errors[row, column] = (element.findtext(f"{_MAIN}v") or "#ERROR")[:20]

    def _formula(self, cell: str, row: int) -> None:
        """Refuse a workbook with a formula, whose shown value may be anything; another reader may refuse the row."""
        del row
        raise self.where.hostile(f"cell {cell} holds a formula", known="values only, or option `formulas: values`")

    def _fault(self, fault: Exception) -> Exception:
        if isinstance(fault, KeyError):
            return self.where.truncated("a part of the workbook is missing")
        if isinstance(fault, XmlFault) and fault.sort == "unsafe":
            return self.where.hostile(f"the workbook's XML: {fault}")
        return self.where.refused(f"the workbook's XML: {fault}")


def sheet_parts(archive: zipfile.ZipFile, where: Where) -> dict[str, str]:
    """Return the names of a workbook's sheets in their order, each with the part that holds it."""
    names = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
    for name in names:
        prove_member(archive, name, where)
    book, relations = (parse(archive.read(name)).getroot() for name in names)
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    found: dict[str, str] = {}
    for sheet in book.iterfind(f"{_MAIN}sheets/{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION) or sheet.get(_STRICT_RELATION), "")
        part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        if "worksheets/" in part:
            found[sheet.get("name", "")] = part
    return found


def _sort(element: Any) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _place(reference: str | None, row: int, column: int) -> tuple[int, int]:
    found = _REFERENCE.fullmatch(reference or "")
    return (row, column + 1) if found is None else (int(found.group(2)), _column(found.group(1)))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def last_column(references: Sequence[str], row: int) -> int:
    """Return the last column of cells that all name their place in this row; 0 where one does not, or there are none.

    Of references of one row that with the most letters is the last, and among these the last by the alphabet.
    """
    if {one.lstrip(ascii_uppercase) for one in references} != {str(row)}:
        return 0
    found = _REFERENCE.fullmatch(max([one.rjust(_LONGEST) for one in references]).lstrip())
    lettered = len(min(references, key=len)) > len(str(row))
    return _column(found.group(1)) if found is not None and lettered else 0


def letters_of(column: int) -> str:
    """Return a column's letters, as a spreadsheet program names it."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _shown(cell: Any) -> str:
    """Return a typed cell as text."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        if not math.isfinite(cell):
            return str(cell)
        return str(int(cell)) if abs(cell) < _EXACT and cell == int(cell) else format(cell, ".15G")
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(cell)


def open_xlsx(handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> XlsxReader:
    """Return the reader of one workbook."""
    return XlsxReader(handle, options, limits, where)
