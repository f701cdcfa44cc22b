"""Tables of departments: in schemas of a PostgreSQL server, or in a SQLite file of their own."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg2
import psycopg2.extensions
from sqlalchemy.engine import URL, make_url

from demo.shapes.record import Entry, Stream, Values

DATABASE = "departments"
"""The database in which every department with PostgreSQL has a schema of its own."""

_ROWS = 5_000


def systems_home(home: Path) -> Path:
    """Return the home of the departments' own server."""
    return home / "demo" / "systems"


@cache
def server_base(home: Path) -> str:
    """Return the URL of the server that holds the departments: HUB_DEMO_POSTGRES, else one of their own.

    It is a second embedded server: what departments write in the clear must not stand in the hub's write-ahead log.

    Raises:
        RuntimeError: the hub cannot start its server; the message is what it said.
    """
    if stated := os.environ.get("HUB_DEMO_POSTGRES"):
        return stated
    asked = subprocess.run(
        [sys.executable, "-c", "from hub.cli import main; main()", "db", "url"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HUB_HOME": str(systems_home(home)), "HUB_DATABASE_URL": ""},
    )
    if asked.returncode:
        raise RuntimeError(f"hub db url failed: {asked.stderr.strip()}")
    return asked.stdout.strip()


def server_url(base: str) -> URL:
    """Return the URL of the departments' database on the server that `base` points to."""
    return make_url(base).set(drivername="postgresql", database=DATABASE)


def department_url(base: str, schema: str) -> str:
    """Return the URL under which the hub reads one department's schema."""
    url = server_url(base).update_query_dict({"options": f"-csearch_path={schema}"})
    return url.render_as_string(hide_password=False)


def _connect(url: URL) -> psycopg2.extensions.connection:
    return psycopg2.connect(url.render_as_string(hide_password=False))


def make_database(base: str) -> None:
    """Make the departments' database where the server has none yet."""
    with closing(_connect(make_url(base).set(drivername="postgresql"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'")


class PostgresTables:
    """The tables of one department in its schema: COPY on day 1, replaced by key on day 2.

    `types` names the columns that are no text; a table is the stream's name in small letters, after `prefix`. Where
    rows are `appended`, day 2 comes behind what lies there.
    """

    def __init__(
        self,
        base: str,
        schema: str,
        streams: Mapping[str, Stream],
        types: Mapping[str, str],
        *,
        fresh: bool,
        prefix: str = "",
        appended: bool = False,
    ) -> None:
        self._base, self._schema, self._streams, self._types, self._fresh = base, schema, streams, types, fresh
        self._prefix, self._replacing = prefix, not (fresh or appended)
        self._buffers: dict[str, list[tuple[Any, ...]]] = {name: [] for name in streams}

    def __enter__(self) -> PostgresTables:
        if self._fresh:
            make_database(self._base)
        self._connection = _connect(server_url(self._base))
        self._cursor = self._connection.cursor()
        if self._fresh:
            self._run(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")
            self._run(f"CREATE SCHEMA {self._schema}")
        self._run(f"SET search_path = {self._schema}")
        for name, stream in self._streams.items():
            columns = ", ".join(f"{field.lower()} {self._types.get(field, 'varchar')}" for field in stream.fields)
            if self._fresh:
                self._run(f"CREATE TABLE {self._table(name)} ({columns})")
            elif self._replacing:
                self._run(f"CREATE TEMPORARY TABLE written_{name.lower()} ({columns})")
        return self

    def _run(self, statement: str) -> None:
        self._cursor.execute(statement)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement of the department's own in its schema, and return what it gives."""
        self._cursor.execute(statement, values)
        return [] if self._cursor.description is None else self._cursor.fetchall()

    def _table(self, stream: str) -> str:
        return self._prefix + stream.lower()

    def put(self, entry: Entry, values: Values) -> None:
        """Keep one record."""
        buffer = self._buffers[entry.stream]
        buffer.append(tuple(map(values.get, self._streams[entry.stream].fields)))
        if len(buffer) >= _ROWS:
            self._flush(entry.stream)

    def _flush(self, stream: str) -> None:
        lines = io.StringIO()
        csv.writer(lines).writerows(self._buffers[stream])
        lines.seek(0)
        names = ", ".join(field.lower() for field in self._streams[stream].fields)
        table = f"written_{stream.lower()}" if self._replacing else self._table(stream)
        self._cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)", lines)
        self._buffers[stream].clear()

    def change(self, stream: str, statement: str) -> None:
        """Change a table's columns, as a vendor's update does overnight."""
        self._run(f"ALTER TABLE {self._table(stream)} {statement}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for name, stream in self._streams.items():
                    self._flush(name)
                    if self._replacing:
                        self._replace(name, stream)
                self._connection.commit()
        finally:
            self._connection.close()

    def _replace(self, name: str, stream: Stream) -> None:
        table, written = self._table(name), f"written_{name.lower()}"
        same = " AND ".join(f"old.{key.lower()} = new.{key.lower()}" for key in stream.key)
        names = ", ".join(field.lower() for field in stream.fields)
        self._run(f"DELETE FROM {table} AS old USING {written} AS new WHERE {same}")
        self._run(f"INSERT INTO {table} ({names}) SELECT {names} FROM {written}")


class SqliteTables:
    """The tables of one department in a SQLite file."""

    def __init__(self, file: Path, streams: Mapping[str, Stream], *, fresh: bool) -> None:
        self._file, self._streams, self._fresh = file, streams, fresh
        self._buffers: dict[str, list[tuple[Any, ...]]] = {name: [] for name in streams}

    def __enter__(self) -> SqliteTables:
        if self._fresh:
            self._file.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self._file)
        for name, stream in self._streams.items():
            columns = ", ".join(f'"{field}" TEXT' for field in stream.fields)
            self._connection.execute(f'CREATE TABLE IF NOT EXISTS "{name}" ({columns})')
        return self

    def put(self, entry: Entry, values: Values) -> None:
        """Keep one record, in place of an older one of the same key."""
        stream = self._streams[entry.stream]
        buffer = self._buffers[entry.stream]
        if not self._fresh and entry.key is not None:
            same = " AND ".join(f'"{key}" = ?' for key in stream.key)
            self._connection.execute(f'DELETE FROM "{entry.stream}" WHERE {same}', [values[key] for key in stream.key])
        buffer.append(tuple(map(values.get, stream.fields)))
        if len(buffer) >= _ROWS:
            self._flush(entry.stream)

    def _flush(self, stream: str) -> None:
        marks = ", ".join("?" * len(self._streams[stream].fields))
        self._connection.executemany(f'INSERT INTO "{stream}" VALUES ({marks})', self._buffers[stream])
        self._buffers[stream].clear()

    def change(self, stream: str, statement: str) -> None:
        """Change a table's columns, as a vendor's update does overnight."""
        self._connection.execute(f'ALTER TABLE "{stream}" {statement}')

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for name in self._streams:
                    self._flush(name)
                self._connection.commit()
        finally:
            self._connection.close()
