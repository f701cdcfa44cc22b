"""Lays rows out as a relation would, so that expectations can be judged on any rows a test thinks of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from quality.sets.relation import ROWS
from quality.sets.run import Result, judge
from quality.sets.suite import Asked, Suite

COLUMNS = {
    "organ": "text",
    "stream_id": "integer",
    "fact": "boolean",
    "word": "text",
    "minute": "bigint",
    "number": "double precision",
}


def judged(engine: sa.Engine, rows: Sequence[dict[str, Any]], *asked: Asked) -> list[Result]:
    """Return the results of these expectations on these rows; nothing of it stays."""
    with engine.connect() as connection, connection.begin() as transaction:
        shape = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE {ROWS} ({shape}) ON COMMIT DROP"))
        names = ", ".join(COLUMNS)
        values = ", ".join(f":{name}" for name in COLUMNS)
        if rows:
            connection.execute(
                sa.text(f"INSERT INTO {ROWS} ({names}) VALUES ({values})"),
                [{name: row.get(name) for name in COLUMNS} for row in rows],
            )
        found = judge(connection, Suite("rows", asked))
        transaction.rollback()
    return found
