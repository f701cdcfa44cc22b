"""Reads the rows that bear one number, for a live question: by equality, in bounded time, whatever the cursor says.

Nothing is put in order: a server might walk the index of the order, and so the whole table, in place of the number's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from connectors.kinds.database import narrowed
from connectors.kinds.database.plan import Lookup, Plan
from connectors.kinds.database.values import Made
from connectors.seam import Sought
from connectors.source import Source, StreamSpec
from hub.errors import SchemaMismatch, StopSource

_NOBODYS = "0"
"""What is looked for where it is only tried whether one may look: whole columns of numbers take it, too."""
_TRIED_SECONDS = 10.0


def read(connection: sa.Connection, source: Source, stream: StreamSpec, plan: Plan, sought: Sought) -> Made:
    """Return the records sought.

    Raises:
        SchemaMismatch: there is no such column, or it holds neither texts nor whole numbers.
        StopSource: more records bear the number than an answer may have.
    """
    column = _column(source, stream, plan, sought.field)
    values = _values(source, stream, plan, column, sought.values)
    if not values:  # no row of this column can hold any of them
        return [], range(0), []
    limit_time(connection, sought.seconds)
    statement = sa.select(*plan.selected).where(column.in_(values)).limit(sought.most + 1)
    (made, _), *rest = narrowed.read(connection, stream, plan, statement, sought.most + 1)
    if rest or len(made[0]) + len(made[2]) > sought.most:
        raise StopSource(
            source=source.code, stream=stream.name,
            got=f"more than {sought.most} records bear in {sought.field!r} what was asked for",
            hint="Ask which field tells one credential or holder from another, and name that in `look_up`.",
        )  # fmt: skip
    return made


def tried(connection: sa.Connection, source: Source, stream: StreamSpec, plan: Plan, what: str, field: str) -> str:
    """Say that one can look for the number of a credential or a holder, how long that takes, and whether an index leads
    to it.

    Raises:
        SourceTrouble: it cannot be done.
    """
    column, began = _column(source, stream, plan, field), time.monotonic()
    values = _values(source, stream, plan, column, (_NOBODYS,))
    limit_time(connection, _TRIED_SECONDS)
    connection.execute(sa.select(*plan.selected).where(column.in_(values)).limit(1)).all()
    seconds = time.monotonic() - began
    bare = "" if _indexed(connection, stream, plan, column) else "; without an index each one reads the whole table"
    return f"can be asked live for a {what} by {field} ({seconds:.2f} s{bare})"


def limit_time(connection: sa.Connection, seconds: float) -> None:
    """Have the server give a statement up by itself: one that nobody waits for any more would go on burdening it."""
    milliseconds = max(1, int(seconds * 1000))
    match connection.dialect.name:
        case "postgresql":
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
        case "mariadb":
            connection.exec_driver_sql(f"SET SESSION max_statement_time = {milliseconds / 1000}")
        case "mysql" if getattr(connection.dialect, "is_mariadb", False):
            connection.exec_driver_sql(f"SET SESSION max_statement_time = {milliseconds / 1000}")
        case "mysql":
            connection.exec_driver_sql(f"SET SESSION max_execution_time = {milliseconds}")
        case "oracle":
            driver: Any = connection.connection.dbapi_connection
            driver.call_timeout = milliseconds


def _column(source: Source, stream: StreamSpec, plan: Plan, field: str) -> sa.ColumnClause[Any]:
    columns = dict(zip(plan.names, plan.columns, strict=True))
    return Lookup(source.code, stream.name, columns).column(field, "asked for live (look_up)")


def _values(
    source: Source, stream: StreamSpec, plan: Plan, column: sa.ColumnClause[Any], values: Sequence[str]
) -> list[Any]:
    """Return the values as this column may hold them: a server would take a text for the number 0 and find that."""
    kind = plan.types[column.name]
    if isinstance(kind, sa.Integer) or (isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float)):
        return [int(one) for one in values if one.isascii() and one.isdigit() and len(one) <= 18]  # noqa: PLR2004  # of 64 bits
    if not isinstance(kind, sa.String | sa.types.NullType):
        raise SchemaMismatch(
            source=source.code, stream=stream.name,
            got=f"column {column.name!r} holds neither texts nor whole numbers ({kind}), so that nobody can ask by it",
            hint="Name the field of the number in `look_up`.",
        )  # fmt: skip
    texts = [one for one in values if "\0" not in one]
    stored = plan.stored
    if stored is None or column.name not in stored.columns:
        return list(texts)
    return [stored.written(one) for one in texts if _has_signs(one, stored.encoding)]


def _has_signs(text: str, encoding: str) -> bool:
    """Say whether an encoding has a sign for each character: a question mark in its place would find others' rows."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _indexed(connection: sa.Connection, stream: StreamSpec, plan: Plan, column: sa.ColumnClause[Any]) -> bool:
    """Say whether an index begins with the column; of a view nobody can tell, and nothing is said against it."""
    inspector, schema = sa.inspect(connection), stream.options.get("schema")
    if plan.table.name not in inspector.get_table_names(schema=schema):
        return True
    key = inspector.get_pk_constraint(plan.table.name, schema=schema).get("constrained_columns") or []
    indexes = inspector.get_indexes(plan.table.name, schema=schema)
    leading = [key[:1], *(one["column_names"][:1] for one in indexes)]
    return [column.name] in leading
