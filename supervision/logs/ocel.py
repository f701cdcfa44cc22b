"""Writes a log of cases as OCEL 2.0: JSON, streamed, or the relational form in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal

import orjson
import sqlalchemy as sa

from hub.protect import Protector
from supervision.logs.events import AT_ONCE, NAMES, Event, Log, snapshot
from supervision.logs.files import CannotWrite, whole_file
from supervision.logs.objects import (
    EPOCH,
    EVENT_ATTRIBUTES,
    OBJECT_TYPES,
    Object,
    attributes_of,
    bound_to,
    instant,
    objects,
    type_of,
)
from supervision.logs.scope import Scope, gather

Language = Literal["zh", "en"]
_SQL_TYPES: Final = {"string": "TEXT", "time": "TIMESTAMP", "integer": "INTEGER", "float": "REAL", "boolean": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class Written:
    """What a log holds, and what of its cases has no place in it: events that have no time, by activity."""

    cases: int
    events: int
    objects: int
    without_time: dict[str, int]


def write(engine: sa.Engine, protector: Protector, scope: Scope, to: Path, *, language: Language = "zh") -> Written:
    """Write the log of a scope into a new file: SQLite if its name ends in .sqlite, else JSON (packed, if in .gz).

    Raises:
        BadScope: no case fits.
        CannotWrite: the file is there already, or cannot be made.
    """
    with snapshot(engine) as connection:
        cases = gather(connection, scope)
        log = Log(connection, protector)
        if to.suffix == ".sqlite":
            events, things = _sqlite(log, to, language)
        else:
            with whole_file(to) as out:
                events, things = _json(out, log, language)
        return Written(cases, events, things, log.timeless())


# --- JSON ---


def _json(out: IO[bytes], log: Log, language: Language) -> tuple[int, int]:
    said = [(name, EVENT_ATTRIBUTES) for name in _event_types(language)]
    out.write(b'{"eventTypes":' + _types(said))
    out.write(b',"objectTypes":' + _types(OBJECT_TYPES.items()))
    out.write(b',"events":[\n')
    events = _listed(out, (_event(one, log, language) for one in log.events()))
    out.write(b'],"objects":[\n')
    things = _listed(out, map(_object, objects(log)))
    out.write(b"]}\n")
    return events, things


def _event_types(language: Language) -> list[str]:
    return [zh if language == "zh" else en for zh, en in NAMES.values()]


def _types(types: Iterable[tuple[str, dict[str, str]]]) -> bytes:
    return orjson.dumps([
        {"name": name, "attributes": [{"name": one, "type": kind} for one, kind in attributes.items()]}
        for name, attributes in types
    ])  # fmt: skip


def _listed(out: IO[bytes], entries: Iterator[dict[str, Any]]) -> int:
    count = 0
    for count, entry in enumerate(entries, 1):
        out.write((b",\n" if count > 1 else b"") + orjson.dumps(entry))
    return count


def _event(event: Event, log: Log, language: Language) -> dict[str, Any]:
    return {
        "id": event.number, "type": type_of(event, language), "time": instant(event.at),
        "attributes": [{"name": name, "value": one} for name, one in attributes_of(event).items()],
        "relationships": [{"objectId": other, "qualifier": how} for other, how in bound_to(event, log)],
    }  # fmt: skip


def _object(one: Object) -> dict[str, Any]:
    return {
        "id": one.id, "type": one.type,
        "attributes": [{"name": name, "time": EPOCH, "value": said} for name, said in one.attributes.items()],
        "relationships": [{"objectId": other, "qualifier": how} for other, how in one.bound],
    }  # fmt: skip


# --- SQLite ---


def _sqlite(log: Log, to: Path, language: Language) -> tuple[int, int]:
    """Write the relational form: a table a type of event and of object, and the tables that bind them."""
    if to.exists():
        raise CannotWrite(f"{to} is there already and is never written over; name another file.")
    part = to.with_name(f".{to.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600, exist_ok=False)
        with closing(sqlite3.connect(part)) as store, store:
            store.executescript(_schema())
            counts = _events_into(store, log, language), _objects_into(store, log)
            store.executescript(_INDEXES)
        part.rename(to)
    except OSError as error:
        raise CannotWrite(f"{to} cannot be written ({error.strerror}).") from None
    finally:
        part.unlink(missing_ok=True)
    return counts


_TABLES: Final = """
CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL);
CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL);
CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT,
    PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier));
CREATE TABLE object_object (ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT,
    PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier));
CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
"""
_INDEXES: Final = "CREATE INDEX event_object_by_object ON event_object (ocel_object_id);"


def _schema() -> str:
    def columns(attributes: dict[str, str]) -> str:
        return "".join(f", {name} {_SQL_TYPES[kind]}" for name, kind in attributes.items())

    made = [_TABLES]
    made += [
        f"CREATE TABLE event_{name} (ocel_id TEXT PRIMARY KEY, ocel_time TIMESTAMP{columns(EVENT_ATTRIBUTES)});"
        for name in NAMES
    ]
    made += [
        f"CREATE TABLE object_{name} (ocel_id TEXT, ocel_time TIMESTAMP, ocel_changed_field TEXT{columns(attributes)});"
        for name, attributes in OBJECT_TYPES.items()
    ]
    return "\n".join(made)


def _events_into(store: sqlite3.Connection, log: Log, language: Language) -> int:
    names = {code: zh if language == "zh" else en for code, (zh, en) in NAMES.items()}
    store.executemany("INSERT INTO event_map_type VALUES (?, ?)", [(said, code) for code, said in names.items()])
    marks = ", ".join("?" * (2 + len(EVENT_ATTRIBUTES)))
    count = 0
    for some in _pieces(log.events()):
        count += len(some)
        store.executemany("INSERT INTO event VALUES (?, ?)", [(one.number, names[one.activity]) for one in some])
        store.executemany(
            "INSERT INTO event_object VALUES (?, ?, ?)",
            [(one.number, *bound) for one in some for bound in bound_to(one, log)],
        )
        for one in some:
            said = attributes_of(one)
            row = (one.number, instant(one.at), *(said.get(name) for name in EVENT_ATTRIBUTES))
            store.execute(f"INSERT INTO event_{one.activity} VALUES ({marks})", row)
    return count


def _objects_into(store: sqlite3.Connection, log: Log) -> int:
    store.executemany("INSERT INTO object_map_type VALUES (?, ?)", [(name, name) for name in OBJECT_TYPES])
    count = 0
    for some in _pieces(objects(log)):
        count += len(some)
        store.executemany("INSERT INTO object VALUES (?, ?)", [(one.id, one.type) for one in some])
        store.executemany(
            "INSERT INTO object_object VALUES (?, ?, ?)", [(one.id, *bound) for one in some for bound in one.bound]
        )
        for one in some:
            names = OBJECT_TYPES[one.type]
            row = (one.id, EPOCH, None, *(one.attributes.get(name) for name in names))
            store.execute(f"INSERT INTO object_{one.type} VALUES ({', '.join('?' * len(row))})", row)
    return count


def _pieces(entries: Iterator[Any]) -> Iterator[list[Any]]:
    while some := list(islice(entries, AT_ONCE)):
        yield some
