"""A filled workbook read as items: strictly, within limits, and with the sheet and row of everything that is wrong.

The hub's one hardened reader of workbooks unpacks and walks it (`connectors/kinds/files/xlsx.py`): formulas, macros,
links, merged cells, entities and what unpacks to too much are refused before a cell is read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from catalog.errors import Fault, FileRefused
from catalog.imports.entries import LARGEST_FILE, MOST_ENTRIES, Bases, Entry, entry
from catalog.workbook.sheets import (
    BASES,
    CODE,
    EMPTY,
    FIELD,
    GROUP,
    GUIDE,
    HEAD,
    NAMES,
    VALUE,
    Column,
    Sheet,
    arrays,
    sheets,
)
from connectors.kinds.files.where import Where
from connectors.kinds.files.xlsx import Seen, XlsxReader
from connectors.limits import MIB, Limits
from hub.records import BrokenRecord

LIMITS = Limits(file_bytes=LARGEST_FILE, unpacked_bytes=512 * MIB, columns=200, cell_chars=40_000)
"""Bounds of a workbook; a province's ten thousand items stay far below."""
_FOREIGN = ("xl/vbaProject.bin", "xl/externalLinks/", "xl/activeX/", "xl/embeddings/", "xl/macrosheets/")
"""Parts that no template has: macros, links to other files, controls, embedded files."""

Row = tuple[str, Mapping[str, str]]
"""Where a row stands, and its cells that are filled."""


class _Reader(XlsxReader):
    """Reads one sheet, which must be one of ours."""

    def __init__(
        self, handle: BinaryIO, sheet: Sheet, file: str, *, known: Sequence[str] | None = None, find: str = CODE
    ) -> None:
        options = {"sheet": sheet.title, "header": {"find": [find], "within": NAMES}}
        super().__init__(handle, options, LIMITS, Where("catalogue", sheet.title, file))
        self.sheet, self.known = sheet, known

    def _look_over(self, archive: zipfile.ZipFile, parts: Mapping[str, str]) -> None:
        for name in archive.namelist():
            if name.startswith(_FOREIGN):
                raise self.where.hostile(f"the workbook holds {name.removeprefix('xl/')}", known="a filled template")
        if self.known is not None and (further := sorted(set(parts) - set(self.known))):
            raise self.where.refused(
                f"it has sheets that nobody would read: {', '.join(further)[:300]}", known=", ".join(self.known),
                hint="Take them out, or write the template with `hub catalog template` and fill it in.",
            )  # fmt: skip
        if self.sheet.holds is not None and self.sheet.title not in parts:
            raise _Absent

    def _names(self, table: Iterator[tuple[int, list[str]]]) -> list[str]:
        names = super()._names(table)
        if unknown := sorted(set(names) - set(self.sheet.names)):
            raise self.where.refused(
                f"unknown columns {', '.join(unknown)[:300]}", known=", ".join(self.sheet.names),
                hint="Nothing is left out in silence: take them out, or name them as the template does.",
            )  # fmt: skip
        return names

    def _accept(self, seen: Seen) -> None:
        if seen.merged:
            raise self.where.refused(
                f"cells are merged ({', '.join(seen.merged)})", hint="Take the merges apart and fill in every row."
            )


class _Absent(Exception):
    """The workbook leaves a list's sheet out: a sign between two functions of this module, never an error."""


@dataclass(slots=True)
class _Item:
    """One item as its rows say it, in the form of `hub catalog export`."""

    place: str
    said: dict[str, Any]
    content: dict[str, Any]
    faults: list[Fault] = field(default_factory=list)


