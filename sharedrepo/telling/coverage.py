"""How much of the province's approving the repository covers: departments, items, processes (部门、事项、流程).

Each figure is a count of so many, and names all that it lacks. Nothing is guessed: an organ that the register does not
know and a case whose item nobody lists are shown beside the figure and never counted into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from sharedrepo.models.overview import STAGES

EXAMPLES = 5
"""So many unknown item codes of one organ are named; all its cases are counted."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked about: what is in force on a day, cases of a period, a region and all below it, one organ."""

    day: date
    since: datetime | None = None
    until: datetime | None = None
    region: str | None = None
    organ: str | None = None
    """Only this organ: itself, its items, the cases that name it or are of one of its items."""

    def as_values(self) -> dict[str, Any]:
        """Return it as the queries take it; a region is the part of its code before its zeros."""
        region = self.region
        while region is not None and len(region) > len("33") and region.endswith("00"):
            region = region[:-2]
        return {**asdict(self), "region": None if region is None else f"{region}%", "examples": EXAMPLES}


@dataclass(frozen=True, slots=True)
class Figure:
    """So many of so many, and what is missing; lists beside it say what could not be counted."""

    covered: int
    of: int
    missing: tuple[dict[str, Any], ...]
    beside: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs; the share of nothing is None."""
        share = self.covered / self.of if self.of else None
        return {"covered": self.covered, "of": self.of, "share": share, "missing": list(self.missing), **self.beside}


@dataclass(frozen=True, slots=True)
class Coverage:
    """The three figures of one scope."""

    scope: Scope
    organs: Figure
    items: Figure
    processes: Figure

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        said = {name: None if value is None else str(value) for name, value in asdict(self.scope).items()}
        figures = {name: getattr(self, name).as_dict() for name in ("organs", "items", "processes")}
        return {**said, **figures}


# Organs and items as they stand on the day; a code that two registers hold counts once, by its newest line.
_REGISTER = """
SELECT DISTINCT ON (code) code, name, region, cancelled_on FROM core.organ
WHERE valid_from <= :day ORDER BY code, valid_from DESC, record_id DESC
"""

_NEWEST = """
SELECT DISTINCT ON (implementation_code)
    implementation_code, base_code, name, organ, item_kind, status, cancelled_on
FROM core.item_version WHERE effective_from IS NULL OR effective_from <= :day
ORDER BY implementation_code, version DESC, record_id DESC
"""

_SINGLE = """
SELECT base_code, organ, min(implementation_code) AS implementation_code, min(item_kind) AS item_kind
FROM coverage_newest GROUP BY base_code, organ HAVING count(*) = 1
"""

# A case lies where its organ lies by the register, else where it says itself. It names the implementation code of its
# item, or a base code of which its organ has one implementation.
_CASES = """
WITH cases AS (
    SELECT c.record_id, c.source_system_id, c.case_number, c.item_code, c.case_kind, o.state,
        coalesce(c.handling_organ, c.reporting_organ) AS organ, c.handling_organ, c.reporting_organ
    FROM core.approval_case AS c JOIN core.case_overview AS o ON o.case_id = c.record_id
    LEFT JOIN coverage_register AS h ON h.code = c.handling_organ
    LEFT JOIN coverage_register AS r ON r.code = c.reporting_organ
    WHERE (CAST(:since AS timestamptz) IS NULL OR coalesce(c.applied_at, o.accepted_at) >= :since)
        AND (CAST(:until AS timestamptz) IS NULL OR coalesce(c.applied_at, o.accepted_at) < :until)
        AND (CAST(:region AS text) IS NULL OR coalesce(h.region, r.region, c.region) LIKE :region)
        AND (CAST(:organ AS text) IS NULL OR :organ IN (c.handling_organ, c.reporting_organ) OR c.item_code IN (
            SELECT implementation_code FROM coverage_newest WHERE organ = :organ
            UNION SELECT base_code FROM coverage_single WHERE organ = :organ))
)
SELECT c.*, coalesce(v.implementation_code, s.implementation_code) AS implementation_code,
    coalesce(c.case_kind, v.item_kind, s.item_kind) = 'promised' AND c.state <> 'not_accepted' AS promised
