"""Reads CSV as departments write it: title lines, changing headers, trailers, line breaks inside cells."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from connectors.kinds.files.columns import find_header, name_columns, table_body
from connectors.kinds.files.text import choose_encoding, declared_encodings, read_lines
from connectors.kinds.files.where import Where
from connectors.limits import Limits
from connectors.slices import Row
from hub.errors import RefuseUnit
from hub.records import BrokenRecord

_RETURN = "\ufdd0"
"""Stands for a bare carriage return while `csv` looks at a line; Unicode promises that no text holds it."""
_WIDE = 20
"""A line with this many times the separators that columns may be is not even split."""


class CsvReader:
    """Reads one CSV file; every cell is text, an empty one None (option `empty: keep` leaves it empty text)."""

    def __init__(self, handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> None:
        self.handle, self.options, self.limits, self.where = handle, options, limits, where
        self.declared: dict[str, int] = {}
        self._taken: list[str] = []
        self._line = 0
        self._odd = False

    def rows(self) -> Iterator[Row]:
        """Yield each row with the number of its first line.

        Raises:
            RefuseUnit: encoding, header, end or a limit of the file is not as declared.
        """
        with self.handle:
            split = self._split()
            table = ((number, cells) for number, cells in split if isinstance(cells, list))
            names = name_columns(find_header(table, self.options, self.where), self.options, self.where, self.limits)
            absent = dict.fromkeys(set(self.options.get("absent", ())) - set(names))
            keep, width = self.options.get("empty") == "keep", len(names)
            for number, cells in table_body(split, self.options, self.where, self.declared):
                if isinstance(cells, BrokenRecord):
                    yield number, cells
                    continue
                if len(cells) != width and not self._fits(cells, width):
                    yield number, self._odd_row(number, cells, width)
                    continue
                values: list[str] | list[str | None] = cells if keep else [cell or None for cell in cells]
                record = dict(zip(names, values))  # noqa: B905  # the widths were compared; strict costs time
                yield number, {**record, **absent} if absent else record

    def _fits(self, cells: list[str], width: int) -> bool:
        """Bring a row to the table's width where nothing is lost or guessed by it."""
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            del cells[width:]
            return True
        if len(cells) < width and self.options.get("short_rows") == "pad":
            cells.extend([""] * (width - len(cells)))
            return True
        return False

    def _odd_row(self, number: int, cells: list[str], width: int) -> BrokenRecord:
        if len(cells) < width and self._taken and not self._taken[-1].endswith(("\n", "\r")):
            raise self.where.truncated(f"the file ends within line {number}: {len(cells)} of {width} cells")
        message = f"line {number} has {len(cells)} cells where the header has {width}"
        return BrokenRecord(number, "unreadable_record", message, "".join(self._taken).rstrip("\r\n"))

    def _split(self) -> Iterator[tuple[int, list[str] | BrokenRecord]]:
        """Yield the rows that `csv` makes of the lines; a row that it cannot read is a broken record."""
        csv.field_size_limit(self.limits.cell_chars)
        quote = self.options.get("quote", '"')
        reader = csv.reader(
            self._lines(), delimiter=self.options.get("delimiter", ","), strict=True,
            quotechar=quote or None, quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        )  # fmt: skip
        while True:
            self._taken, start, self._odd = [], self._line + 1, False
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield start, self._broken(start, error)
                continue
            if len(cells) > self.limits.columns:
                raise self.where.hostile(
                    f"line {start} has {len(cells):,} cells", known=f"at most {self.limits.columns:,}"
                )
            if self._odd:
                if "\0" in "".join(cells):
                    raw = "".join(self._taken).rstrip("\r\n")
                    yield start, BrokenRecord(start, "unreadable_record", f"line {start} holds a NUL character", raw)
                    continue
                cells = [cell.replace(_RETURN, "\r") for cell in cells]
            yield start, cells

    def _broken(self, start: int, error: csv.Error) -> BrokenRecord:
        words = str(error)
        if "unexpected end" in words:
            raise self.where.truncated(f"the file ends within a quoted cell that begins in line {start}") from None
        if "field larger" in words:
            raise self.where.hostile(
                f"a cell that begins in line {start} is longer than {self.limits.cell_chars:,} characters; "
                "perhaps a quote is not closed",
                known="limit `cell_chars`",
            ) from None
        return BrokenRecord(start, "unreadable_record", f"line {start}: {words}", "".join(self._taken).rstrip("\r\n"))

    def _lines(self) -> Iterator[str]:
        """Yield lines to `csv`, noting what it takes for the row at hand."""
        delimiter, most = self.options.get("delimiter", ","), _WIDE * self.limits.columns
        encoding = choose_encoding(self.handle, declared_encodings(self.options), self.where, self.limits)
        for line in read_lines(self.handle, encoding, self.where, self.limits):
            self._line += 1
            if len(line) > most and line.count(delimiter) > most:
                raise self.where.hostile(f"line {self._line} has more than {most:,} cells", known="limit `columns`")
            self._taken.append(line)
            if ("\r" in line and line.find("\r") != len(line) - 2) or "\0" in line:
                line = self._plain(line)  # noqa: PLW2901  # what was taken stays as it was
            yield line

    def _plain(self, line: str) -> str:
        """Hide bare carriage returns, which `csv` would take for the end of the row."""
        end = "\r\n" if line.endswith("\r\n") else ""
        body = line[: len(line) - len(end)].rstrip("\r") if end else line
        if "\r" not in body and "\0" not in body:
            return body + end
        self._odd = True
        return body.replace("\r", _RETURN) + end


def open_csv(handle: BinaryIO, options: Mapping[str, Any], limits: Limits, where: Where) -> CsvReader:
    """Return the reader of one CSV file."""
    if "delimiter" in options and options["delimiter"] == options.get("quote", '"'):
        raise RefuseUnit(
            source=where.source, stream=where.stream, unit=where.unit, got="delimiter and quote are the same character"
        )
    return CsvReader(handle, options, limits, where)
