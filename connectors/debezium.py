"""Reads Debezium's change events: the row as it is after a change, with the change's operation, time and order.

An event comes with or without the wrapper of `schema` and `payload`. What it says becomes one record: the row `after`
the change (of a deletion, the row `before` it) and three fields that a mapping can read. What cannot be taken for a row
is never passed over: a column that Debezium did not have, a truncated table, a tombstone whose deletion never came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from hub.records import BrokenRecord, Record

OPERATION, CHANGED_AT, ORDER = "__op", "__ts_ms", "__order"
"""The fields that a record has beside its row's: c, u, r or d; when the row was changed; which change is later."""

PLACEHOLDER = "__debezium_unavailable_value"
_PLACEHOLDERS: tuple[Any, ...] = (
    PLACEHOLDER,
    "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",  # of bytes: base64, which the URL form does not change
    PLACEHOLDER.encode().hex(),
    [PLACEHOLDER],
    list(PLACEHOLDER.encode()),  # of whole numbers
    ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"],  # of UUIDs
    {PLACEHOLDER: PLACEHOLDER},  # of hstore
)
"""What stands for a column that the change did not touch and the database did not log, by the column's type."""

_SIDES = {"c": "after", "u": "after", "r": "after", "d": "before"}
_WRAPPER = frozenset({"schema", "payload"})
_FULL = "ask the department for `ALTER TABLE … REPLICA IDENTITY FULL`, then for a new snapshot of the table"
_BINLOG = re.compile(r"\.([0-9]{1,7})$")
_POSITION_BITS, _ROW_BITS = 32, 11
_LARGEST = 1 << 63


class EventFault(ValueError):
    """Why an event says no row; the message never quotes a value of it."""


@dataclass(slots=True)
class Events:
    """Reads the events of one run of records, in their order: a tombstone is judged by the deletions before it.

    `deletions` counts those whose tombstone may still come, `tombstones` those that were passed over.
    """

    deletions: int = 0
    tombstones: int = 0

    def read(self, value: Any, row: int, raw: str) -> Record | BrokenRecord | None:
        """Return the record that an event says; None of a tombstone that only repeats a deletion."""
        event = _unwrapped(value)
        if event is None and self.deletions:
            self.deletions -= 1
            self.tombstones += 1
            return None
        try:
            record = row_of(event)
        except EventFault as fault:
            return BrokenRecord(row, "unreadable_record", f"record {row}: {fault}", raw)
        self.deletions += record[OPERATION] == "d"
        return record


def _unwrapped(value: Any) -> Any:
    wrapped = isinstance(value, dict) and "payload" in value and _WRAPPER.issuperset(value)
    return value["payload"] if wrapped else value


def row_of(event: Any) -> Record:
    """Return the row that an event without wrapper speaks about, with its operation, time and order.

    Raises:
        EventFault: it speaks about no single row, or not about all of it.
    """
    if event is None:
        raise EventFault(
            "a tombstone whose deletion did not come before it; see whether the row is still in the department's system"
        )
    operation = event.get("op") if isinstance(event, dict) else None
    if not isinstance(operation, str):
        raise EventFault("this is no change event of Debezium: it has no `op`; without one, leave out `envelope`")
    if operation == "t":
        raise EventFault(
            "the table was truncated, which says of no row that it is gone; ask the department what it meant"
        )
    if operation not in _SIDES:
        raise EventFault(f"its `op` is none of {', '.join(_SIDES)}, t; only changes of rows can be read")
    return {**_row(event, operation), **_facts(event, operation)}


def _row(event: Record, operation: str) -> Record:
    side = _SIDES[operation]
    row = event.get(side)
    if not isinstance(row, dict):
        raise EventFault(f"operation {operation} comes without its row `{side}`; {_FULL}")
    if taken := sorted({OPERATION, CHANGED_AT, ORDER}.intersection(row)):
        raise EventFault(f"the row has columns of its own named {', '.join(taken)}; have Debezium leave them out")
    absent = [name for name, value in row.items() if value in _PLACEHOLDERS]
    if operation == "d":  # a deletion need say no more than its key: what it does not know is empty
        return {**row, **dict.fromkeys(absent)}
    if absent:
        raise EventFault(
            f"the change does not hold the columns {', '.join(absent)}, which it left as they were ({PLACEHOLDER}); "
            + _FULL
        )
    return row


def _facts(event: Record, operation: str) -> Record:
    source = event.get("source")
    source = source if isinstance(source, dict) else {}
    changed = source.get("ts_ms")
    return {
        OPERATION: operation,
        CHANGED_AT: event.get("ts_ms") if changed is None else changed,
        ORDER: order_of(source),
    }


def order_of(source: Mapping[str, Any]) -> int | None:
    """Return a number that grows with each change of a row: its place in the database's log; None where it has none.

    PostgreSQL says it as `lsn`, MySQL and MariaDB as file, position and row, Oracle as `scn`.
    """
    lsn = source.get("lsn")
    if _counts(lsn):
        return lsn
    scn = source.get("scn")
    if _counts(scn) or (isinstance(scn, str) and scn.isascii() and scn.isdigit()):
        return int(scn) if int(scn) < _LARGEST else None
    return _binlog(source)


def _binlog(source: Mapping[str, Any]) -> int | None:
    """Return a place in MySQL's log as one number: file, position, and row within one statement's rows."""
    found = _BINLOG.search(str(source.get("file") or ""))
    position, row = source.get("pos"), source.get("row")
    if found is None or not _counts(position) or position >= 1 << _POSITION_BITS:
        return None
    within = min(row, (1 << _ROW_BITS) - 1) if _counts(row) else 0
    place = (int(found[1]) << _POSITION_BITS | position) << _ROW_BITS | within
    return place if place < _LARGEST else None


def _counts(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST
