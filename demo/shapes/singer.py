"""The national report tables, delivered as files of a Singer tap: a schema, records and a bookmark a line.

One department has no other export (source folder `singer-tap`). A file holds all streams, each with its schema first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

from demo.model import Case, Defect, Department, Placed, UnitMark
from demo.shapes.folders import Files, FolderSystem
from demo.shapes.national_up_pro import STREAMS, NationalUpProShape
from demo.shapes.record import Entry, Values
from demo.shapes.system import Deletes, Delivery

_ROWS = NationalUpProShape()
_FILE_KINDS = frozenset({"truncated_file", "broken_row"})


class SingerShape(FolderSystem):
    """Lines of a Singer tap, one file a part."""

    name = "singer"
    carries = (NationalUpProShape.carries - {"field_added", "missing_key"}) | _FILE_KINDS
    deletes: Deletes = NationalUpProShape.deletes
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case as the national tables know it."""
        return _ROWS.seen(case)

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the rows of a case."""
        return _ROWS.entries(department, case)

    def stamped(self, delivery: Delivery) -> Values:
        """Add operation and time."""
        return _ROWS.stamped(delivery)

    def files(
        self, folder: Path, name: str, department: Department, day: date, plans: Mapping[str, Defect]
    ) -> AbstractContextManager[Files]:
        """Open the file of one part."""
        del department
        return _Tap(folder / f"tap_{name}.singer", day, broken="broken_row" in plans and name.endswith("_01"))

    def cut_short(self, folder: Path, name: str) -> None:
        """Cut the file off within its last line, which is the bookmark."""
        file = folder / f"tap_{name}.singer"
        file.write_bytes(file.read_bytes()[:-12])

    def spoiled_units(
        self, department: Department, work: Any, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Name the records that a line without JSON is: one of each stream, since nobody can say whose it was."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        for stream in STREAMS if "broken_row" in plans else ():
            yield Placed(
                department.code, stream, None, day, "quarantined", rules=("unreadable_record",), defect="broken_row"
            )


class _Tap:
    """One file: the schemas, opened with the first record; the bookmark at the end."""

    def __init__(self, file: Path, day: date, *, broken: bool) -> None:
        self._file, self._day, self._broken = file, day, broken
        self._handle: Any = None

    def __enter__(self) -> _Tap:
        return self

    def _say(self, kind: str, **facts: Any) -> None:
        self._handle.write(json.dumps({"type": kind, **facts}, ensure_ascii=False) + "\n")

    def put(self, entry: Entry, values: Values) -> None:
        """Write one record."""
        if self._handle is None:
            self._handle = self._file.open("w", encoding="utf-8")
            for stream in STREAMS.values():
                properties = {field: {"type": ["null", "string"]} for field in stream.fields}
                schema = {"type": "object", "properties": properties}
                self._say("SCHEMA", stream=stream.name, key_properties=list(stream.key), schema=schema)
            if self._broken:
                self._handle.write('{"type": "RECORD", "stream": "up_pro_accept", "record": {"row_guid":\n')
        whole = {**dict.fromkeys(STREAMS[entry.stream].fields), **values}
        self._say("RECORD", stream=entry.stream, record=whole, time_extracted=f"{self._day}T23:00:00+08:00")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._say("STATE", value={"bookmarks": {name: {"cd_time": f"{self._day}"} for name in STREAMS}})
            self._handle.close()
