"""Staging: rows go by COPY into temporary tables of this session; one merge a table takes them on from there."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import psycopg2.extensions
import pyarrow as pa
import pyarrow.csv

from hub.errors import InternalError

Cursor = psycopg2.extensions.cursor

_OPTIONS = pyarrow.csv.WriteOptions(include_header=False)


def make(cursor: Cursor, name: str, like: str | None = None, columns: str = "") -> str:
    """Make the session's staging table `name` if it is not there; it empties itself at the end of each transaction."""
    body = f"(LIKE {like} INCLUDING DEFAULTS)" if like else f"({columns})"
    cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS {name} {body} ON COMMIT DELETE ROWS")
    return name


def fresh(cursor: Cursor, name: str, columns: str) -> str:
    """Make the session's staging table `name` and empty it."""
    make(cursor, name, columns=columns)
    cursor.execute(f"TRUNCATE {name}")
    return name


def reset(cursor: Cursor) -> None:
    """Empty this session's staging tables, for a further batch in the same transaction."""
    cursor.execute(
        "SELECT string_agg(relname, ', ') FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'"
        " AND relname LIKE 'stage\\_%'"
    )
    names = scalar(cursor)
    if names:
        cursor.execute(f"TRUNCATE {names}")


def copy(cursor: Cursor, table: str, columns: dict[str, Any]) -> int:
    """COPY arrow arrays or Python lists into `table`, named by column; return the number of rows.

    Text is quoted and NULL is not, so an empty text and a missing one stay apart.
    """
    arrays = {
        name: values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
        for name, values in columns.items()
    }
    data = pa.table(arrays)
    if data.num_rows == 0:
        return 0
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(data, buffer, _OPTIONS)
    buffer.seek(0)
    names = ", ".join(f'"{name}"' for name in columns)
    cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)", buffer, size=1 << 20)
    return int(data.num_rows)


def bytea(values: list[bytes] | list[bytes | None]) -> pa.Array:
    """Return byte strings in the text form that PostgreSQL reads (`\\x…`); None stays NULL."""
    return pa.array([None if value is None else "\\x" + value.hex() for value in values], pa.string())


def integers(values: Sequence[int | None]) -> pa.Array:
    """Return integers, None as NULL."""
    return pa.array(values, pa.int64())


def texts(values: Sequence[str | None]) -> pa.Array:
    """Return texts, None as NULL."""
    return pa.array(values, pa.string())


def scalar(cursor: Cursor) -> Any:
    """Return the first column of the next row.

    Raises:
        InternalError: there is no row where there must be one.
    """
    row = cursor.fetchone()
    if row is None:
        raise InternalError("a statement that always gives a row gave none")
    return row[0]