FROM cases AS c LEFT JOIN coverage_newest AS v ON v.implementation_code = c.item_code
LEFT JOIN coverage_single AS s ON s.base_code = c.item_code AND s.organ = c.organ
"""

_TABLES = {
    "coverage_register": (_REGISTER, "code"),
    "coverage_newest": (_NEWEST, "implementation_code"),
    "coverage_single": (_SINGLE, "base_code, organ"),
    "coverage_cases": (_CASES, "record_id"),
}
"""What the questions share, in temporary tables with an index each: read once, and no plan rests on a guess."""

_SCOPE = """
WITH organs AS (
    SELECT code, name FROM coverage_register WHERE (cancelled_on IS NULL OR cancelled_on > :day)
    AND (CAST(:region AS text) IS NULL OR region LIKE :region)
    AND (CAST(:organ AS text) IS NULL OR code = :organ)
),
items AS (
    SELECT v.* FROM coverage_newest AS v LEFT JOIN coverage_register AS r ON r.code = v.organ
    WHERE v.status = 'in_force' AND (v.cancelled_on IS NULL OR v.cancelled_on > :day)
        AND (CAST(:region AS text) IS NULL OR r.region LIKE :region)
        AND (CAST(:organ AS text) IS NULL OR v.organ = :organ)
),
duties AS (SELECT organ, count(*) AS items FROM items GROUP BY organ),
-- A case speaks of the organs that it names, and of the one whose item it is: a vertical system's organs act for that.
named AS (
    SELECT organ, count(*) AS cases FROM (
        SELECT record_id, handling_organ AS organ FROM coverage_cases
        UNION SELECT record_id, reporting_organ FROM coverage_cases
        UNION SELECT c.record_id, v.organ FROM coverage_cases AS c JOIN coverage_newest AS v USING (implementation_code)
    ) AS n GROUP BY organ
),
results AS (
    SELECT organ, count(*) AS decisions FROM core.decision
    WHERE (CAST(:since AS timestamptz) IS NULL OR decided_at >= :since)
        AND (CAST(:until AS timestamptz) IS NULL OR decided_at < :until)
    GROUP BY organ
)
"""

_ORGANS = f"""
{_SCOPE}
SELECT o.code AS organ, o.name, coalesce(d.items, 0) AS items, coalesce(n.cases, 0) AS cases,
    coalesce(r.decisions, 0) AS decisions
FROM organs AS o LEFT JOIN duties AS d ON d.organ = o.code LEFT JOIN named AS n ON n.organ = o.code
LEFT JOIN results AS r ON r.organ = o.code
ORDER BY o.code
"""

_NOT_IN_REGISTER = f"""
{_SCOPE}
SELECT n.organ, n.cases FROM named AS n LEFT JOIN organs AS o ON o.code = n.organ
WHERE o.code IS NULL AND n.organ IS NOT NULL ORDER BY n.organ
"""

_ITEMS = f"""
{_SCOPE}
SELECT i.implementation_code AS item, i.name, i.organ, c.implementation_code IS NOT NULL AS covered
FROM items AS i LEFT JOIN (SELECT DISTINCT implementation_code FROM coverage_cases) AS c USING (implementation_code)
ORDER BY i.organ, i.implementation_code
"""

_WITHOUT_ITEM = """
SELECT organ, count(*) AS cases, count(*) FILTER (WHERE coalesce(item_code, '') = '') AS without_code,
    (array_agg(DISTINCT item_code ORDER BY item_code) FILTER (WHERE item_code <> ''))[1:CAST(:examples AS int)]
        AS unknown_codes