def read(path: Path) -> Iterator[Entry]:
    """Read the items of a filled workbook; what is wrong with one is a fault of its entry, with its sheet and row.

    Raises:
        RefuseUnit: it is damaged, locked, hostile, or has other sheets or columns.
        FileRefused: it is too large.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise FileRefused(path.name, f"it has more than {LARGEST_FILE >> 20} MiB", "Split it.")
    items: dict[str, _Item] = {}
    strays: list[Entry] = []
    own, *lists = sheets()
    for place, cells in _rows(path, own, strays, known=[GUIDE, *(one.title for one in sheets())]):
        _take(items, place, cells, own)
        if len(items) > MOST_ENTRIES:
            raise FileRefused(path.name, f"it holds more than {MOST_ENTRIES} items", "Split it.")
    for sheet in (one for one in lists if one.holds != BASES):
        for place, cells in _rows(path, sheet, strays):
            _put(items, strays, place, cells, sheet)
    for one in items.values():
        yield entry(one.place, {**one.said, "content": one.content}, further=one.faults)
    yield from strays


_TEXTS = ("name", "item_type")


def read_bases(path: Path) -> Bases:
    """Read what the workbook says of base items.

    Raises:
        FileRefused: a row says nothing that a base item can fix, or says it twice.
    """
    strays: list[Entry] = []
    made: dict[str, dict[str, Any]] = {}
    sheet = next(one for one in sheets() if one.holds == BASES)
    by_name = {column.name: column for column in sheet.columns}
    for place, cells in _rows(path, sheet, strays, find="base_code"):
        name, value = by_name[FIELD].said(cells.get(FIELD, "")), cells.get(VALUE, "")
        fields = made.setdefault(cells.get("base_code", "").strip(), {})
        if name in fields:
            raise FileRefused(place, f"{name!r} of this base item stands twice", "Leave one row of it.")
        try:
            fields[name] = value if name in _TEXTS else orjson.loads(value)
        except orjson.JSONDecodeError:
            raise FileRefused(place, f"the value of {name[:40]!r} is no JSON", "Write it as an export does.") from None
    for stray in strays:
        raise FileRefused(stray.place, stray.faults[0].said, "Mend the row.")
    return dict(made)


def _rows(
    path: Path, sheet: Sheet, strays: list[Entry], *, known: Sequence[str] | None = None, find: str = CODE
) -> Iterator[Row]:
    """Yield the rows of a sheet; one that cannot be read becomes an entry of its own."""
    try:
        for number, row in _Reader(path.open("rb"), sheet, path.name, known=known, find=find).rows():
            place = f"{path.name}: {sheet.title}, row {number}"
            if isinstance(row, BrokenRecord):
                strays.append(_stray(place, "unreadable_record", row.message))
            else:
                yield place, {name: value for name, value in row.items() if value is not None}
    except _Absent:
        return


def _take(items: dict[str, _Item], place: str, cells: Mapping[str, str], sheet: Sheet) -> None:
    said, content = _said(cells, sheet.columns)
    empty = content.pop(EMPTY, [])
    code = str(said.get(CODE, ""))
    if code in items:
        items[code].faults.append(Fault("/code", "code_twice", f"{place} has the same code; a row an item"))
        return
    known = arrays()
    faults = [Fault(f"/{EMPTY}", "unknown_code", f"{one[:40]!r} is no list") for one in empty if one not in known]
    items[code] = _Item(place, said, {**{one: [] for one in empty if one in known}, **content}, faults)


def _put(items: dict[str, _Item], strays: list[Entry], place: str, cells: Mapping[str, str], sheet: Sheet) -> None:
    """Put a row of a list to its item."""
    item = items.get(cells.get(CODE, ""))
    if item is None:
        strays.append(_stray(place, "no_such_row", "no row of the items has this code", cells.get(CODE, "")))
        return
    rest = {name: value for name, value in cells.items() if name != CODE}
    _, row = _said(rest, sheet.columns)
    if sheet.holds == "numbers":
        item.said.setdefault("numbers", {})[rest.get("scheme", "")] = rest.get("number", "")
        return
    assert sheet.holds is not None  # noqa: S101  # only the sheet of the items holds no list
    entries = item.content.setdefault(sheet.holds, [])
    if GROUP in sheet.names:
        _group(item, entries, row, place)
    else:
        entries.append(row.get(sheet.holds) if sheet.names == (CODE, sheet.holds) else row)


_OF_GROUP = ("name", "holder", "valid_on")


def _group(item: _Item, entries: list[dict[str, Any]], row: dict[str, Any], place: str) -> None:
    """Put an option into its group; all rows of a group say the same of the group."""
    number = row.pop(GROUP, None)
    group = {name: row.pop(name) for name in _OF_GROUP if name in row}
    if number == len(entries) + 1:
        entries.append({**group, "any_of": [row]})
    elif isinstance(number, int) and 0 < number <= len(entries):
        before = {name: value for name, value in entries[number - 1].items() if name != "any_of"}
        if group not in ({}, before):
            item.faults.append(Fault("/requirements", "group_differs", f"{place}: group {number} is said otherwise"))
        entries[number - 1]["any_of"].append(row)
    else:
        told = f"{place}: group {number!r}; groups are numbered 1, 2, 3 in their order"
        item.faults.append(Fault("/requirements", "unreadable", told))


def _said(cells: Mapping[str, str], columns: Sequence[Column]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a row's cells: what says the item, and what is its content, nested as the contract has it."""
    head: dict[str, Any] = {}
    content: dict[str, Any] = {}
    for column in columns:
        if column.name not in cells:
            continue
        value = column.said(cells[column.name])
        if column.name in HEAD:
            head[column.name] = str(value).removesuffix("T00:00:00") if column.name.endswith("_on") else value
            continue
        inner = content
        for name in column.path[:-1]:
            inner = inner.setdefault(name, {})
        inner[column.path[-1]] = value
    return head, content


def _stray(place: str, rule: str, said: str, code: str = "") -> Entry:
    return Entry(place, code, "", {}, faults=(Fault("", rule, said),))
