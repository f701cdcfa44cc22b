"""Cases against their clocks: the list behind each number of the wall, and all that is known of one case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from supervision.pages import store
from supervision.pages.asking import SIZE
from supervision.pages.scope import Scope
from supervision.pages.store import Row
from supervision.pages.terms import STAGES, light
from supervision.pages.wall import CURRENT, OPEN, STAGE, area, thresholds

VERDICTS: Final = ("early", "on_time", "late", "none")
"""提前, 按时, 超期, 无法判定: how a closed case ended; the last: its clock cannot be computed."""
STATES: Final = ("applied", "running", "paused", "waiting_applicant", "not_computable")
"""States of open cases that can be chosen."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the cases is asked for; with a month those that closed in it, else those that are open."""

    organ: str | None = None
    region: str | None = None
    stage: str | None = None
    light: str | None = None
    state: str | None = None
    words: str | None = None
    item: str | None = None
    month: date | None = None
    verdict: str | None = None
    first: int = 0


def _conditions(asked: Asked) -> str:
    said = ""
    if asked.organ is not None:
        said += " AND coalesce(c.organ, '') = :organ"
    if asked.region is not None:
        said += " AND c.region LIKE :region"
    if asked.item is not None:
        said += " AND c.item_code = :item"
    if asked.state is not None:
        said += " AND c.state = :state"
    if asked.words is not None:
        said += " AND c.case_id IN (SELECT record_id FROM core.approval_case WHERE case_number = :words)"
    if asked.month is not None:
        said += " AND c.closed_at >= :since AND c.closed_at < :until"
    if asked.verdict == "none":
        said += " AND c.verdict IS NULL"
    elif asked.verdict is not None:
        said += " AND c.verdict = :verdict"
    return said


def _further(asked: Asked) -> str:
    said = " AND stage = :stage" if asked.stage is not None else ""
    return said + (" AND light = :light" if asked.light is not None else "")


def _query(scope: Scope, asked: Asked, page: str) -> str:
    kind = "c.closed_at IS NOT NULL" if asked.month is not None else "TRUE" if asked.words is not None else OPEN
    rank = "array_position(ARRAY['red', 'yellow', 'warning', 'green', 'grey'], light)"
    order = "closed_at DESC, case_id" if asked.month is not None else f"{rank}, left_days NULLS LAST, case_id"
    return f"""
    WITH stage AS ({CURRENT}),
    found AS (
        SELECT c.case_id, c.organ, c.region, c.item_code, c.state, c.why, c.started_at, c.due_at, c.closed_at,
            c.left_days, c.used_days, c.limit_days, c.verdict, c.provisional, {STAGE} AS stage, {light()} AS light
        FROM supervision.clock_now AS c
        LEFT JOIN stage AS s USING (case_id)
        WHERE {kind}{scope.where("c")}{_conditions(asked)}),
    page AS (
        SELECT *, count(*) OVER () AS total FROM found WHERE TRUE{_further(asked)} ORDER BY {order} {page})
    SELECT p.*, a.case_number, a.item_name FROM page AS p JOIN core.approval_case AS a ON a.record_id = p.case_id
    ORDER BY {order.replace("case_id", "p.case_id")}
    """


def _values(connection: sa.Connection, scope: Scope, asked: Asked) -> dict[str, Any]:
    month = asked.month
    until = None if month is None else date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return {
        **scope.values, **thresholds(connection), "organ": asked.organ, "state": asked.state, "words": asked.words,
        "region": None if asked.region is None else area(asked.region), "item": asked.item, "stage": asked.stage,
        "light": asked.light, "verdict": asked.verdict, "since": _begin(month), "until": _begin(until),
    }  # fmt: skip


def _begin(day: date | None) -> str | None:
    """Return the first instant of a day in the province."""
    return None if day is None else f"{day.isoformat()} 00:00:00+08:00"


def listed(connection: sa.Connection, scope: Scope, asked: Asked) -> tuple[Sequence[Row], int]:
    """Return one page of cases, those in the worst light first, and how many there are."""
    values = {**_values(connection, scope, asked), "size": SIZE, "first": asked.first}
    query = _query(scope, asked, "LIMIT :size OFFSET :first")
    rows = store.rows(connection, query, values)
    if rows or not asked.first:
        return rows, rows[0]["total"] if rows else 0
    counted = store.rows(connection, _query(scope, asked, "LIMIT 1"), values)
    return rows, counted[0]["total"] if counted else 0


