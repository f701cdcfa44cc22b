"""Gives up a PostgreSQL server that accepted the connection and then says nothing: libpq by itself waits for ever.

Keep-alives do not help where the machine still answers and the server process does not. So each call is watched: when
nothing came of it in time, another thread ends the connection, and the call comes back with an error.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
import psycopg2.extensions as pg

SILENCE = 300.0
"""Seconds for which a server may say nothing; a stream's option `silence` says otherwise."""


class Watched(pg.connection):
    """A connection whose calls do not wait longer than `silence` seconds."""

    silence = SILENCE

    def commit(self) -> None:
        """Commit."""
        with watched(self):
            super().commit()

    def rollback(self) -> None:
        """Roll back; a connection that is over has nothing to roll back, and why it is over was told already."""
        if self.closed:
            return
        with watched(self):
            super().rollback()


class WatchedCursor(pg.cursor):
    """A cursor of a watched connection."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002  # the driver's own name
        """Run a statement."""
        with watched(self.connection):
            super().execute(query, vars)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Fetch further rows."""
        with watched(self.connection):
            return super().fetchmany(self.itersize if size is None else size)

    def fetchone(self) -> tuple[Any, ...] | None:
        """Fetch a row."""
        with watched(self.connection):
            return super().fetchone()

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Fetch all rows."""
        with watched(self.connection):
            return super().fetchall()


@contextmanager
def watched(connection: Any) -> Iterator[None]:
    """End the connection if what is done inside does not come back in time.

    Raises:
        psycopg2.OperationalError: it did not.
    """
    over, lock, cut = False, threading.Lock(), threading.Event()

    def hang_up() -> None:
        with lock, suppress(OSError, psycopg2.InterfaceError):
            if not over:
                cut.set()
                with socket.socket(fileno=os.dup(connection.fileno())) as ours:
                    ours.shutdown(socket.SHUT_RDWR)

    seconds = float(getattr(connection, "silence", SILENCE))
    watch = threading.Timer(seconds, hang_up)
    watch.daemon = True
    watch.start()
    try:
        yield
    except psycopg2.Error as error:
        if cut.is_set():
            raise psycopg2.OperationalError(f"connection lost: the server said nothing for {seconds:g} s") from error
        raise
    finally:
        with lock:
            over = True
        watch.cancel()
