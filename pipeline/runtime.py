"""What every step needs, opened once: settings, repository, keys, archive, contracts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import sqlalchemy as sa

from hub.documents import Documents
from hub.errors import SourceBusy
from hub.protect import Protector
from hub.settings import Settings
from sharedrepo.archive import Archive
from sharedrepo.connect import engine as make_engine
from sharedrepo.keyring.keys import check_fingerprints
from sharedrepo.migrate import upgrade
from sharedrepo.staging import stage

Connection = psycopg2.extensions.connection


@dataclass(frozen=True, slots=True)
class Runtime:
    """An open hub: the repository is at its present revision and the keys are those it was written with."""

    settings: Settings
    engine: sa.Engine
    protector: Protector
    archive: Archive
    documents: Documents

    @classmethod
    def open(cls, settings: Settings | None = None) -> Runtime:
        """Open the repository, upgrade it, and check the keys.

        Raises:
            RepositoryError: the server is too old, or the repository was written with other keys.
        """
        settings = settings or Settings.load()
        engine = make_engine(settings)
        upgrade(engine)
        protector = Protector.from_settings(settings)
        check_fingerprints(engine, protector)
        return cls(settings, engine, protector, Archive(settings.archive_location, protector), Documents.load())

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Give a driver connection outside any pool's reset, closed at the end whatever happens."""
        raw = self.engine.raw_connection()
        try:
            driver = raw.driver_connection
            assert isinstance(driver, Connection)  # noqa: S101  # the engine is psycopg2's
            yield driver
        finally:
            _let_go(raw.driver_connection)
            raw.invalidate()  # temporary tables go with it

    def hold_source(self, connection: Connection, source_system_id: int, code: str, *, wait: float = 0) -> None:
        """Hold the source for this connection until it closes or lets go: one pull, or one batch of posts, at a time.

        `wait` is how many seconds others are waited for, in the order of those who came.

        Raises:
            SourceBusy: another connection holds it.
        """
        lock = "pg_try_advisory_lock(hashtext('hub.source'), %(source)s)"
        waiting = "pg_advisory_lock(hashtext('hub.source'), %(source)s)"
        with connection.cursor() as cursor:
            if wait:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", (f"{int(wait * 1000)}ms",))
            try:
                cursor.execute(f"SELECT {waiting if wait else lock}", {"source": source_system_id})
                held = bool(wait) or stage.scalar(cursor)
            except psycopg2.errors.LockNotAvailable:
                held = False
        if not held:
            connection.rollback()
            raise SourceBusy(code)
        connection.commit()

    @contextmanager
    def lent(self, connection: Connection) -> Iterator[Connection]:
        """Give a connection that its owner keeps; at the end it holds no source any more."""
        try:
            yield connection
        finally:
            _let_go(connection)


def _let_go(connection: object) -> None:
    """Give up the session's locks at once: a server takes a moment to notice that a connection was closed."""
    if isinstance(connection, Connection) and not connection.closed:
        with contextlib.suppress(psycopg2.Error), connection.cursor() as cursor:
            connection.rollback()
            cursor.execute("SELECT pg_advisory_unlock_all()")
            connection.commit()
