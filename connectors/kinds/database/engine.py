"""Opens read-only connections whose drivers hand over JSON-native values: instants and decimals arrive as text.

The drivers' own C code makes the text; nothing is parsed only to be printed again. That is what makes this reader
fast, and it keeps what the database said (microseconds, `infinity`, a zero date) exactly as it said it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from connectors.kinds.database.silence import SILENCE, Watched, WatchedCursor
from connectors.kinds.database.trouble import trouble
from hub.errors import SourceUnreachable, StopSource

_DRIVERS = {
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "oracle": "oracle+oracledb",
}
_WAIT = 10
"""Seconds for a connection to come up."""

_OLDEST = 100_000
"""What a server is taken for whose version the driver cannot read: PostgreSQL 10."""
_SHORT = 10
"""Seconds to wait for a row that somebody else holds."""
_PRINTED = ("TIME ZONE 'UTC'", "datestyle = 'ISO'", "intervalstyle = 'iso_8601'")
"""How PostgreSQL prints instants. One offset: they then sort as text, too."""
_TOLD: dict[str, tuple[str, ...]] = {
    "postgresql": (f"SET lock_timeout = '{_SHORT}s'", *(f"SET {said}" for said in _PRINTED)),
    **dict.fromkeys(("mysql", "mariadb"), (f"SET SESSION innodb_lock_wait_timeout = {_SHORT}",)),
    "oracle": (),
}
"""What is told to a connection that writes."""


def open_engine(url: str, source: str, *, writes: bool = False) -> sa.Engine:
    """Return an engine for a connection's URL; nothing is connected yet, and the URL is never shown.

    `writes` opens a SQLite file for writing, too; all other servers decide that by transaction.

    Raises:
        StopSource: the URL cannot be read, or its database is of no known sort.
    """
    try:
        parsed = make_url(url)
        parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
        if parsed.get_backend_name() == "sqlite":
            return sa.create_engine(
                "sqlite://", creator=lambda: _open_sqlite(parsed, source, writes=writes), poolclass=NullPool
            )
        return _knowing_versions(sa.create_engine(parsed, poolclass=NullPool, connect_args=_arguments(parsed)))
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise StopSource(
            source=source,
            got=f"the connection's URL cannot be used ({type(error).__name__})",
            known="postgresql://, mysql://, sqlite:///",
            hint="Write it as postgresql://user:password@host:5432/database, special characters %-quoted.",
        ) from None


def _knowing_versions(engine: sa.Engine) -> sa.Engine:
    """Return the engine, which knows the version of whatever speaks as PostgreSQL does."""
    dialect: Any = engine.dialect
    if dialect.name == "postgresql":
        dialect._get_server_version_info = _postgresql_version  # noqa: SLF001  # there is no other place to say it
    return engine


def _postgresql_version(connection: sa.Connection) -> tuple[int, ...]:
    """Return the version that the server says at the beginning of each connection.

    SQLAlchemy reads it from a sentence that begins with PostgreSQL. Servers that speak as PostgreSQL does and bear
    another name (KingbaseES, openGauss) begin it otherwise, and would end in an assertion.
    """
    number = int(connection.connection.driver_connection.server_version) or _OLDEST  # type: ignore[union-attr]  # it is there
    major, rest = divmod(number, 10_000)
    return (major, rest) if major >= 10 else (major, *divmod(rest, 100))  # noqa: PLR2004  # two parts since version 10


def _arguments(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "postgresql":
        # Keep-alives notice a department's machine that was switched off in the middle of a read; what sends and hears
        # nothing is given up, too, and so is a server that merely stays silent.
        return {"connect_timeout": _WAIT, "client_encoding": "utf8", "application_name": "approval-exchange-hub",
                "keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,
                "tcp_user_timeout": 60_000, "connection_factory": Watched,
                "cursor_factory": WatchedCursor}  # fmt: skip
    if url.drivername == "mysql+pymysql":
        return {"connect_timeout": _WAIT, "read_timeout": SILENCE, "charset": "utf8mb4", "conv": _mysql_values()}
    return {}


def _mysql_values() -> dict[Any, Any]:
    """Return PyMySQL's conversions without those that parse instants and decimals."""
    from pymysql.constants import FIELD_TYPE  # noqa: PLC0415  # only where MySQL is used
    from pymysql.converters import conversions  # noqa: PLC0415  # only where MySQL is used

    kept = dict(conversions)
    for name in ("DATE", "DATETIME", "TIMESTAMP", "TIME", "DECIMAL", "NEWDECIMAL", "NEWDATE"):
        kept.pop(getattr(FIELD_TYPE, name), None)
    kept[FIELD_TYPE.JSON] = orjson.loads
    kept[FIELD_TYPE.BIT] = lambda value: int.from_bytes(value, "big")
    return kept


