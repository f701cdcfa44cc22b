"""Suggests bounds from healthy runs, and sets them with a reason.

The rule of thumb is the one of OpenSanctions' zavod: `min` at 80 to 90 % of a healthy run, `max` at about twice one. A
breach of `min` stops the publication of the delivery; a breach of `max` only warns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from connectors.source import Source
from quality.bounds.errors import BoundRefused, reasoned
from quality.bounds.fill import FillRate, fill_rates
from sharedrepo.feeds import bounds
from sharedrepo.feeds.bounds import Bound, history

__all__ = ["Bound", "BoundRefused", "FillRate", "Suggestion", "fill_rates", "history", "put", "suggest"]

LEAST_SHARE: Final = 0.85
"""The suggested minimum: this share of the smallest healthy volume."""
MOST_TIMES: Final = 2
"""The suggested maximum: so many times the largest healthy volume."""
RUNS: Final = 30
"""So many of the latest healthy runs are looked at."""
FEWEST: Final = 3
"""From fewer healthy runs nothing is suggested: one pull tells nothing of the next."""
HEALTHY: Final = 0.05
"""A run of which more than this share was refused is not healthy."""

# One run is what one pull brought of one unit. The first pull by a cursor brings years at once: no day is like it.
_RUNS = """
WITH run AS (
    SELECT ss.code AS source, s.name AS stream, b.stream_id, b.unit, b.read_at, sum(b.read) AS rows,
        b.read_at = min(b.read_at) OVER (PARTITION BY b.stream_id)
            AND ss.code || '.' || s.name = ANY(:cursors) AS first,
        bool_and(b.status = 'committed') AND sum(b.quarantined) <= :healthy * sum(b.read) AS healthy
    FROM ledger.batch AS b
    JOIN ledger.stream AS s USING (stream_id) JOIN core.source_system AS ss
        ON ss.source_system_id = s.source_system_id
    WHERE b.kind = 'pull' AND ss.code = ANY(:sources)
    GROUP BY ss.code, s.name, b.stream_id, b.unit, b.read_at
),
latest AS (
    SELECT *, row_number() OVER (PARTITION BY stream_id ORDER BY read_at DESC, unit) AS place
    FROM run WHERE rows > 0 AND healthy AND NOT first
)
SELECT source, stream, count(*) AS runs, min(rows)::bigint AS smallest, max(rows)::bigint AS largest
FROM latest WHERE place <= :runs GROUP BY source, stream
"""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What healthy runs suggest for one stream beside what holds now; `least` and `most` are None for want of runs."""

    source: str
    stream: str
    runs: int
    smallest: int | None
    largest: int | None
    least: int | None
    most: int | None
    now_least: int | None
    now_most: int | None
    set_by: str
    """`source.yml`, who set it over it, or empty where nothing bounds the stream."""

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


def suggest(engine: sa.Engine, sources: Sequence[Source]) -> list[Suggestion]:
    """Return for each stream of these sources the bounds that its healthy runs suggest.

    Healthy is a run that brought something, of which nothing was held and at most 5 % refused. A source that posts has
    no bounds: its posts are gathered by chance.
    """
    cursors = [f"{one.code}.{name}" for one in sources for name, spec in one.streams.items() if spec.cursor]
    values = {"sources": [one.code for one in sources], "cursors": cursors, "runs": RUNS, "healthy": HEALTHY}
    with engine.connect() as connection:
        rows = {(row["source"], row["stream"]): row for row in connection.execute(sa.text(_RUNS), values).mappings()}
    said = {(one.source, one.stream): one for one in history(engine) if one.latest and one.measure == bounds.ROWS}
    return [
        _suggestion(source, name, rows.get((source.code, name)), said.get((source.code, name)))
        for source in sources if source.kind != "push"
        for name in source.streams
    ]  # fmt: skip


def put(
    engine: sa.Engine, source: Source, stream: str, *, least: int | None, most: int | None, reason: str, actor: str,
    now: datetime | None = None,
) -> None:  # fmt: skip
    """Set how many records a unit of a stream has at least and at most, over its folder, from the next pull on.

    Raises:
        BoundRefused: no reason, bounds that contradict each other, no such stream; the message says what to do.
    """
    where = f"{source.code}.{stream}"
    if stream not in source.streams:
        raise BoundRefused(f"{where}: no such stream; it has {', '.join(source.streams)}.")
    if source.kind == "push":
        raise BoundRefused(f"{where}: posts are gathered by chance, so that nothing bounds one of them.")
    reason = reasoned(where, reason, actor)
    if any(one is not None and one < 0 for one in (least, most)) or (least or 0) > (math.inf if most is None else most):
        raise BoundRefused(f"{where}: at least {least} and at most {most} cannot be. Give 0 ≤ min ≤ max.")
    with engine.begin() as connection:
        bounds.put(
            connection, source=source.code, stream=stream, measure=bounds.ROWS, least=least, most=most, reason=reason,
            actor=actor, now=now or datetime.now(UTC),
        )  # fmt: skip


def _suggestion(source: Source, stream: str, row: Any, said: Bound | None) -> Suggestion:
    declared = source.streams[stream].expect
    runs = row["runs"] if row else 0
    enough = runs >= FEWEST
    now = (
        (_whole(said.least), _whole(said.most))
        if said
        else (declared.least, declared.most)
        if declared
        else (None, None)
    )
    return Suggestion(
        source.code, stream, runs,
        smallest=row["smallest"] if row else None,
        largest=row["largest"] if row else None,
        least=math.floor(LEAST_SHARE * row["smallest"]) if enough else None,
        most=MOST_TIMES * row["largest"] if enough else None,
        now_least=now[0], now_most=now[1],
        set_by=said.actor if said else "source.yml" if declared else "",
    )  # fmt: skip


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
