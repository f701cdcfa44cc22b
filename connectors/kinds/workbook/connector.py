"""The connector of kind `workbook`: filled templates in a folder, a stream for each sheet.

It reads as kind `files` reads Excel sheets, and more strictly: only a workbook that the hub made for this very source,
with the columns that are declared now. What else a person may have done to it ends in a sentence, not in a guess.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from connectors.kinds.files.connector import FolderConnector
from connectors.kinds.files.folder import Delivered, Folder
from connectors.kinds.files.where import Where
from connectors.kinds.files.xlsx import Seen, XlsxReader
from connectors.kinds.workbook.sheets import CODES, GUIDE, NAMES, STAMP, Column, Sheet, sheets_of
from connectors.kinds.workbook.template import FORM
from connectors.limits import Limits
from connectors.seam import KeyedHash
from connectors.slices import Row
from connectors.source import Source, StreamSpec
from hub.errors import WrongTemplate
from hub.records import Record

_FOREIGN = ("xl/vbaProject.bin", "xl/externalLinks/", "xl/activeX/", "xl/embeddings/", "xl/macrosheets/")
"""Parts that no template has: macros, links to other files, controls, embedded files."""

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}")


class WorkbookConnector(FolderConnector):
    """Reads filled templates of one source."""

    def __init__(self, source: Source, url: str, keyed_hash: KeyedHash | None = None) -> None:
        super().__init__(source, url, keyed_hash)
        self.sheets = {one.stream: one for one in sheets_of(source)}

    def reader(self, stream: StreamSpec, folder: Folder, found: Delivered) -> WorkbookReader:
        """Return the reader of the stream's sheet."""
        where = folder.where(found.name)
        return WorkbookReader(folder.open(found), self, self.sheets[stream.name], folder.limits, where)


class WorkbookReader(XlsxReader):
    """Reads one sheet of one filled template."""

    def __init__(self, handle: BinaryIO, connector: WorkbookConnector, sheet: Sheet, limits: Limits, where: Where):
        super().__init__(handle, {"sheet": sheet.name, "header": {"skip": NAMES - 1}}, limits, where)
        self.sheet, self.known = sheet, {one.name for one in connector.sheets.values()}
        self.columns = {column.field: column for column in sheet.columns}

    def rows(self) -> Iterator[Row]:
        """Yield each filled row with its number in the sheet.

        Raises:
            WrongTemplate: the workbook was made for another source, or before its columns changed, or not by the hub.
            RefuseUnit: the workbook is damaged, locked, has formulas, macros or merged cells, or breaks a limit.
        """
        for number, row in super().rows():
            yield number, self._typed(row) if isinstance(row, dict) else row

    def _typed(self, row: Record) -> Record:
        """Give cells the type that is declared where their text is just that; what is not so stays text."""
        return {name: _as_declared(value, self.columns[name]) for name, value in row.items()}

    def _names(self, table: Iterator[tuple[int, list[str]]]) -> list[str]:
        names = super()._names(table)
        wanted = list(self.columns)
        if names != wanted:
            lost, more = set(wanted) - set(names), set(names) - set(wanted)
            known = ", ".join(sorted(lost)) and f"missing: {', '.join(sorted(lost))}"
            known += ("; " if lost and more else "") + (
                f"not of the template: {', '.join(sorted(more))}" if more else ""
            )
            raise self._wrong(
                f"row {NAMES} of sheet {self.sheet.name} no longer names its columns", known or "in order"
            )
        return names

    def _look_over(self, archive: zipfile.ZipFile, parts: Mapping[str, str]) -> None:
        """Refuse what no template has, and a template of another source or version, before a row is read."""
        for name in archive.namelist():
            if name.startswith(_FOREIGN):
                raise self.where.hostile(f"the workbook holds {name.removeprefix('xl/')}", known="a filled template")
        if STAMP not in parts:
            raise self._wrong(
                f"it has no sheet {STAMP!r}: the hub did not make it, or its sheets were copied out of it"
            )
        self._walk(archive, parts[STAMP])
        self._judge({str(row[0]): str(row[1]) for row in self._cells(STAMP) if len(row) > 1})
        further = sorted(set(parts) - self.known - {GUIDE, CODES, STAMP})
        if further:
            raise self._wrong(f"it has further sheets, which nobody would read: {', '.join(further)}", "its own sheets")

    def _judge(self, stamp: Mapping[str, str]) -> None:
        if stamp.get("form") != str(FORM):
            raise self._wrong(f"its stamp is of form {stamp.get('form', 'none')!r}", known=str(FORM))
        if stamp.get("source") != self.where.source:
            raise self._wrong(f"it is the template of {stamp.get('source', 'nobody')!r}", known=self.where.source)
        made = stamp.get(f"sheet {self.sheet.name}", "none")
        if made != self.sheet.version:
            raise self._wrong(f"its sheet {self.sheet.name} is of version {made!r}", known=self.sheet.version)

    def _accept(self, seen: Seen) -> None:
        """Refuse merged cells: only the first of them holds the value, and the others would pass as empty."""
        if seen.merged:
            raise self.where.refused(
                f"cells of sheet {self.sheet.name} are merged ({', '.join(seen.merged)})",
                hint="Take the merges apart, fill in every row, and send the workbook again.",
            )

    def _wrong(self, got: str, known: str = "") -> WrongTemplate:
        code = self.where.source
        return WrongTemplate(
            source=code, stream=self.where.stream, unit=self.where.unit, got=got, known=known,
            hint=f"Make the present template with `hub connector workbook {code}` and have the rows copied into it.",
        )  # fmt: skip


def _as_declared(value: Any, column: Column) -> Any:
    if not isinstance(value, str) or "string" in column.types:
        return value
    text = value.strip()
    if "boolean" in column.types and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if column.types & {"integer", "number"} and _WHOLE.fullmatch(text):
        return int(text)
    if "number" in column.types and _DECIMAL.fullmatch(text):
        return float(text)
    return value
