"""Connections for checks: one a thread, kept open, without a transaction, with the check's query prepared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg2
import psycopg2.extensions
import sqlalchemy as sa

from verification.evidence.looking import PREPARED

T = TypeVar("T")
Connection = psycopg2.extensions.connection


class Sessions:
    """Gives each thread its own connection; one that broke is replaced at the next use."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._mine = threading.local()
        self._all: list[Any] = []
        self._lock = threading.Lock()

    def connection(self) -> Connection:
        """Return the connection of this thread; each statement on it is a transaction of its own."""
        held: Connection | None = getattr(self._mine, "connection", None)
        if held is None or held.closed:
            held = self._opened()
            self._mine.connection = held
        return held

    def reading(self, work: Callable[[Any], T]) -> T:
        """Run something that only reads; where the connection is found broken, once more on a new one."""
        try:
            with self.connection().cursor() as cursor:
                return work(cursor)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self._drop()
            with self.connection().cursor() as cursor:
                return work(cursor)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Give a cursor in one transaction, committed at the end, or left as if nothing had been."""
        connection = self.connection()
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
            except BaseException:
                if not connection.closed:
                    cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for one in self._all:
                one.close()
            self._all.clear()

    def _opened(self) -> Connection:
        raw = self._engine.raw_connection()
        made = raw.driver_connection
        raw.detach()
        assert isinstance(made, Connection)  # noqa: S101  # the engine is psycopg2's
        made.autocommit = True
        with made.cursor() as cursor:
            cursor.execute("SET plan_cache_mode = force_generic_plan")
            for text in PREPARED.values():
                cursor.execute(text)
        with self._lock:
            self._all.append(made)
        return made

    def _drop(self) -> None:
        held: Connection | None = getattr(self._mine, "connection", None)
        if held is not None:
            held.close()
            with self._lock:
                self._all = [one for one in self._all if one is not held]
        self._mine.connection = None
