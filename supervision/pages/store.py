"""Rows as plain dictionaries, out of one statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

Row = dict[str, Any]


def rows(connection: sa.Connection, query: str, values: Mapping[str, Any] | None = None) -> list[Row]:
    """Return what a statement finds."""
    found = connection.execute(sa.text(query), dict(values or {})).mappings()
    return [{str(name): value for name, value in row.items()} for row in found]


def row(connection: sa.Connection, query: str, values: Mapping[str, Any] | None = None) -> Row | None:
    """Return the first row that a statement finds; None where it finds none."""
    return next(iter(rows(connection, query, values)), None)
