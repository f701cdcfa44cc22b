"""The benchmark's own PostgreSQL: embedded, in a folder that goes when the run ends; source and targets live on it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2

from sharedrepo.embedded import EmbeddedServer
from sharedrepo.embedded.processes import servers

SHOWN = (
    "server_version", "shared_buffers", "work_mem", "max_wal_size", "wal_level", "fsync", "synchronous_commit",
    "full_page_writes", "data_checksums", "autovacuum", "max_parallel_workers_per_gather",
)  # fmt: skip
"""The settings that a reader of the figures wants to know."""


class Server:
    """One server for all contenders, so that they all meet the same settings."""

    def __init__(self, folder: Path) -> None:
        self._embedded = EmbeddedServer(folder / "pg")

    def start(self) -> None:
        """Start it."""
        self._embedded.start()

    def stop(self) -> None:
        """Stop it."""
        self._embedded.stop()

    def url(self, database: str, *, driver: str = "") -> str:
        """Return the URL of a database."""
        return self._embedded.url(database, driver=driver)

    @contextlib.contextmanager
    def connect(self, database: str = "postgres") -> Iterator[Any]:
        """Give a cursor that commits each statement."""
        with contextlib.closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor

    def create(self, name: str, *, template: str = "template0") -> str:
        """Make a database anew, as a copy of `template`; return its name."""
        with self.connect() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Drop a database, so that it weighs on no later contender."""
        with self.connect() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def settle(self) -> None:
        """Write everything out, so that the next contender does not pay for the one before."""
        with self.connect() as cursor:
            cursor.execute("CHECKPOINT")

    def cpu(self) -> float:
        """Return the processor seconds that the server's processes took so far, those that ended included."""
        postmaster = self._embedded.status().pid
        ticks = 0
        for pid in servers(self._embedded.data):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
                used = slice(
                    11, 15 if pid == postmaster else 13
                )  # utime stime, and cutime cstime of its ended children
                ticks += sum(int(one) for one in fields[used])
        return ticks / os.sysconf("SC_CLK_TCK")

    def settings(self) -> dict[str, str]:
        """Return the settings that matter, as the server says them."""
        with self.connect() as cursor:
            cursor.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s) ORDER BY name", (list(SHOWN),)
            )
            return dict(cursor.fetchall())

    def count(self, database: str, table: str) -> int:
        """Count the rows of a table."""
        with self.connect(database) as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            return int(cursor.fetchone()[0])


@contextlib.contextmanager
def started() -> Iterator[tuple[Server, Path]]:
    """Start a server in a folder of its own; both are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Server(folder)
        server.start()
        try:
            yield server, folder
        finally:
            server.stop()
