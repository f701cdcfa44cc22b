"""The one way to a database connection: the embedded server or the one that `HUB_DATABASE_URL` names."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.errors import RepositoryError
from hub.settings import Settings
from sharedrepo.embedded import EmbeddedServer

OLDEST_SERVER: Final = 150_000
"""PostgreSQL 15: MERGE, security_invoker views, NULLS NOT DISTINCT."""
DRIVER: Final = "postgresql+psycopg2"
LOCK_SECONDS: Final = 60
STATEMENT_SECONDS: Final = 1_800
IDLE_SECONDS: Final = 600


class ServerTooOld(RepositoryError):
    """The server is older than the hub's SQL."""


class BadDatabaseUrl(RepositoryError):
    """`HUB_DATABASE_URL` is no URL of a PostgreSQL database."""

    exit_status = 78


def database_url(settings: Settings, *, database: str | None = None) -> URL:
    """Return the URL of the repository's database for SQLAlchemy; the embedded server is started for it.

    Raises:
        BadDatabaseUrl: the setting is unreadable; it is not quoted, since it holds a password.
        EmbeddedTrouble: the embedded server does not start.
    """
    if settings.database_url is None:
        url = make_url(EmbeddedServer.from_settings(settings).start())
    else:
        url = _read(settings.database_url.get_secret_value())
    return url.set(drivername=DRIVER, database=database or url.database)


def engine(
    settings: Settings,
    *,
    application: str = "hub",
    statement_seconds: int = STATEMENT_SECONDS,
    lock_seconds: int = LOCK_SECONDS,
    **options: Any,
) -> Engine:
    """Make the engine of the repository's database: UTC, named, with limits on waiting; `options` go to SQLAlchemy.

    A statement that waits longer than `lock_seconds` for another's lock fails, one that runs longer than
    `statement_seconds` too (0 is no limit), and a transaction that sits idle for ten minutes is ended: a hanging
    process must not hold what all the others need.

    Raises:
        ServerTooOld: at the first connection, when the server is older than PostgreSQL 15.
    """
    session = {
        "timezone": "UTC",
        "statement_timeout": f"{statement_seconds}s",
        "lock_timeout": f"{lock_seconds}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        # A slice's staging tables stay in memory, and no statement of a batch is worth compiling.
        "temp_buffers": "64MB",
        "jit": "off",
    }
    made = create_engine(
        database_url(settings),
        connect_args={
            "application_name": application,
            "connect_timeout": 10,
            "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        },
        hide_parameters=True,
        pool_pre_ping=True,
        use_native_hstore=False,  # no table has one: a statement less for each connection
        **options,
    )
    event.listen(made, "connect", _check_version)
    return made


def _check_version(connection: Any, _record: Any) -> None:
    version = connection.server_version
    if version < OLDEST_SERVER:
        raise ServerTooOld(
            f"the server is PostgreSQL {version // 10_000}.{version % 10_000}; the hub needs "
            f"{OLDEST_SERVER // 10_000} or newer. Point HUB_DATABASE_URL to a newer server."
        )


def _read(text: str) -> URL:
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1) if text.startswith("postgres://") else text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() != "postgresql" or not url.database:
        raise BadDatabaseUrl(
            "HUB_DATABASE_URL is no URL of a PostgreSQL database. "
            "It looks like postgresql://hub:password@host:5432/hub (the database's name is needed)."
        )
    return url
