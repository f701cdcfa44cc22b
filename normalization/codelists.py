"""Code lists: `codes/<name>.csv` beside the mapping, with the columns code, value, label_zh and perhaps note."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from normalization.marked import Faults
from normalization.values.code import key_of

_COLUMNS = (["code", "value", "label_zh"], ["code", "value", "label_zh", "note"])


class _Rows(Protocol):
    """The rows of a CSV file, and the line that was read last."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line of a code list."""

    code: str
    value: str | None
    label: str
    line: int


def read_code_list(path: Path, faults: Faults, asked_in: int) -> tuple[CodeLine, ...]:
    """Read a code list; faults name its own lines, and `asked_in` where the file is absent.

    A code without a value is known and means nothing to the hub; its note must say why.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.csv"))) or "none"
        faults.add(asked_in, f"there is no code list {path.parent.name}/{path.name} (known: {known})")
        return ()
    except (OSError, UnicodeDecodeError) as error:
        faults.add(1, f"this code list cannot be read as UTF-8 text: {error}", file=path)
        return ()
    rows = csv.reader(content.splitlines(), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if header not in _COLUMNS:
            faults.add(1, "a code list has the columns code,value,label_zh and perhaps note", file=path)
            return ()
        return _lines(rows, len(header), path, faults)
    except csv.Error as error:
        faults.add(rows.line_num, f"this is no CSV: {error}", file=path)
        return ()


def _lines(rows: _Rows, width: int, path: Path, faults: Faults) -> tuple[CodeLine, ...]:
    found: dict[str, CodeLine] = {}
    for row in rows:
        line = rows.line_num
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != width:
            faults.add(line, f"this line has {len(row)} fields, the header {width}", file=path)
            continue
        code, value, note = key_of(row[0]), row[1].strip() or None, "".join(row[3:]).strip()
        if code is None:
            faults.add(line, "this line has no code", file=path)
        elif code in found:
            faults.add(line, f"the code {code!r} stands twice; first in line {found[code].line}", file=path)
        else:
            if value is None and not note:
                faults.add(line, f"the code {code!r} has no value; a note must say why it means nothing", file=path)
            found[code] = CodeLine(code, value, row[2].strip(), line)
    if not found:
        faults.add(1, "this code list is empty", file=path)
    return tuple(found.values())
