"""A SQLite database with the declared tables, filled with the examples."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.source import Source, StreamSpec
from hub.records import Record
from kit.samples import Samples
from kit.subject import Subject
from kit.suite.standins.base import StandIn, filling

_TYPES = {"integer": "INTEGER", "number": "REAL", "boolean": "BOOLEAN"}


_LARGEST = 2**63 - 1


def make_database(subject: Subject, samples: Samples, place: Path) -> StandIn:
    """Make the database; a table's columns are the fields of its stream's raw schema."""
    file = place / "system.sqlite"
    source = _without_schemas(subject.source)
    with sqlite3.connect(file) as connection:
        for name, spec in source.streams.items():
            connection.execute(_create(spec, subject.mapping.streams[name].schema["properties"]))
    connection.close()

    def add(stream: str, record: Record) -> None:
        _insert(file, source.streams[stream], record)

    for name, spec in source.streams.items():
        for record in filling(samples, spec):
            add(name, record)
    return StandIn(source, f"sqlite:///{file}", add)


def _without_schemas(source: Source) -> Source:
    """Leave out what SQLite has not: schemas, and the heartbeat table, which no example fills."""
    streams = {
        name: dataclasses.replace(
            spec, options={key: value for key, value in spec.options.items() if key not in {"schema", "heartbeat"}}
        )
        for name, spec in source.streams.items()
    }
    return dataclasses.replace(source, streams=streams)


def _create(spec: StreamSpec, fields: Mapping[str, Mapping[str, Any]]) -> str:
    columns = ", ".join(f"{_name(field)} {_type(one)}" for field, one in fields.items())
    return f"CREATE TABLE IF NOT EXISTS {_name(_table(spec))} ({columns})"


def _type(spec: Mapping[str, Any]) -> str:
    said = spec.get("type", "string")
    kinds = [one for one in ([said] if isinstance(said, str) else said) if one != "null"]
    return _TYPES.get(kinds[0], "TEXT") if len(kinds) == 1 else "TEXT"


def _insert(file: Path, spec: StreamSpec, record: Record) -> None:
    names = ", ".join(map(_name, record))
    marks = ", ".join("?" for _ in record)
    values = [_bound(one) for one in record.values()]
    with sqlite3.connect(file) as connection:
        connection.execute(f"INSERT INTO {_name(_table(spec))} ({names}) VALUES ({marks})", values)  # noqa: S608  # names are the folder's own, quoted
    connection.close()


def _bound(value: Any) -> Any:
    """Return a value as SQLite takes it: it has no objects, and integers of 64 bits."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, int) and abs(value) > _LARGEST else value


def _table(spec: StreamSpec) -> str:
    return str(spec.options.get("table", spec.name))


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
