"""Bounds that people set, of volumes (over those of `source.yml`) and of fill rates: the latest holds, all are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sharedrepo.staging import stage

ROWS = "rows"
"""The measure of records in one unit (a file, else a pull)."""
FILL = "fill:"
"""Begins the measure of a fill rate; `document.column` follows."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One setting of a stream's bounds: at least and at most so many; None bounds nothing on that side."""

    source: str
    stream: str
    measure: str
    """`rows`, or `fill:document.column`: the share of rows in which a column is filled."""
    least: float | None
    most: float | None
    reason: str
    actor: str
    at: datetime
    latest: bool


def current(cursor: stage.Cursor, source: str) -> dict[str, tuple[int | None, int | None]]:
    """Return the bounds that hold now for each stream of a source for which anybody set some."""
    cursor.execute(
        "SELECT stream, least, most FROM quality.bound WHERE source = %s AND measure = %s AND latest", (source, ROWS)
    )
    return {stream: (_whole(least), _whole(most)) for stream, least, most in cursor.fetchall()}


def least_shares(cursor: stage.Cursor, source: str) -> dict[str, dict[str, float]]:
    """Return the least fill rate of each column (`document.column`) that somebody bounded, for each stream of a source.

    A bound of a column that a later contract dropped is kept in the history and holds nothing.
    """
    cursor.execute(
        """SELECT stream, measure, least FROM quality.bound
           WHERE source = %s AND starts_with(measure, %s) AND latest AND least IS NOT NULL ORDER BY bound_id""",
        (source, FILL),
    )
    found: dict[str, dict[str, float]] = {}
    for stream, measure, least in cursor.fetchall():
        found.setdefault(stream, {})[measure.removeprefix(FILL)] = float(least)
    return found


def put(
    connection: sa.Connection, *, source: str, stream: str, measure: str, least: float | None, most: float | None,
    reason: str, actor: str, now: datetime,
) -> None:  # fmt: skip
    """Set a stream's bounds; those that held before stay in the history."""
    where = {"source": source, "stream": stream, "measure": measure}
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('quality.bound'))"))
    connection.execute(
        sa.text("""UPDATE quality.bound SET latest = false
                   WHERE source = :source AND stream = :stream AND measure = :measure AND latest"""),
        where,
    )
    connection.execute(
        sa.text("""INSERT INTO quality.bound (source, stream, measure, least, most, reason, actor, at)
                   VALUES (:source, :stream, :measure, :least, :most, :reason, :actor, :at)"""),
        {**where, "least": least, "most": most, "reason": reason, "actor": actor, "at": now},
    )


def history(engine: sa.Engine, *, source: str | None = None, stream: str | None = None) -> list[Bound]:
    """Return every setting of bounds, the newest first."""
    query = """SELECT source, stream, measure, least, most, reason, actor, at, latest FROM quality.bound
               WHERE (CAST(:source AS text) IS NULL OR source = :source)
                 AND (CAST(:stream AS text) IS NULL OR stream = :stream) ORDER BY bound_id DESC"""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), {"source": source, "stream": stream}).mappings()
        return [Bound(**{**row, "least": _plain(row["least"]), "most": _plain(row["most"])}) for row in rows]


def _plain(value: Any) -> float | None:
    """Return a bound as a whole number where it is one."""
    return None if value is None else int(value) if value == int(value) else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
