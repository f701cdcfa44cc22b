"""How cases really go: stages, the ways between them, how often and how long; counted in SQL over the stage events.

A way leads from one stage event of a case to the next that began after it; its waiting time is from the end of the one
to the beginning of the other, by the wall clock, and never below nothing where they overlap.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from supervision.logs.scope import Scope, gather

START, END = "start", "end"
MOST_PATHS: Final = 10
MEMORY: Final = "256MB"
"""What one sort of a map may take; the server's own setting is meant for many sessions at once."""
By = Literal["stage", "node"]
"""Stages of e-supervision, or each department's own names of its steps."""

_STEPS: Final = """
CREATE TEMP TABLE map_step ON COMMIT DROP AS
SELECT case_id, name, began, ended, row_number() OVER w AS place, lead(name) OVER w AS next, lead(began) OVER w AS after
FROM (
    SELECT e.case_id, {name} AS name, coalesce(e.started_at, e.finished_at) AS began,
        coalesce(e.finished_at, e.started_at) AS ended, e.record_id, e.part,
        array_position(ARRAY['accept', 'undertake', 'review', 'approve', 'complete', 'other'], e.stage) AS rank
    FROM log_scope JOIN core.stage_event AS e USING (case_id) WHERE coalesce(e.started_at, e.finished_at) IS NOT NULL
) AS s WINDOW w AS (PARTITION BY case_id ORDER BY began, rank, ended, record_id, part)
"""
_NAMES: Final = {"stage": "e.stage", "node": "coalesce(nullif(e.local_node, ''), e.stage)"}
_NODES: Final = """
SELECT name, count(*) AS events, count(DISTINCT case_id) AS cases, avg(place) AS place,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(EPOCH FROM ended - began) / 3600) AS hours
FROM map_step GROUP BY name ORDER BY avg(place), name
"""
_EDGES: Final = """
SELECT name AS source, next AS target, count(*) AS count, count(DISTINCT case_id) AS cases,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(extract(EPOCH FROM after - ended), 0) / 3600) AS hours,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY greatest(extract(EPOCH FROM after - ended), 0) / 3600) AS hours_90
FROM map_step WHERE next IS NOT NULL GROUP BY 1, 2
UNION ALL SELECT 'start', name, count(*), count(*), NULL, NULL FROM map_step WHERE place = 1 GROUP BY 2
UNION ALL SELECT name, 'end', count(*), count(*), NULL, NULL
FROM map_step JOIN core.case_overview USING (case_id)
WHERE next IS NULL AND state IN ('closed', 'not_accepted') GROUP BY 1
ORDER BY count DESC, source, target
"""
_PATHS: Final = """
SELECT steps, count(*) AS cases,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(EPOCH FROM over - began) / 86400) AS days
FROM (SELECT case_id, array_agg(name ORDER BY place) AS steps, min(began) AS began, max(ended) AS over
      FROM map_step GROUP BY case_id) AS p
GROUP BY steps ORDER BY count(*) DESC, steps LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One stage or step: its events and cases, where it stands on average, and how long one event takes (median)."""

    name: str
    events: int
    cases: int
    place: float
    hours: float


@dataclass(frozen=True, slots=True)
class Edge:
    """One way: how often it was gone, in how many cases, and the waiting on it (median and 90 %), in hours."""

    source: str
    target: str
    count: int
    cases: int
    hours: float | None
    hours_90: float | None


@dataclass(frozen=True, slots=True)
class Path:
    """One whole course of stages, how many cases took it, and the days from first to last (median)."""

    steps: tuple[str, ...]
    cases: int
    days: float


@dataclass(frozen=True, slots=True)
class ProcessMap:
    """The map of a scope. `cases` have stage events; `without` have none and stand in it nowhere."""

    scope: dict[str, str]
    by: By
    cases: int
    without: int
    paths_in_all: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    paths: tuple[Path, ...]

    def as_values(self) -> dict[str, Any]:
        """Return the map as plain values, for JSON."""
        return asdict(self)


def process_map(engine: sa.Engine, scope: Scope, *, by: By = "stage", paths: int = MOST_PATHS) -> ProcessMap:
    """Count how the cases of a scope go.

    Raises:
        BadScope: no case fits.
    """
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SET LOCAL work_mem = '{MEMORY}'")
        connection.exec_driver_sql("SET LOCAL jit = off")
        gathered = gather(connection, scope)
        connection.exec_driver_sql(_STEPS.format(name=_NAMES[by]))
        connection.exec_driver_sql("ANALYZE map_step")
        nodes = [
            Node(name, events, cases, float(place), _round(hours) or 0.0)
            for name, events, cases, place, hours in connection.exec_driver_sql(_NODES)
        ]
        edges = [
            Edge(source, target, count, cases, _round(hours), _round(hours_90))
            for source, target, count, cases, hours, hours_90 in connection.exec_driver_sql(_EDGES)
        ]
        found = connection.execute(sa.text(_PATHS), {"most": paths})
        courses = [Path(tuple(row[0]), row[1], _round(row[2]) or 0.0) for row in found]
        of_cases, ways = connection.exec_driver_sql(
            """SELECT count(*), count(DISTINCT steps) FROM (
                   SELECT array_agg(name ORDER BY place) AS steps FROM map_step GROUP BY case_id) AS p"""
        ).one()
    return ProcessMap(scope.said(), by, of_cases, gathered - of_cases, ways, tuple(nodes), tuple(edges), tuple(courses))


def _round(value: Any) -> float | None:
    return None if value is None else round(float(value), 2)