FROM coverage_cases WHERE implementation_code IS NULL GROUP BY organ ORDER BY organ
"""

_STAGES = f"""
WITH closed AS (
    SELECT record_id, organ, source_system_id, case_number FROM coverage_cases WHERE promised AND state = 'closed'
),
events AS (
    SELECT e.case_id, {", ".join(f"bool_or(e.stage = '{name}') AS {name}" for name in STAGES)}
    FROM core.stage_event AS e JOIN closed AS c ON c.record_id = e.case_id GROUP BY e.case_id
),
accepted AS (SELECT DISTINCT case_id FROM core.acceptance WHERE outcome = 'accepted'),
decided AS (SELECT DISTINCT source_system_id, case_number FROM core.decision WHERE closing),
stages AS (
    SELECT c.organ, coalesce(e.accept, FALSE) OR a.case_id IS NOT NULL AS accept,
        {", ".join(f"coalesce(e.{name}, FALSE) AS {name}" for name in STAGES[1:-1])},
        coalesce(e.complete, FALSE) OR d.case_number IS NOT NULL AS complete
    FROM closed AS c LEFT JOIN events AS e ON e.case_id = c.record_id
    LEFT JOIN accepted AS a ON a.case_id = c.record_id
    LEFT JOIN decided AS d ON d.source_system_id = c.source_system_id AND d.case_number = c.case_number
)
SELECT s.organ, r.name, count(*) AS cases, count(*) FILTER (WHERE {" AND ".join(STAGES)}) AS whole,
    {", ".join(f"count(*) FILTER (WHERE NOT {name}) AS without_{name}" for name in STAGES)}
FROM stages AS s LEFT JOIN coverage_register AS r ON r.code = s.organ
WHERE CAST(:organ AS text) IS NULL OR s.organ = :organ GROUP BY s.organ, r.name ORDER BY s.organ
"""

_OPEN = """
SELECT count(*) AS open FROM coverage_cases
WHERE promised AND state <> 'closed' AND (CAST(:organ AS text) IS NULL OR organ = :organ)
"""


def coverage(engine: sa.Engine, scope: Scope) -> Coverage:
    """Count organs, items and processes of a scope in one look at the repository; see docs/operate/coverage.md.

    - An organ is covered when a case names it as handling or reporting organ, or is of one of its items; counted are
      those of the register that have an item in force.
    - An item in force is covered when a case names it.
    - A process is a closed case of the promised kind; it is covered when all five stages have come.
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():

        def rows(query: str) -> list[dict[str, Any]]:
            return [dict(row) for row in connection.execute(sa.text(query), scope.as_values()).mappings()]

        for name, (query, key) in _TABLES.items():
            made = sa.text(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {query}")
            connection.execute(made, scope.as_values())
            connection.exec_driver_sql(f"CREATE INDEX ON {name} ({key}); ANALYZE {name}")
        organs, unknown = rows(_ORGANS), rows(_NOT_IN_REGISTER)
        items, strange = rows(_ITEMS), rows(_WITHOUT_ITEM)
        stages, still = rows(_STAGES), rows(_OPEN)
    return Coverage(scope, _of_organs(organs, unknown), _of_items(items, strange), _of_stages(stages, still[0]["open"]))


def _of_organs(organs: list[dict[str, Any]], unknown: list[dict[str, Any]]) -> Figure:
    due = [one for one in organs if one["items"]]
    told = ("organ", "name", "items", "decisions")
    missing = tuple({name: one[name] for name in told} for one in due if not one["cases"])
    idle = [{name: one[name] for name in ("organ", "name", "cases")} for one in organs if not one["items"]]
    return Figure(len(due) - len(missing), len(due), missing, {"without_items": idle, "not_in_register": unknown})


def _of_items(items: list[dict[str, Any]], strange: list[dict[str, Any]]) -> Figure:
    missing = tuple({name: one[name] for name in ("organ", "item", "name")} for one in items if not one["covered"])
    without = [{**one, "unknown_codes": one["unknown_codes"] or []} for one in strange]
    return Figure(len(items) - len(missing), len(items), missing, {"cases_without_item": without})


def _of_stages(organs: list[dict[str, Any]], still_open: int) -> Figure:
    missing = tuple(
        {"organ": one["organ"], "name": one["name"], "stage": stage, "cases": without, "of": one["cases"]}
        for one in organs
        for stage in STAGES
        if (without := one[f"without_{stage}"])
    )
    total = sum(one["cases"] for one in organs)
    return Figure(sum(one["whole"] for one in organs), total, missing, {"still_open": still_open})
