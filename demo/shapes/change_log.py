"""What Debezium tells of the tables of a department's own database: an event for each change, a file a night.

One department lets its database be read so (source folder `change-log`). Its tables are those of the vertical extract,
with columns named as a database names them. Versions are places in the database's log; a deletion is told as an event
and a tombstone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from demo.model import Case, Defect, Department, Placed, UnitMark
from demo.shapes.contracts import SOURCES, by_name, contract
from demo.shapes.folders import Files, FolderSystem
from demo.shapes.lines import LineFiles
from demo.shapes.record import Entry, Values, key_of
from demo.shapes.store import milliseconds
from demo.shapes.system import Deletes, Delivery
from demo.shapes.vertical import VerticalShape

_HERE = SOURCES / "change-log"
_ROW: dict[str, Any] = {"case": "case_no", "order": "__order"}
STREAMS = by_name(
    contract(
        _HERE, "cases", key=("case_no",), **_ROW,
        decides="acceptance", other="channel", text="title", moment="due",
    ),
    contract(
        _HERE, "steps", key=("case_no", "step_no"), **_ROW,
        decides="step", other="outcome", text="opinion", moment="ended", required="node",
    ),
    contract(_HERE, "pauses", key=("case_no", "pause_no"), **_ROW, other="kind", text="reason", moment="ended"),
    contract(_HERE, "results", key=("result_no",), **_ROW, hangs=False, decides="result", text="reason"),
    contract(_HERE, "licences", key=("licence_id",), **_ROW, hangs=False, decides="state", text="type"),
)  # fmt: skip
_EVENT = ("__op", "__ts_ms", "__order")
_OPERATION = {"I": "c", "U": "u", "D": "d"}
_LOG = 24_023_128
"""The place in the database's log at which the row's first version stands; each later one is further on."""
_UNLOGGED = "__debezium_unavailable_value"
_LINES = VerticalShape()
_TOLD = frozenset({"unlogged_value", "lost_deletion"})


def _column(field: str) -> str:
    """Return the name of a column: caseNo becomes case_no."""
    return re.sub(r"([A-Z])", r"_\1", field).lower()


class ChangeLogShape(FolderSystem):
    """Change events in JSON lines, one file a table."""

    name = "change_log"
    carries = (
        VerticalShape.carries
        - {"unreadable_version", "wrong_encoding", "broken_row", "field_added", "field_removed", "missing_key"}
    ) | _TOLD
    deletes: Deletes = "case"
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case without what has no table."""
        return _LINES.seen(case)

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the rows of a case."""
        for entry in _LINES.entries(department, case):
            row = {_column(name): value for name, value in entry.values.items()}
            yield replace(entry, values=row, key=key_of(STREAMS[entry.stream], row))

    def stamped(self, delivery: Delivery) -> Values:
        """Build the event: the row before or after the change, with time and place in the log."""
        entry, operation = delivery.entry, _OPERATION[delivery.operation]
        columns = [field for field in STREAMS[entry.stream].fields if field not in _EVENT]
        row = {name: entry.values.get(name) for name in columns}
        at = milliseconds(entry.at)
        source = {
            "connector": "postgresql", "db": "approval", "table": entry.stream, "ts_ms": at, "lsn": _LOG + entry.version
        }  # fmt: skip
        gone = operation == "d"
        return {
            "before": row if gone else None, "after": None if gone else row, "op": operation, "ts_ms": at,
            "source": source,
        }  # fmt: skip

    def files(
        self, folder: Path, name: str, department: Department, day: date, plans: Mapping[str, Defect]
    ) -> AbstractContextManager[Files]:
        """Open the files of one part."""
        del department, day
        return _Log(folder, name, plans)

    def cut_short(self, folder: Path, name: str) -> None:
        """Cut each file within its last event."""
        for file in folder.glob(f"*_{name}.jsonl"):
            file.write_bytes(file.read_bytes()[:-20])

    def spoiled_units(
        self, department: Department, work: Any, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Name the records that the events without a row are."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        for kind in sorted(_TOLD & plans.keys()):
            yield Placed(department.code, "steps", None, day, "quarantined", rules=("unreadable_record",), defect=kind)


class _Log(LineFiles):
    """Events, and behind a deletion its tombstone."""

    def lines(self, entry: Entry, values: Values) -> str:
        """Return one event."""
        del entry
        tombstone = "null\n" if values["op"] == "d" else ""
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n" + tombstone

    def besides(self, values: Values) -> str:
        """Return the events that this part is to have besides."""
        found = ""
        if "lost_deletion" in self.plans:
            found += "null\n"
        if "unlogged_value" in self.plans and values["after"] is not None:
            whole = {**values, "op": "u", "after": {**values["after"], "opinion": _UNLOGGED}}
            found += json.dumps(whole, ensure_ascii=False) + "\n"
        return found
