"""What every step needs, opened once: settings, repository, keys, archive, contracts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
import psycopg2.extensions
import sqlalchemy as sa

from hub.documents import Documents
from hub.errors import SourceBusy
from hub.protect import Protector
from hub.settings import Settings
from sharedrepo import stage
from sharedrepo.archive import Archive
from sharedrepo.connect import engine as make_engine
from sharedrepo.keys import check_fingerprints
from sharedrepo.migrate import upgrade

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

    def hold_source(self, connection: Connection, source_system_id: int, code: str) -> None:
        """Hold the source for this connection until it closes: one pull at a time.

        Raises:
            SourceBusy: another connection holds it.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtext('hub.source'), %s)", (source_system_id,))
            held = stage.scalar(cursor)
        connection.commit()
        if not held:
            raise SourceBusy(code)


def _let_go(connection: object) -> None:
    """Give up the session's locks at once: a server takes a moment to notice that a connection was closed."""
    if isinstance(connection, Connection) and not connection.closed:
        with contextlib.suppress(psycopg2.Error), connection.cursor() as cursor:
            connection.rollback()
            cursor.execute("SELECT pg_advisory_unlock_all()")
            connection.commit()
