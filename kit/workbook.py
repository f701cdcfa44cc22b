"""The workbook of a department without a system: its template, and what was wrong with what was filled in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.kinds.workbook.sheets import Sheet, sheets_of
from connectors.kinds.workbook.template import make
from connectors.source import Source
from hub.errors import ConfigError, Fault
from hub.findings import RULES
from hub.records import Record
from kit.samples import read_samples
from sharedrepo.telling import lists


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong, where the person who filled it in finds it; a column is a letter and its heading."""

    file: str
    sheet: str
    row: int | None
    column: str
    what: str
    to_do: str


def template(source: Source) -> bytes:
    """Return the template of a source; its example rows are the first valid examples of its streams.

    Raises:
        ConfigError: the source is of another kind, or a sheet cannot be made of its mapping.
    """
    if source.kind != "workbook":
        file = str(source.folder / "source.yml")
        fault = f"kind {source.kind} reads no workbook that is filled in; `kind: workbook` does"
        raise ConfigError([Fault(file, 1, fault)])
    samples = read_samples(source)
    examples: dict[str, Record] = {}
    for one in samples.found:
        if one.valid and one.invented:
            examples.setdefault(one.stream, one.record)
    return make(source, examples)


def write(source: Source, out: Path) -> Path:
    """Write the template to a file that is not there yet.

    Raises:
        ConfigError: the file is there already, or the template cannot be made.
    """
    made = template(source)
    try:
        with out.open("xb") as handle:
            handle.write(made)
    except FileExistsError:
        raise ConfigError(
            [Fault(str(out), 1, "stands already and is never overwritten: name another with --out")]
        ) from None
    return out


def complaints(engine: sa.Engine, source: Source) -> list[Complaint]:
    """Return what is wrong with the filled workbooks of a source, by file, sheet, row and column; never a value."""
    sheets = {one.stream: one for one in sheets_of(source)}
    found = [one for row in lists.findings(engine, source=source.code) for one in _complaints(row, sheets)]
    return sorted(found, key=lambda one: (one.file, one.sheet, one.row or 0, one.column))


def _complaints(row: dict[str, Any], sheets: dict[str, Sheet]) -> Iterator[Complaint]:
    sheet = sheets.get(row["stream"])
    if sheet is None or not row["unit"]:
        return
    rule, detail = RULES[row["rule"]], row["detail"] or {}
    said = (
        detail.get("got") or detail.get("reason") or (f"expected {detail['expected']}" if "expected" in detail else "")
    )
    what = f"{rule.title_zh} {rule.title}" + (f" ({said})" if said else "")
    for column in _columns(row, sheet) or [""]:
        yield Complaint(row["unit"], sheet.name, row["row"], column, what, rule.hint)


def _columns(row: dict[str, Any], sheet: Sheet) -> list[str]:
    """Return the columns that a finding's pointer names, as letter and heading."""
    from openpyxl.utils import get_column_letter  # noqa: PLC0415  # only where workbooks are

    names = [part.partition("/")[2] for part in str(row["pointer"] or "").split(", ")]
    return [
        f"{get_column_letter(place)} {column.label}"
        for place, column in enumerate(sheet.columns, 1)
        if column.field.replace("~", "~0").replace("/", "~1") in names
    ]
