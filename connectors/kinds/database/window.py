"""Reads a window of business dates out of a table, for a back-fill: whatever the cursor says, and without moving it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connectors.kinds.database import narrowed
from connectors.kinds.database.fetch import first_value
from connectors.kinds.database.plan import Plan
from connectors.kinds.database.values import Made
from connectors.seam import Window
from connectors.source import Source, StreamSpec
from hub.errors import StopSource

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T].*)?")


def read(
    connection: sa.Connection, source: Source, stream: StreamSpec, plan: Plan, window: Window, size: int
) -> Iterator[tuple[Made, bool]]:
    """Yield the records of each slice whose business date lies in the window, and whether it is the last.

    The business date is the column of option `business_date`, else the cursor's.

    Raises:
        StopSource: there is no such column, or its texts are no dates that sort as they are written.
    """
    column = _column(source, stream, plan)
    since, until = (_bound(moment, source.time_zone) for moment in (window.since, window.until))
    _must_sort(connection, source, stream, plan, column)
    yield from narrowed.read(connection, stream, plan, plan.select([column >= since, column < until]), size)


def _column(source: Source, stream: StreamSpec, plan: Plan) -> sa.ColumnClause[Any]:
    named = stream.options.get("business_date") or (stream.cursor.field if stream.cursor else None)
    by_name = dict(zip(plan.names, plan.columns, strict=True))
    found = by_name.get(str(named))
    if found is None:
        raise StopSource(
            source=source.code, stream=stream.name,
            got="a back-fill needs a column of business dates" + (f", and there is no {named!r}" if named else ""),
            known=", ".join(sorted(by_name)[:30]),
            hint="Name it in option `business_date` of the stream.",
        )  # fmt: skip
    return found


def _bound(moment: datetime, zone: str) -> str:
    """Write a moment as the department's clock shows it."""
    local = moment.astimezone(ZoneInfo(zone)) if moment.tzinfo else moment
    return local.strftime("%Y-%m-%d %H:%M:%S")


def _must_sort(
    connection: sa.Connection, source: Source, stream: StreamSpec, plan: Plan, column: sa.ColumnClause[Any]
) -> None:
    """Refuse what is no ISO date: compared as it stands it would not come in order of time."""
    if isinstance(plan.types[column.name], sa.Date | sa.DateTime):
        return
    for extreme in (sa.func.min(column), sa.func.max(column)):
        value = first_value(
            connection, sa.select(extreme).select_from(plan.table).where(sa.cast(column, sa.String) != "")
        )
        if value is not None and not _ISO.fullmatch(str(value)):
            raise StopSource(
                source=source.code, stream=stream.name,
                got=f"column {column.name!r} holds what is no date of the form 2026-01-05",
                hint="Name another column in `business_date`, or read everything again with --full.",
            )  # fmt: skip
