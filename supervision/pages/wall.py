"""The wall: every open case by department or region and by stage, with its light. One statement counts them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from supervision.areas import prefix_of
from supervision.pages import names, store
from supervision.pages.names import Named
from supervision.pages.scope import Scope
from supervision.pages.terms import LIGHTS, NEAR, SOON, STAGES, STOPPED, light

BY: Final = ("organ", "city", "county")
"""What a row of the wall stands for."""
MOST_ROWS: Final = 300
"""Rows that a wall shows at most; the others are counted in its last row and in its sums."""

_KEYS: Final = {
    "organ": "coalesce(c.organ, '')",
    "city": "coalesce(left(c.region, 4) || '00', '')",
    "county": "coalesce(left(c.region, 6), '')",
}
_LEVEL: Final = {
    "province": " AND (c.region LIKE '%0000' OR c.region IS NULL)",
    "city": " AND c.region LIKE '%00' AND c.region NOT LIKE '%0000'",
    "county": " AND c.region NOT LIKE '%00'",
}
OPEN: Final = "c.closed_at IS NULL AND c.state <> 'not_accepted'"
"""What an open case is: neither closed nor turned away."""

# A case lies in the latest of its rounds that are open; between two rounds, in the furthest stage that was begun.
# The latest is found by whole numbers, its second and its stage in one, which is aggregated without sorting.
_STAGE: Final = f"array_position(ARRAY{list(STAGES)}, stage)"
CURRENT: Final = f"""
SELECT case_id, (ARRAY{list(STAGES)})[
    max(coalesce(extract(EPOCH FROM started_at), 0)::bigint * 10 + {_STAGE}) % 10] AS stage
FROM supervision.clock_stage WHERE finished_at IS NULL GROUP BY case_id
"""
STAGE: Final = """coalesce(s.stage, (SELECT CASE
        WHEN o.complete_first IS NOT NULL THEN 'complete' WHEN o.approve_first IS NOT NULL THEN 'approve'
        WHEN o.review_first IS NOT NULL THEN 'review' WHEN o.undertake_first IS NOT NULL THEN 'undertake'
        END FROM core.case_overview AS o WHERE o.case_id = c.case_id), 'accept')"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the wall is asked for."""

    by: str = "organ"
    level: str | None = None
    region: str | None = None


@dataclass(slots=True)
class Row:
    """One department or region: its open cases by stage and light."""

    key: str
    name: Named
    cells: dict[str, dict[str, int]] = field(default_factory=lambda: {stage: {} for stage in STAGES})
    stopped: int = 0

    def lights(self) -> dict[str, int]:
        """Return the cases of all stages by light."""
        return {one: sum(cell.get(one, 0) for cell in self.cells.values()) for one in LIGHTS}

    @property
    def open(self) -> int:
        """Return all of its open cases."""
        return sum(self.lights().values())


@dataclass(frozen=True, slots=True)
class Wall:
    """The rows, those with most red first; `total` stands for all of them, shown or not."""

    at: datetime
    rows: Sequence[Row]
    total: Row
    hidden: int
    cards: Mapping[str, int]
    mark: str


def thresholds(connection: sa.Connection) -> dict[str, Any]:
    """Return from where on a light is yellow and from where on it warns, as the rules in force say it."""
    found = {"near": NEAR, "soon": SOON}
    rows = connection.execute(
        sa.text("""SELECT DISTINCT ON (code) code, basis, enabled FROM supervision.rule
                   WHERE code IN ('case_ninety_percent', 'case_day_left') ORDER BY code, version DESC""")
    ).all()
    for code, basis, enabled in rows:
        if enabled and code == "case_ninety_percent":
            found["near"] = basis.get("at_least", NEAR)
        elif enabled:
            found["soon"] = basis.get("at_most", SOON)
    return found


def mark(connection: sa.Connection) -> str:
    """Return what changes when the wall may have changed: the last run, the last deed on a card, and the minute."""
    query = """SELECT concat_ws('-', (SELECT max(run_id) FROM supervision.run),
                   (SELECT max(deed_id) FROM supervision.card_deed), (SELECT max(card_id) FROM supervision.card),
                   extract(EPOCH FROM date_trunc('minute', supervision.instant()))::bigint)"""
    return str(connection.execute(sa.text(query)).scalar_one())


def counted(connection: sa.Connection, scope: Scope, asked: Asked) -> Sequence[store.Row]:
    """Return how many open cases there are by key, stage and light."""
    where = scope.where("c") + _LEVEL.get(asked.level or "", "")
    if asked.region is not None:
        where += " AND c.region LIKE :region"
    query = f"""
    WITH stage AS ({CURRENT}),
    open AS (
        SELECT {_KEYS[asked.by]} AS key, {STAGE} AS stage, {light()} AS light, c.state IN {STOPPED} AS stopped
        FROM supervision.clock_now AS c
        LEFT JOIN stage AS s USING (case_id)
        WHERE {OPEN}{where})
    SELECT key, stage, light, count(*) AS cases, count(*) FILTER (WHERE stopped) AS stopped FROM open GROUP BY 1, 2, 3
    """
    values = {**scope.values, **thresholds(connection), "region": None if asked.region is None else area(asked.region)}
    return store.rows(connection, query, values)


def wall(connection: sa.Connection, scope: Scope, asked: Asked) -> Wall:
    """Return the wall as it stands now."""
    found = counted(connection, scope, asked)
    naming = names.organs if asked.by == "organ" else names.regions
    named = naming(connection, {row["key"] for row in found})
    total, rows = Row("", Named("", "", "")), dict[str, Row]()
    for one in found:
        key = one["key"]
        row = rows.setdefault(key, Row(key, named.get(key, Named(key, "", ""))))
        for target in (row, total):
            cell = target.cells[one["stage"]]
            cell[one["light"]] = cell.get(one["light"], 0) + one["cases"]
            target.stopped += one["stopped"]
    ranked = sorted(rows.values(), key=lambda row: (*(-row.lights()[one] for one in LIGHTS), row.key))
    at = connection.execute(sa.text("SELECT supervision.instant()")).scalar_one()
    return Wall(
        at, ranked[:MOST_ROWS], total, len(ranked[MOST_ROWS:]), _cards(connection, scope, asked), mark(connection)
    )


def area(region: str) -> str:
    """Return the pattern of the codes of a region and all below it."""
    return prefix_of(region) + "%"


def _cards(connection: sa.Connection, scope: Scope, asked: Asked) -> Mapping[str, int]:
    """Return the cards that are under way by level."""
    where = scope.where("c") + _LEVEL.get(asked.level or "", "")
    where += "" if asked.region is None else " AND c.region LIKE :region"
    query = f"""SELECT c.level, count(*) AS cards FROM supervision.card AS c
                WHERE c.ended_at IS NULL AND c.state <> 'held'{where} GROUP BY 1"""
    values = {**scope.values, "region": None if asked.region is None else area(asked.region)}
    return {row["level"]: row["cards"] for row in store.rows(connection, query, values)}
