"""Runs statements on the driver itself and hands its rows over untouched.

SQLAlchemy writes the statement in the server's dialect; its result objects are passed by, because they look at each
value of each row, and because their buffers may have taken rows that a reader beside them would then miss.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from typing import Any

import orjson
import psycopg2.extensions as pg
import sqlalchemy as sa

from connectors.kinds.database.stored import BYTES

Rows = Sequence[Sequence[Any]]

# What PostgreSQL prints as we want it: date, time, timestamp, interval, numeric, money, uuid, bit, arrays of any.
_AS_TEXT = (1082, 1083, 1266, 1114, 1184, 1186, 1700, 790, 2950, 1560, 1562)
_ARRAYS = (
    1000,
    1005,
    1007,
    1016,
    1009,
    1015,
    1014,
    1021,
    1022,
    1115,
    1182,
    1183,
    1185,
    1187,
    1231,
    1270,
    2951,
    199,
    3807,
)
_TEXT = pg.new_type(_AS_TEXT + _ARRAYS, "hub_text", pg.UNICODE)


def _unpad(value: Any, _: Any) -> Any:
    """Take off the blanks that `char(n)` pads with; the standard says that they mean nothing."""
    return None if value is None else value.rstrip(" ")


def _unpack(value: Any, _: Any) -> Any:
    return None if value is None else orjson.loads(value)


_PADDED = pg.new_type((1042,), "hub_char", _unpad)
_JSON = pg.new_type((114, 3802), "hub_json", _unpack)


def stream_rows(connection: sa.Connection, statement: sa.Select[Any], size: int) -> Generator[Rows]:
    """Yield a statement's rows in runs of `size`, from a server-side cursor where the driver has one."""
    cursor = _server_cursor(connection)
    try:
        _execute(connection, cursor, statement)
        while rows := cursor.fetchmany(size):
            yield rows
    finally:
        _close(cursor)


def _close(cursor: Any) -> None:
    """Close a cursor; a dead connection cannot, and need not."""
    with contextlib.suppress(Exception):
        cursor.close()
        return
    with contextlib.suppress(AttributeError):  # PyMySQL tries once more when both are forgotten, unless it is told
        cursor.connection = None
        getattr(cursor, "_result").unbuffered_active = False  # noqa: B009  # it has no public name


def first_value(connection: sa.Connection, statement: sa.Select[Any]) -> Any:
    """Return the first value of a statement's first row, as a JSON-native value; None where there is no row."""
    cursor = _told(_driver(connection).cursor(), connection)
    try:
        _execute(connection, cursor, statement)
        row = cursor.fetchone()
    finally:
        cursor.close()
    return None if row is None else printed(row[0])


def types_of(connection: sa.Connection, statement: sa.Select[Any]) -> tuple[int, ...]:
    """Return the object id of each column's type, as PostgreSQL's driver names it."""
    with _driver(connection).cursor() as cursor:
        _execute(connection, cursor, statement)
        return tuple(column.type_code for column in cursor.description)


def printed(value: Any) -> Any:
    """Return a value as the state may hold it; bytes as the text in which each is a character."""
    if isinstance(value, bytes):
        return value.decode(BYTES)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.dbapi_connection


def _server_cursor(connection: sa.Connection) -> Any:
    if connection.dialect.name == "postgresql":
        return _told(_driver(connection).cursor(name="hub_read"), connection)
    if connection.dialect.driver == "pymysql":
        from pymysql.cursors import SSCursor  # noqa: PLC0415  # only where MySQL is used

        return _driver(connection).cursor(SSCursor)
    return _driver(connection).cursor()


def _told(cursor: Any, connection: sa.Connection) -> Any:
    """Tell a cursor to hand over text. Only ours: SQLAlchemy reads the catalogue on this connection, with arrays."""
    if connection.dialect.name == "postgresql":
        for caster in (_TEXT, _PADDED, _JSON):
            pg.register_type(caster, cursor)
    return cursor


def _execute(connection: sa.Connection, cursor: Any, statement: sa.Select[Any]) -> None:
    compiled: Any = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    values = compiled.construct_params()
    if compiled.positional:
        cursor.execute(str(compiled), tuple(values[name] for name in compiled.positiontup))
    else:
        cursor.execute(str(compiled), values)
