"""Reads the rows of a condition that is no cursor's, a window or a number, as the records that a pull makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa

from connectors.kinds.database.composite import tables_of
from connectors.kinds.database.fetch import Rows, stream_rows
from connectors.kinds.database.plan import Plan
from connectors.kinds.database.values import Made, made_of
from connectors.source import StreamSpec
from connectors.throttle import Fetch, Throttle, slowed
from hub.table import Table


def read(
    connection: sa.Connection, stream: StreamSpec, plan: Plan, statement: sa.Select[Any], size: int
) -> Iterator[tuple[Made, bool]]:
    """Yield the records of each slice of a statement over the plan's columns, and whether it is the last."""
    fetch: Fetch[Any] = tables_of(connection, plan) or partial(stream_rows, connection)
    number, held = 0, None
    for rows in slowed(fetch, Throttle.of(stream, "rows"))(statement, size):
        if held is not None:
            yield held, False
        held = _made(connection, plan, rows, number + 1)
        number += len(rows)
    yield held or ([], range(0), []), True


def _made(connection: sa.Connection, plan: Plan, rows: Rows | Table, first: int) -> Made:
    if isinstance(rows, Table):
        return rows, range(first, first + len(rows)), []
    return made_of(rows, plan, first, connection.dialect.name)
