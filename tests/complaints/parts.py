"""A department whose system is a PostgreSQL database, so that its clerks can have transactions open; small slices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2.extensions

from pipeline.runtime import Runtime
from tests.departments import GOOD, STREAMS, Department

Connection = psycopg2.extensions.connection


def sliced(runtime: Runtime, size: int) -> Runtime:
    """Return the same hub with slices of another size."""
    return replace(runtime, settings=runtime.settings.model_copy(update={"slice_size": size}))


class InPostgres(Department):
    """A department of `tests.departments` on a real server; `put_by` writes a row in a transaction of the caller's."""

    def __init__(self, sources: Path, url: str, connection: Connection) -> None:
        self._url, self.server = url, connection
        super().__init__(sources)
        for stream in STREAMS:
            columns = ", ".join(
                f'"{name}" {"integer" if name == "DATAVERSION" else "text"}' for name in self.fields(stream)
            )
            self.run(f"CREATE TABLE {stream.lower()} ({columns})")

    @property
    def url(self) -> str:
        return self._url

    def run(self, statement: str, *values: Any) -> None:
        """Run a statement and commit it."""
        with self.server.cursor() as cursor:
            cursor.execute(statement, values)

    def put(self, stream: str, **fields: Any) -> None:
        self.put_by(self.server, stream, **fields)

    @staticmethod
    def put_by(connection: Connection, stream: str, **fields: Any) -> None:
        """Write one row as a clerk does, in whatever transaction the connection has open."""
        row = {**GOOD[stream], **fields}
        names = ", ".join(f'"{name}"' for name in row)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {stream.lower()} ({names}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values())
            )
