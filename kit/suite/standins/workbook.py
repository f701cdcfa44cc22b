"""A folder with the examples in filled templates, as a department would fill them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from connectors.kinds.workbook.sheets import FIRST, sheets_of
from connectors.kinds.workbook.template import make
from hub.records import Record
from kit.samples import Samples
from kit.subject import Subject
from kit.suite.standins.base import StandIn


def make_workbooks(subject: Subject, samples: Samples, place: Path, _stack: ExitStack) -> StandIn | str:
    """Fill one workbook with the examples of all streams; each further record comes in a workbook of its own."""
    source = subject.source
    paths = {str(one.options["path"]) for one in source.streams.values()}
    if len(paths) > 1:
        return "its streams do not share their files"
    pattern, count = paths.pop(), 0

    def deliver(records: Mapping[str, Sequence[Record]]) -> None:
        nonlocal count
        count += 1
        file = place / pattern.replace("**/", "").replace("*", f"filled-{count:03d}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(fill(subject, records))

    deliver({name: [one.record for one in samples.of(name, valid=True)] for name in source.streams})
    return StandIn(source, str(place), lambda stream, record: deliver({stream: [record]}))


def fill(subject: Subject, records: Mapping[str, Sequence[Record]]) -> bytes:
    """Return a template filled with records by stream."""
    from openpyxl import load_workbook  # noqa: PLC0415  # only where workbooks are written

    book = load_workbook(io.BytesIO(make(subject.source)))
    for sheet in sheets_of(subject.source):
        page = book[sheet.name]
        for row, record in enumerate(records.get(sheet.stream, ()), FIRST):
            for number, column in enumerate(sheet.columns, 1):
                page.cell(row, number, _cell(record.get(column.field)))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(value: Any) -> str | None:
    return json.dumps(value) if isinstance(value, bool) else None if value is None else str(value)
