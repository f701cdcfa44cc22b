"""Suggests bounds from healthy runs, and sets them with a reason.

The rule of thumb is the one of OpenSanctions' zavod: `min` at 80 to 90 % of a healthy run, `max` at about twice one. A
breach of `min` stops the publication of the delivery; a breach of `max` only warns.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from connectors.source import Source
from hub.errors import HubError
from hub.remark import one_line
from sharedrepo import bounds
from sharedrepo.bounds import Bound, history

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
LONGEST_REASON: Final = 1000

_ACTOR = re.compile(r"(account|cli):\S{1,100}|hub")

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


class BoundRefused(HubError):
    """A bound cannot be set as asked; nothing was changed."""

    exit_status = 2


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
    said = {(one.source, one.stream): one for one in history(engine) if one.latest}
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
    reason = one_line(reason)
    where = f"{source.code}.{stream}"
    if stream not in source.streams:
        raise BoundRefused(f"{where}: no such stream; it has {', '.join(source.streams)}.")
    if source.kind == "push":
        raise BoundRefused(f"{where}: posts are gathered by chance, so that nothing bounds one of them.")
    if not reason or len(reason) > LONGEST_REASON:
        raise BoundRefused(f"{where}: a bound moves only with a reason of 1 to {LONGEST_REASON} characters: say why.")
    if not _ACTOR.fullmatch(actor):
        raise BoundRefused(f"{where}: {actor[:40]!r} names no actor. An actor is account:<code> or cli:<user>.")
    if any(one is not None and one < 0 for one in (least, most)) or (least or 0) > (math.inf if most is None else most):
        raise BoundRefused(f"{where}: at least {least} and at most {most} cannot be. Give 0 ≤ min ≤ max.")
    with engine.begin() as connection:
        bounds.put(connection, source=source.code, stream=stream, least=least, most=most, reason=reason,
                   actor=actor, now=now or datetime.now(UTC))  # fmt: skip


def _suggestion(source: Source, stream: str, row: Any, said: Bound | None) -> Suggestion:
    declared = source.streams[stream].expect
    runs = row["runs"] if row else 0
    enough = runs >= FEWEST
    now = (said.least, said.most) if said else (declared.least, declared.most) if declared else (None, None)
    return Suggestion(
        source.code, stream, runs,
        smallest=row["smallest"] if row else None,
        largest=row["largest"] if row else None,
        least=math.floor(LEAST_SHARE * row["smallest"]) if enough else None,
        most=MOST_TIMES * row["largest"] if enough else None,
        now_least=now[0], now_most=now[1],
        set_by=said.actor if said else "source.yml" if declared else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FillRate:
    """How often a column of a document is filled in what is held of a source; `least` is the suggested minimum."""

    source: str
    document: str
    column: str
    filled: int
    rows: int
    least: float

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


def fill_rates(engine: sa.Engine, source: str) -> list[FillRate]:
    """Return how often each column that may be empty is filled, with 85 % of that as the suggested minimum.

    Personal columns are counted by their mask or hash; no value is read. The suggestions are for a suite
    (`validation/suites`): `expect_column_values_to_not_be_null` with `mostly`.
    """
    from sharedrepo.models import TABLES  # noqa: PLC0415  # only this question walks all tables

    found = []
    with engine.connect() as connection:
        for name, table in TABLES.items():
            columns = [one.name for one in table.columns if one.nullable and "sealed" not in one.info]
            counts = ", ".join(f'count(t."{column}")' for column in columns)
            row = connection.execute(
                sa.text(f"""SELECT count(*), {counts or "0"} FROM core.{name} AS t
                            JOIN ledger.source_record AS r USING (record_id)
                            JOIN ledger.stream AS s USING (stream_id)
                            JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
                            WHERE ss.code = :source"""),
                {"source": source},
            ).one()
            if row[0]:
                found += [
                    FillRate(source, name, column, filled, row[0], round(LEAST_SHARE * filled / row[0], 3))
                    for column, filled in zip(columns, row[1:], strict=False)
                    if filled
                ]
    return found
