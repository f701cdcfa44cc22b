"""Makes records of a driver's rows. Values are JSON-native already, save for what some drivers cannot be told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from connectors.kinds.database.plan import Plan
from hub.records import BrokenRecord, Record

Made = tuple[Sequence[Record], Sequence[int], list[BrokenRecord]]
Decode = Callable[[Any], Any]
_PLAIN = (str, int, float, bool, type(None), list, dict)


def made_of(rows: Sequence[Sequence[Any]], plan: Plan, first: int, dialect: str) -> Made:
    """Make records of a driver's rows, numbered from `first` on."""
    if plan.stored is not None:
        places = {place: plan.stored.text for place, one in enumerate(plan.columns) if one.name in plan.stored.columns}
        return make_records_carefully(plan.names, rows, first, plan.floats, stored=places)
    make = make_records if dialect == "postgresql" else make_records_carefully
    return make(plan.names, rows, first, plan.floats)


def make_records(names: Sequence[str], rows: Sequence[Sequence[Any]], first: int, floats: Sequence[str]) -> Made:
    """Make records of rows whose driver was told to hand over text: the fast way, without a look at each value."""
    records: list[Record] = [dict(zip(names, row)) for row in rows]  # noqa: B905  # strict costs a tenth of the speed
    for name in floats:
        for record in records:
            value = record[name]
            if value is not None and not math.isfinite(value):
                record[name] = str(value)
    return records, range(first, first + len(records)), []


def make_records_carefully(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    first: int,
    floats: Sequence[str],
    *,
    stored: Mapping[int, Decode] = MappingProxyType({}),
) -> Made:
    """Make records of rows that may hold anything: a row with bytes or a NUL character is a broken record.

    `stored` decodes the values at these places of a row; a value that it cannot decode makes a broken record, too.
    """
    records: list[Record] = []
    numbers: list[int] = []
    broken: list[BrokenRecord] = []
    for number, row in enumerate(rows, first):
        try:
            whole = _decoded(names, row, stored) if stored else row
            records.append({name: _native(value) for name, value in zip(names, whole, strict=True)})
            numbers.append(number)
        except _NoJson as error:
            broken.append(BrokenRecord(number, "unreadable_record", str(error), repr(list(row))))
    del floats  # every value was looked at
    return records, numbers, broken


class _NoJson(ValueError):
    """A value that no record can hold."""


def _decoded(names: Sequence[str], row: Sequence[Any], stored: Mapping[int, Decode]) -> list[Any]:
    whole = list(row)
    for place, decode in stored.items():
        try:
            whole[place] = decode(whole[place])
        except UnicodeDecodeError as error:
            raise _NoJson(f"column {names[place]} holds bytes that are not {error.encoding}") from None
    return whole


def _native(value: Any) -> Any:
    if isinstance(value, str):
        if "\0" in value:
            raise _NoJson("a value holds a NUL character")
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        raise _NoJson("a value holds bytes where text is declared")
    printed: dict[type, Callable[[Any], str]] = {datetime: lambda one: one.isoformat(sep=" "), Decimal: _plain_decimal}
    printed |= {date: date.isoformat, time: time.isoformat}
    return printed.get(type(value), str)(value)


def _plain_decimal(value: Decimal) -> str:
    return format(value, "f") if value.is_finite() else str(value)
