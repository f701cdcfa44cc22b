"""A front-end database in SQLite with the declared exchange tables: the examples wait in them to be taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from connectors.source import Source, StreamSpec
from hub.records import Record
from kit.samples import Samples
from kit.subject import Subject
from kit.suite.standins.base import StandIn
from kit.suite.standins.database import fill, insert, plain
from normalization.model import StreamMapping

_NOT_IN_SQLITE = frozenset({"batches", "stored_encoding"})
"""Options that no example fills, or that SQLite has no answer to: it knows one encoding."""


def make_exchange_tables(subject: Subject, samples: Samples, place: Path, _stack: ExitStack) -> StandIn | str:
    """Make the tables; their columns are the fields of the raw schemas and those that the hub writes.

    A row's key is that of the mapping with its version, unless the stream names another; of examples with one key the
    last stands. A table that the hub may not write is read as one of kind `database` is. Where an example holds
    none of the values by which a row waits, its flag is set to the first of them.
    """
    keys = {name: _key(spec, subject.mapping.streams[name]) for name, spec in subject.source.streams.items()}
    for name, key in keys.items():
        if not key:
            return f"stream {name} names no key, and its mapping finds records by no fields of their own"
    source = _without(plain(subject.source))
    file = place / "front-end.sqlite"
    columns = {
        name: {**subject.mapping.streams[name].schema["properties"], **_written(spec.options)}
        for name, spec in source.streams.items()
    }
    numbers = {name: _Numbers(keys[name], columns[name]) for name in source.streams}
    for name, numbered in numbers.items():
        columns[name] |= {column: {"type": "string"} for column in numbered.names}
    records = {
        name: [numbers[name].given(_waiting(spec, one.record)) for one in samples.of(name, valid=True)]
        for name, spec in source.streams.items()
    }
    fill(file, source, columns, records, keys=keys)

    def add(stream: str, record: Record) -> None:
        spec = source.streams[stream]
        insert(file, spec, [numbers[stream].given(_waiting(spec, record))])

    return StandIn(source, f"sqlite:///{file}", add)


class _Numbers:
    """Numbers rows as their department does: in the columns of the key that no record has."""

    def __init__(self, key: Sequence[str], columns: Collection[str]) -> None:
        known = {name.lower() for name in columns}
        self.names = [name for name in key if name.lower() not in known]
        self._count = 0

    def given(self, record: Record) -> Record:
        """Return a record with its row's number."""
        self._count += 1
        return {**record, **dict.fromkeys(self.names, f"{self._count:06d}")}


def _key(spec: StreamSpec, mapped: StreamMapping) -> list[str]:
    """Return the columns that find a row again."""
    if spec.options.get("key"):
        return list(spec.options["key"])
    fields = [one.field.path[0] for one in mapped.key.parts]
    version = spec.options.get("version") or (mapped.order.field.path[0] if mapped.order else None)
    return list(dict.fromkeys([*fields, *([version] if fields and version else [])]))


def _without(source: Source) -> Source:
    streams = {
        name: dataclasses.replace(
            spec, options={key: value for key, value in spec.options.items() if key not in _NOT_IN_SQLITE}
        )
        for name, spec in source.streams.items()
    }
    return dataclasses.replace(source, streams=streams)


def _written(options: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the columns that the hub writes: they hold text, whatever the raw schema says of them."""
    groups = (("flag", "column"), ("claim", "id"), ("claim", "time"), ("receipt", "time"), ("receipt", "error"))
    names = [options.get(group, {}).get(part) for group, part in groups]
    return {str(name): {"type": "string"} for name in names if name}


def _waiting(spec: StreamSpec, record: Record) -> Record:
    """Return an example as the department leaves it: it waits, and nothing of the hub's is in it."""
    flag = spec.options.get("flag")
    own: Record = dict.fromkeys(_written(spec.options))
    if flag:
        waiting = [None if one is None else str(one) for one in flag["waiting"]]
        said = record.get(flag["column"])
        said = None if said is None else str(said)
        own[flag["column"]] = said if said in waiting else waiting[0]
    return {**record, **own}
