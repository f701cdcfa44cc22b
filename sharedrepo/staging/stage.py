"""Staging: rows go by COPY into temporary tables of this session; one merge a table takes them on from there."""

from __future__ import annotations

import binascii
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import psycopg2.extensions
import pyarrow as pa
import pyarrow.compute as pc
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
    data = pa.table({name: plain(values) for name, values in columns.items()})
    if data.num_rows == 0:
        return 0
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(data, buffer, _OPTIONS)
    buffer.seek(0)
    names = ", ".join(f'"{name}"' for name in columns)
    cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)", buffer, size=1 << 20)
    return int(data.num_rows)


def plain(values: Any) -> pa.Array:
    """Return values as an array that is written fast; instants with a zone take fifteen times as long as text."""
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_large_binary(array.type):
        return hexed(array)
    if not pa.types.is_timestamp(array.type) or array.type.tz is None:
        return array
    bare = array.cast(pa.timestamp("us")).cast(pa.large_string())
    return pc.binary_join_element_wise(bare, pa.scalar("Z", pa.large_string()), pa.scalar("", pa.large_string()))


def bytea(values: Sequence[bytes | None]) -> pa.Array:
    """Return byte strings, None as NULL."""
    return pa.array(values, pa.large_binary())


def hexed(raw: pa.Array) -> pa.Array:
    """Return byte strings in the text form that PostgreSQL reads and writes (`\\x…`); null stays null."""
    start, end = raw.offset, raw.offset + len(raw)
    _validity, offsets, content = raw.buffers()
    if content is None:
        return pa.nulls(len(raw), pa.large_string())
    # Two digits a byte: the digits of all values in one go, and their offsets twice those of the bytes.
    digits = pa.py_buffer(binascii.hexlify(content))
    doubled = pa.py_buffer(np.frombuffer(offsets, dtype=np.int64)[start : end + 1] * 2)
    texts = pa.Array.from_buffers(pa.large_string(), len(raw), [None, doubled, digits])
    marked = pc.binary_join_element_wise(pa.scalar("\\x", pa.large_string()), texts, pa.scalar("", pa.large_string()))
    return pc.if_else(raw.is_valid(), marked, pa.scalar(None, pa.large_string())) if raw.null_count else marked


class TextArray:
    """Many texts as one parameter of a statement: `= ANY(%s)`.

    The driver would quote each of them; joined, they are one text that the server takes apart. Texts in which the mark
    between them stands, and a lone empty one, are quoted one by one after all.
    """

    _BETWEEN = "\x1f"

    def __init__(self, values: Iterable[str]) -> None:
        self._values = list(values)
        self._connection: Any = None

    def __conform__(self, protocol: Any) -> TextArray | None:
        """Take part in the driver's own protocol of parameters."""
        return self if protocol is psycopg2.extensions.ISQLQuote else None

    def prepare(self, connection: Any) -> None:
        """Take the connection, whose encoding decides how texts are quoted."""
        self._connection = connection

    def getquoted(self) -> bytes:
        """Return the SQL that stands for the texts."""
        joined = self._BETWEEN.join(self._values)
        if joined and joined.count(self._BETWEEN) == len(self._values) - 1:
            return b"string_to_array(" + self._quoted(joined) + b", E'\\x1f')"
        return b"ARRAY[" + b", ".join(map(self._quoted, self._values)) + b"]::text[]"

    def _quoted(self, text: str) -> bytes:
        quoted = psycopg2.extensions.QuotedString(text)
        quoted.prepare(self._connection)
        written: bytes = quoted.getquoted()
        return written


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
