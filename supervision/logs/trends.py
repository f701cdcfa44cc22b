"""Trends by month: volumes, completion, early, on time, speed-up; each rate with its two counts and its definition.

Counted from the clocks as they stand (`supervision.clock`); the frozen figures of an appraisal are another thing.
Months are the province's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

import sqlalchemy as sa

from hub.workdays import ZONE
from supervision.areas import prefix_of
from supervision.logs.rates import Rate
from supervision.logs.scope import BadScope, of_item

MOST_MONTHS: Final = 120
_LIMITS = "promised_unit = 'working_day' AND legal_unit = 'working_day' AND legal_value > 0 AND promised_value > 0"
_TRENDS: Final = f"""
WITH month AS (
    SELECT m::date AS month, m AT TIME ZONE 'Asia/Shanghai' AS begins, (m + interval '1 month')
        AT TIME ZONE 'Asia/Shanghai' AS ends
    FROM generate_series(CAST(:since AS timestamp), CAST(:until AS timestamp), interval '1 month') AS m
), mine AS NOT MATERIALIZED (
    SELECT c.* FROM supervision.clock AS c
    WHERE (CAST(:organ AS text) IS NULL OR c.organ = :organ)
      AND (CAST(:region AS text) IS NULL OR c.region LIKE :region || '%')
      AND {of_item("c.item_code")}
), accepted AS (
    SELECT date_trunc('month', accepted_at AT TIME ZONE 'Asia/Shanghai')::date AS month, count(*) AS accepted,
        count(*) FILTER (WHERE kind = 'immediate') AS immediate, count(*) FILTER (WHERE kind = 'promised') AS promised,
        count(*) FILTER (WHERE kind = 'promised' AND verdict = 'early') AS promised_early,
        count(*) FILTER (WHERE paused_days > 0 OR paused_since IS NOT NULL) AS suspended
    FROM mine WHERE accepted_at >= :from AND accepted_at < :to GROUP BY 1
), applied AS (
    SELECT date_trunc('month', applied_at AT TIME ZONE 'Asia/Shanghai')::date AS month, count(*) AS applied
    FROM mine WHERE applied_at >= :from AND applied_at < :to GROUP BY 1
), closed AS (
    SELECT date_trunc('month', closed_at AT TIME ZONE 'Asia/Shanghai')::date AS month, count(*) AS closed,
        count(verdict) AS clocked, count(*) FILTER (WHERE verdict = 'early') AS early,
        count(*) FILTER (WHERE verdict = 'on_time') AS on_time, count(*) FILTER (WHERE verdict = 'late') AS late,
        sum(legal_value) FILTER (WHERE {_LIMITS}) AS legal, sum(promised_value) FILTER (WHERE {_LIMITS}) AS promise,
        sum(legal_value) FILTER (WHERE {_LIMITS} AND used_days IS NOT NULL) AS legal_used,
        sum(promised_value) FILTER (WHERE {_LIMITS} AND used_days IS NOT NULL) AS promise_used,
        sum(used_days) FILTER (WHERE {_LIMITS}) AS used,
        count(*) FILTER (WHERE NOT coalesce({_LIMITS}, FALSE)) AS other_limits
    FROM mine WHERE closed_at >= :from AND closed_at < :to GROUP BY 1
), due AS (
    SELECT date_trunc('month', due_at AT TIME ZONE 'Asia/Shanghai')::date AS month, count(*) AS due,
        count(closed_at) AS due_closed
    FROM mine WHERE due_at >= :from AND due_at < :to GROUP BY 1
)
SELECT month.month, coalesce(p.applied, 0) AS applied, coalesce(a.accepted, 0) AS accepted,
    coalesce(a.immediate, 0) AS immediate, coalesce(a.promised, 0) AS promised,
    coalesce(a.promised_early, 0) AS promised_early, coalesce(a.suspended, 0) AS suspended,
    coalesce(c.closed, 0) AS closed, coalesce(c.clocked, 0) AS clocked, coalesce(c.early, 0) AS early,
    coalesce(c.on_time, 0) AS on_time, coalesce(c.late, 0) AS late, coalesce(c.legal, 0) AS legal,
    coalesce(c.promise, 0) AS promise, coalesce(c.legal_used, 0) AS legal_used,
    coalesce(c.promise_used, 0) AS promise_used, coalesce(c.used, 0) AS used,
    coalesce(c.other_limits, 0) AS other_limits, coalesce(d.due, 0) AS due, coalesce(d.due_closed, 0) AS due_closed
FROM month LEFT JOIN applied AS p USING (month) LEFT JOIN accepted AS a USING (month)
LEFT JOIN closed AS c USING (month) LEFT JOIN due AS d USING (month) ORDER BY month
"""
VOLUMES: Final = ("applied", "accepted", "closed", "early", "on_time", "late", "suspended", "due", "other_limits")
"""What is counted beside the rates; `other_limits` closed cases stand in no speed-up: a limit is unknown or no working
days."""


@dataclass(frozen=True, slots=True)
class Month:
    """One month: its first day, its volumes, and its rates in the order of their definitions."""

    month: date
    volumes: Mapping[str, int]
    rates: tuple[Rate, ...]

    def as_values(self) -> dict[str, Any]:
        """Return the month as plain values, for JSON."""
        return {
            "month": f"{self.month:%Y-%m}", "volumes": dict(self.volumes),
            "rates": [one.as_values() for one in self.rates],
        }  # fmt: skip


def trends(
    connection: sa.Connection, *, since: date, until: date, organ: str | None = None, region: str | None = None,
    item: str | None = None,
) -> list[Month]:  # fmt: skip
    """Count each month from that of `since` to that of `until`, of one organ, region or item, or of all.

    `region` takes in the regions below it, `item` as a base code all organs' versions of it.

    Raises:
        BadScope: the months are in the wrong order, or more than ten years.
    """
    first, last = since.replace(day=1), until.replace(day=1)
    if not 0 <= (last.year - first.year) * 12 + last.month - first.month < MOST_MONTHS:
        raise BadScope(f"from {first:%Y-%m} to {last:%Y-%m} is no period of one to {MOST_MONTHS} months.")
    after = date(last.year + last.month // 12, last.month % 12 + 1, 1)
    asked = {
        "since": first, "until": last, "from": datetime.combine(first, time(), ZONE),
        "to": datetime.combine(after, time(), ZONE), "organ": organ,
        "region": region and prefix_of(region), "item": item,
    }  # fmt: skip
    return [_month(dict(row)) for row in connection.execute(sa.text(_TRENDS), asked).mappings()]


def _month(row: dict[str, Any]) -> Month:
    n = {name: int(value) for name, value in row.items() if name != "month"}
    rates = (
        Rate("completion_a", n["closed"], n["accepted"]), Rate("completion_b", n["due_closed"], n["due"]),
        Rate("early_a", n["early"], n["clocked"]), Rate("early_b", n["promised_early"], n["promised"]),
        Rate("on_time_a", n["early"] + n["on_time"], n["clocked"]), Rate("late", n["late"], n["clocked"]),
        Rate("immediate", n["immediate"], n["immediate"] + n["promised"]),
        Rate("promise_cut", n["legal"] - n["promise"], n["legal"]),
        Rate("speed_up_a", n["legal_used"] - n["used"], n["legal_used"]),
        Rate("speed_up_b", n["promise_used"] - n["used"], n["promise_used"]),
    )  # fmt: skip
    return Month(row["month"], {name: n[name] for name in VOLUMES}, rates)