def all_of(connection: sa.Connection, scope: Scope, asked: Asked, most: int) -> Sequence[Row]:
    """Return the first `most` cases, for a file."""
    values = {**_values(connection, scope, asked), "size": most}
    return store.rows(connection, _query(scope, asked, "LIMIT :size"), values)


@dataclass(frozen=True, slots=True)
class Case:
    """All that the page of one case shows."""

    facts: Row
    at: datetime
    stages: Sequence[Row]
    events: Sequence[Row]
    suspensions: Sequence[Row]
    supplements: Sequence[Row]
    moves: Sequence[Row]
    cards: Sequence[Row]


def one(connection: sa.Connection, scope: Scope, case_id: int) -> Case | None:
    """Return one case; None where there is none, or the person does not see it."""
    values = {"case": case_id, **scope.values, **thresholds(connection)}
    facts = store.row(connection, _FACTS.format(scope=scope.where("c")), values)
    if facts is None:
        return None
    parts = {name: store.rows(connection, query, values) for name, query in _PARTS.items()}
    at = connection.execute(sa.text("SELECT supervision.instant()")).scalar_one()
    return Case(facts=facts, at=at, **parts)


# What the hub put right, by hand or by a correction of the source's folder: the record's own fields, and the finding.
_MENDED: Final = """ARRAY(SELECT DISTINCT f.pointer FROM quality.finding AS f
    WHERE f.record_id = t.record_id AND f.state = 'open' AND f.rule = 'value_mended' ORDER BY 1) AS mended"""
_FACTS: Final = f"""
WITH stage AS ({CURRENT.replace("WHERE", "WHERE case_id = :case AND")})
SELECT c.*, a.case_number, a.item_name, a.reporting_organ, a.channel, {STAGE} AS stage, {light()} AS light,
    o.state AS overview_state, o.closing_outcome, t.mended
FROM supervision.clock_now AS c
CROSS JOIN LATERAL (SELECT ARRAY(
    SELECT DISTINCT f.pointer FROM quality.finding AS f
    WHERE f.state = 'open' AND f.rule = 'value_mended' AND f.record_id IN (
        SELECT c.case_id UNION ALL SELECT a.record_id FROM core.acceptance AS a WHERE a.case_id = c.case_id)
    ORDER BY 1) AS mended) AS t
JOIN core.approval_case AS a ON a.record_id = c.case_id
LEFT JOIN stage AS s USING (case_id) LEFT JOIN core.case_overview AS o USING (case_id)
WHERE c.case_id = :case{{scope}}
"""
_PARTS: Final = {
    "stages": f"""SELECT c.*, CASE
                      WHEN c.why IS NOT NULL THEN 'grey'
                      WHEN c.finished_at IS NOT NULL AND c.verdict = 'late' THEN 'red'
                      WHEN c.finished_at IS NOT NULL THEN 'green'
                      WHEN c.overdue THEN 'red'
                      WHEN c.used_percent >= :near THEN 'yellow'
                      WHEN c.left_days <= :soon THEN 'warning'
                      ELSE 'green' END AS light
                  FROM supervision.stage_now AS c WHERE c.case_id = :case
                  ORDER BY array_position(ARRAY{list(STAGES)}, c.stage), c.round""",
    "events": f"""SELECT stage, local_node, handler_mask, handler_post, unit_name, started_at, finished_at, outcome,
                     {_MENDED} FROM core.stage_event AS t WHERE case_id = :case
                 ORDER BY coalesce(started_at, finished_at), finished_at, record_id, part""",
    "suspensions": f"""SELECT suspension_kind, name, approver_mask, started_at, ended_at, allowed_value, allowed_unit,
                          {_MENDED} FROM core.suspension AS t WHERE case_id = :case
                      ORDER BY started_at, record_id, part""",
    "supplements": f"""SELECT told_at, received_at, {_MENDED} FROM core.supplement AS t WHERE case_id = :case
                      ORDER BY told_at, record_id, part""",
    "moves": """SELECT cause, due_before, due_at, provisional_before, provisional, at FROM supervision.due_move
                WHERE case_id = :case ORDER BY move_id""",
    "cards": """SELECT number, level, state, rule, stage, round, raised_at, due_at FROM supervision.card
                WHERE case_id = :case AND state <> 'lapsed' AND state <> 'held' ORDER BY raised_at, card_id""",
}