def _open_sqlite(url: URL, source: str, *, writes: bool) -> sqlite3.Connection:
    """Open a SQLite file, for reading only unless `writes`; one that is not there is an error, never a new one."""
    file = Path(url.database or "")
    if not file.is_file():
        raise SourceUnreachable(source=source, got=f"there is no database file {file.name!r}")
    # A pull that breaks off is closed by another thread than the one that reads; never do two use it at once.
    address = f"file:{quote(str(file))}?mode={'rw' if writes else 'ro'}"
    return sqlite3.connect(address, uri=True, timeout=_WAIT, check_same_thread=False)


@contextlib.contextmanager
def connected(
    engine: sa.Engine, source: str, stream: str | None, *, raw: bool = False, silence: float = SILENCE
) -> Iterator[sa.Connection]:
    """Give a connection in one read-only transaction, which sees the database as it was at its start.

    `raw` has texts come as the bytes that are stored, see `stored`; `silence` is how long the server may say nothing.

    Raises:
        SourceTrouble: whatever the driver raises inside, in the hub's words.
    """
    with in_our_words(engine, source, stream), engine.connect() as connection, _let_go_if_lost(engine, connection):
        _bear_silence(connection, silence)
        if raw:
            unconverted(connection)
        yield _prepared(connection)


@contextlib.contextmanager
def in_our_words(engine: sa.Engine, source: str, stream: str | None) -> Iterator[None]:
    """Turn what the driver raises inside into the hub's own errors.

    Raises:
        SourceTrouble: what was raised.
    """
    troubles: tuple[type[BaseException], ...] = (SQLAlchemyError, UnicodeError, _driver_error(engine))
    try:
        yield
    except troubles as error:
        raise trouble(error, source=source, stream=stream) from error


def unconverted(connection: sa.Connection) -> None:
    """Have PostgreSQL hand over bytes as they are stored: in LATIN1 each is a character, and none is converted."""
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.dbapi_connection
        driver.set_client_encoding("LATIN1")


def _driver_error(engine: sa.Engine) -> type[BaseException]:
    error: type[BaseException] = getattr(engine.dialect.dbapi, "Error", SQLAlchemyError)
    return error


@contextlib.contextmanager
def working(
    engine: sa.Engine, source: str, stream: str, *, raw: bool = False, silence: float = SILENCE
) -> Iterator[sa.Connection]:
    """Give a connection for short writing transactions, which the caller begins and ends; none waits long for a lock.

    Each sees what is committed when it looks (READ COMMITTED): nobody is kept from writing other rows meanwhile.

    Raises:
        SourceTrouble: whatever the driver raises inside, in the hub's words.
    """
    with in_our_words(engine, source, stream), engine.connect() as connection, _let_go_if_lost(engine, connection):
        _bear_silence(connection, silence)
        if raw:
            unconverted(connection)
        if connection.dialect.name in _TOLD:
            connection.execution_options(isolation_level="READ COMMITTED")
            for statement in _TOLD[connection.dialect.name]:
                connection.exec_driver_sql(statement)
            connection.commit()
        yield connection


def rest(connection: sa.Connection) -> None:
    """End the transaction of a `connected` connection: until `resume` the department's tables are free of us."""
    connection.rollback()
    connection.connection.rollback()  # SQLAlchemy knows nothing of what cursors of our own began


def resume(connection: sa.Connection) -> None:
    """Begin another read-only transaction after `rest`, which sees the database as it is now."""
    _prepared(connection)


@contextlib.contextmanager
def _let_go_if_lost(engine: sa.Engine, connection: sa.Connection) -> Iterator[None]:
    """Drop a connection that broke inside: putting it in order would fail, too, and hide why it broke."""
    try:
        yield
    except _driver_error(engine):
        driver: Any = connection.connection.dbapi_connection
        if getattr(driver, "closed", False) or not getattr(driver, "open", True):
            connection.invalidate()
        raise


def _bear_silence(connection: sa.Connection, seconds: float) -> None:
    """Say how long this server may say nothing, to the drivers that can be told."""
    driver: Any = connection.connection.dbapi_connection
    if isinstance(driver, Watched):
        driver.silence = seconds
    elif connection.dialect.driver == "pymysql":
        driver._read_timeout = seconds  # noqa: SLF001  # it takes it when it connects only


def _prepared(connection: sa.Connection) -> sa.Connection:
    backend = connection.dialect.name
    if backend == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        for said in _PRINTED:
            connection.exec_driver_sql(f"SET LOCAL {said}")
    elif backend in {"mysql", "mariadb"}:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    return connection
