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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
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
        """Walk over the sheet's cells before anything reserves memory for them."""
        seen, row, column = Seen(), 0, 0
        with archive.open(part) as member:
            for event, element in iterate(
                member,
                events=("start", "end"),
                tags=("{*}row", "{*}c", "{*}mergeCell"),
                limit=self.limits.unpacked_bytes,
            ):
                if element.tag.endswith("mergeCell"):
                    if event == "end" and len(seen.merged) < _MOST_MERGED:
                        seen.merged.append(str(element.get("ref")))
                    continue
                is_row = element.tag.endswith("}row") or element.tag == "row"
                if event == "start":
                    if is_row:
                        row, column = int(element.get("r") or row + 1), 0
                        self._reach(row, seen)
                    continue
                if not is_row:
                    row, column = _place(element.get("r"), row, column)
                    self._cell(element, row, column, seen)
                element.clear()
                while (before := element.getprevious()) is not None and (parent := element.getparent()) is not None:
                    parent.remove(before)
        return seen

    def _reach(self, row: int, seen: Seen) -> None:
        """Note how far down the sheet goes; a stricter reader may refuse it there."""
        seen.height = max(seen.height, row)

    def _cell(self, element: Any, row: int, column: int, seen: Seen) -> None:
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


def _place(reference: str | None, row: int, column: int) -> tuple[int, int]:
    found = _REFERENCE.fullmatch(reference or "")
    if found is None:
        return row, column + 1
    number = 0
    for letter in found.group(1):
        number = number * 26 + ord(letter) - 64
    return int(found.group(2)), number


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
