"""A SQLite database with the declared tables, filled with the examples."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

from connectors.source import Source, StreamSpec
from hub.records import Record
from kit.samples import Samples
from kit.subject import Subject
from kit.suite.standins.base import StandIn, filling

Columns = Mapping[str, Mapping[str, Any]]
"""The columns of a table, each with what its raw schema says of it."""

_TYPES = {"integer": "INTEGER", "number": "REAL", "boolean": "BOOLEAN"}
_LARGEST = 2**63 - 1


def make_database(subject: Subject, samples: Samples, place: Path, _stack: ExitStack) -> StandIn:
    """Make the database; a table's columns are the fields of its stream's raw schema."""
    file = place / "system.sqlite"
    source = plain(subject.source)
    columns = {name: subject.mapping.streams[name].schema["properties"] for name in source.streams}
    fill(file, source, columns, {name: filling(samples, spec) for name, spec in source.streams.items()})

    def add(stream: str, record: Record) -> None:
        insert(file, source.streams[stream], [record])

    return StandIn(source, f"sqlite:///{file}", add)


def fill(
    file: Path,
    source: Source,
    columns: Mapping[str, Columns],
    records: Mapping[str, Sequence[Record]],
    *,
    keys: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Make the table of each stream with these columns and its key, and put its records in."""
    with closing(sqlite3.connect(file)) as connection, connection:
        for name, spec in source.streams.items():
            connection.execute(_create(spec, columns[name], keys.get(name, ())))
    for name, spec in source.streams.items():
        insert(file, spec, records[name])


def plain(source: Source) -> Source:
    """Leave out what SQLite has not: schemas, and the heartbeat table, which no example fills."""
    streams = {
        name: dataclasses.replace(
            spec, options={key: value for key, value in spec.options.items() if key not in {"schema", "heartbeat"}}
        )
        for name, spec in source.streams.items()
    }
    return dataclasses.replace(source, streams=streams)


def _create(spec: StreamSpec, fields: Columns, key: Sequence[str]) -> str:
    columns = ", ".join(f"{_name(field)} {_type(one)}" for field, one in fields.items())
    if key:
        columns += f", PRIMARY KEY ({', '.join(map(_name, key))})"
    return f"CREATE TABLE IF NOT EXISTS {_name(_table(spec))} ({columns})"


def _type(spec: Mapping[str, Any]) -> str:
    said = spec.get("type", "string")
    kinds = [one for one in ([said] if isinstance(said, str) else said) if one != "null"]
    return _TYPES.get(kinds[0], "TEXT") if len(kinds) == 1 else "TEXT"


def insert(file: Path, spec: StreamSpec, records: Sequence[Record]) -> None:
    """Put records into the table of a stream; of those with one key, the last stands."""
    with closing(sqlite3.connect(file)) as connection, connection:
        for record in records:
            names = ", ".join(map(_name, record))
            marks = ", ".join("?" for _ in record)
            values = [_bound(one) for one in record.values()]
            connection.execute(f"INSERT OR REPLACE INTO {_name(_table(spec))} ({names}) VALUES ({marks})", values)  # noqa: S608  # names are the folder's own, quoted


def _bound(value: Any) -> Any:
    """Return a value as SQLite takes it: it has no objects, and integers of 64 bits."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, int) and abs(value) > _LARGEST else value


def _table(spec: StreamSpec) -> str:
    return str(spec.options.get("table", spec.name))


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
