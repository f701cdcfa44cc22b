"""Files of the duty register, CSV or XLSX, read strictly: known columns only, every fault with its row.

The hub's one hardened reader of workbooks reads those (`connectors/kinds/files/xlsx.py`); a CSV file is UTF-8. No fault
shows a name, a phone or a staff number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from connectors.kinds.files.where import Where
from connectors.kinds.files.xlsx import XlsxReader
from connectors.limits import MIB, Limits
from hub.errors import RefuseUnit
from hub.identifiers import phone as phones
from hub.records import BrokenRecord
from sharedrepo.models.cards import ROLES
from supervision.cards.errors import BadRegister

LARGEST: Final = 16 * MIB
MOST_ROWS: Final = 100_000
MOST_FAULTS: Final = 50
"""Faults that are listed; the rest are counted."""
LONGEST: Final = 100
COLUMNS: Final[Mapping[str, str]] = {
    "organ": "机构", "unit": "处室", "role": "职责", "staff": "工号", "name": "姓名", "phone": "手机", "from": "起",
    "to": "止", "deputy_of": "代理对象",
}  # fmt: skip
"""The columns of a register and their Chinese headings; either may head a column."""
_NEEDED: Final = ("organ", "role", "staff", "name", "from")
WORDS: Final[Mapping[str, str]] = {
    "承办人": "handler", "处室负责人": "division_head", "纪检监察人员": "discipline_officer",
    "分管领导": "leader_in_charge", "代理人": "deputy",
}  # fmt: skip
_LIMITS: Final = Limits(file_bytes=LARGEST, unpacked_bytes=128 * MIB, columns=50, cell_chars=2_000, rows=MOST_ROWS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a register: a person's duty from a day to a day (open: None), both included."""

    row: int
    organ: str
    unit: str
    role: str
    staff: str
    name: str
    phone: str | None
    valid_from: date
    valid_to: date | None
    deputy_of: str

    @property
    def key(self) -> tuple[str, str, str, str, str, date]:
        """Return what two rows of one register cannot share."""
        return (self.organ, self.unit, self.role, self.staff, self.deputy_of, self.valid_from)


def read(path: Path) -> list[Entry]:
    """Read a register.

    Raises:
        BadRegister: with every fault and its row.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadRegister(path.name, [f"it has more than {LARGEST // MIB} MiB; split it by organ"])
        rows = list(_workbook(path) if path.suffix.lower() == ".xlsx" else _csv(path))
    except RefuseUnit as error:
        raise BadRegister(path.name, [error.got]) from None
    except OSError as error:
        raise BadRegister(path.name, [f"it cannot be read ({type(error).__name__})"]) from None
    faults: list[str] = []
    entries = [entry for row, cells in rows if (entry := _entry(row, cells, faults)) is not None]
    faults += _together(entries)
    if not rows:
        faults.append("it holds no rows below its headings")
    if faults:
        raise BadRegister(path.name, faults[:MOST_FAULTS], more=max(0, len(faults) - MOST_FAULTS))
    return entries


def _workbook(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = XlsxReader(path.open("rb"), {"sheet": 1}, _LIMITS, Where("duty register", "duty", path.name))
    for number, row in reader.rows():
        if isinstance(row, BrokenRecord):
            raise BadRegister(path.name, [f"row {number}: it cannot be read"])
        yield number, _named(path.name, {str(name): str(value) for name, value in row.items() if value is not None})


def _csv(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadRegister(path.name, ["it is no UTF-8; save it as “CSV UTF-8”, or as a workbook"]) from None
    if "\0" in text:
        raise BadRegister(path.name, ["it holds NUL characters"])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heads = [_column(path.name, one.strip()) for one in next(reader, [])]
        if len(set(heads)) != len(heads) or not set(_NEEDED) <= set(heads):
            raise BadRegister(path.name, [f"its first row must name {', '.join(_NEEDED)}, each column once"])
        for cells in reader:
            if reader.line_num > MOST_ROWS:
                raise BadRegister(path.name, [f"it has more than {MOST_ROWS:,} rows; split it by organ"])
            if not any(one.strip() for one in cells):
                continue
            if len(cells) != len(heads):
                raise BadRegister(path.name, [f"row {reader.line_num}: {len(cells)} cells for {len(heads)} columns"])
            yield reader.line_num, dict(zip(heads, cells, strict=True))
    except csv.Error:
        raise BadRegister(
            path.name, [f"row {reader.line_num}: its quotes are not closed, or a cell is too long"]
        ) from None


def _named(file: str, row: Mapping[str, str]) -> Mapping[str, str]:
    return {_column(file, name.strip()): value for name, value in row.items()}


def _column(file: str, said: str) -> str:
    for name, label in COLUMNS.items():
        if said in (name, label):
            return name
    known = ", ".join(f"{name} ({label})" for name, label in COLUMNS.items())
    raise BadRegister(file, [f"a column {said[:30]!r} is not known; there are: {known}"])


def _entry(row: int, cells: Mapping[str, str], faults: list[str]) -> Entry | None:
    said = {name: cells.get(name, "").strip() for name in COLUMNS}
    wrong = [f"{name} is empty" for name in _NEEDED if not said[name]]
    wrong += [f"{name} is longer than {LONGEST} characters" for name, text in said.items() if len(text) > LONGEST]
    wrong += [f"{name} holds what is no printable text" for name, text in said.items() if not text.isprintable()]
    role = WORDS.get(said["role"], said["role"])
    if said["role"] and role not in ROLES:
        wrong.append(f"role is one of {', '.join(ROLES)} ({'、'.join(WORDS)})")
    if role == "deputy" and not said["deputy_of"]:
        wrong.append("a deputy names in deputy_of whose deputy it is")
    if role != "deputy" and said["deputy_of"]:
        wrong.append("deputy_of goes with the role deputy only")
    if said["phone"] and (fault := phones.fault(said["phone"])) is not None:
        wrong.append(f"phone is {fault}")
    days = {name: _day(said[name]) for name in ("from", "to")}
    wrong += [f"{name} is no day: write 2026-01-31" for name, one in days.items() if said[name] and one is None]
    first, last = days["from"], days["to"]
    if first is not None and last is not None and last < first:
        wrong.append("to lies before from")
    faults += [f"row {row}: {one}" for one in wrong]
    if wrong or first is None:
        return None
    return Entry(
        row, said["organ"], said["unit"], role, said["staff"], said["name"], said["phone"] or None, first, last,
        said["deputy_of"],
    )  # fmt: skip


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said.removesuffix("T00:00:00"))
    except ValueError:
        return None


def _together(entries: Iterable[Entry]) -> Iterator[str]:
    """Say what is wrong with rows beside each other: one duty twice, or over the same days."""
    before: dict[tuple[str, ...], list[Entry]] = {}
    for one in entries:
        fellows = before.setdefault((one.organ, one.unit, one.role, one.staff, one.deputy_of), [])
        for other in fellows:
            if one.valid_from <= (other.valid_to or date.max) and other.valid_from <= (one.valid_to or date.max):
                yield f"row {one.row}: the same duty of the same person as row {other.row}, over the same days"
        fellows.append(one)
