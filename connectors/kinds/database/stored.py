"""Reads text whose bytes are of another encoding than the column claims: GBK kept in a latin1 column, or in SQL_ASCII.

Each server is asked for the bytes as they lie there, and they are decoded here, strictly. PostgreSQL hands them over
through a connection that speaks LATIN1, in which every byte is a character and none is converted; MySQL and MariaDB
are told to `CAST` the column to bytes. Either way a stored text is held as the LATIN1 text of its bytes until
a record is made of it, so that a state and a receipt can name the very same bytes again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.errors import StopSource

BYTES = "latin-1"
"""The encoding in which each byte is a character."""
_SEEN = ("postgresql",)
_CAST = ("mysql", "mariadb")


@dataclass(frozen=True, slots=True)
class Stored:
    """The encoding that texts really have, and the columns that hold them; `cast` where the server must be told."""

    encoding: str
    columns: frozenset[str]
    cast: bool

    def selected(self, column: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        """Return what to select for a column."""
        return sa.cast(column, sa.LargeBinary) if self.cast and column.name in self.columns else column

    def text(self, value: Any) -> Any:
        """Return the text that a stored value is.

        Raises:
            UnicodeDecodeError: the bytes are not of the encoding.
        """
        if isinstance(value, str):
            value = value.encode(BYTES)
        return value.decode(self.encoding) if isinstance(value, bytes) else value

    def bound(self, value: Any) -> Any:
        """Return the parameter that stands for the LATIN1 text of stored bytes."""
        return value.encode(BYTES) if self.cast and isinstance(value, str) and not value.isascii() else value

    def written(self, text: str) -> Any:
        """Return the parameter that writes a text in the encoding; what it has no sign for becomes a question mark."""
        data = text.encode(self.encoding, "replace")
        return data if self.cast and not data.isascii() else data.decode(BYTES)


def stored(
    connection: sa.Connection,
    options: Mapping[str, Any],
    found: Sequence[Mapping[str, Any]],
    *,
    source: str,
    stream: str,
) -> Stored | None:
    """Return how the texts of a stream's table are stored; None where they are what their columns claim.

    Raises:
        StopSource: stored bytes cannot be read from a database of this sort.
    """
    encoding, dialect = options.get("stored_encoding"), connection.dialect.name
    if encoding is None:
        return None
    if dialect not in _SEEN + _CAST:
        raise StopSource(
            source=source, stream=stream, got=f"option stored_encoding does not work with {dialect}",
            known="PostgreSQL, MySQL, MariaDB", hint="Leave it out, or ask for a view that converts.",
        )  # fmt: skip
    texts = {one["name"] for one in found if isinstance(one["type"], sa.String)}
    return Stored(str(encoding), frozenset(texts - _unicode(connection, options, stream)), dialect in _CAST)


def _unicode(connection: sa.Connection, options: Mapping[str, Any], stream: str) -> set[str]:
    """Return the columns of MySQL that claim Unicode: the server lets no other bytes into them."""
    if connection.dialect.name not in {"mysql", "mariadb"}:
        return set()
    rows = connection.execute(
        sa.text(
            "SELECT column_name, character_set_name FROM information_schema.columns"
            " WHERE table_schema = coalesce(:place, database()) AND table_name = :name"
        ),
        {"place": options.get("schema"), "name": options.get("table", stream)},
    )
    return {name for name, charset in rows if str(charset).startswith(("utf8", "utf16", "utf32", "ucs2"))}
