"""Trends by month: what the appraisal counts, counted from the clocks as they stand now, and its rates over them.

The measures and the rates are the appraisal's own (`supervision.appraisal.terms` and `rates.yml`): there is no second
definition. What differs is the moment: an appraisal counts from inputs that were frozen, a trend from what the hub
holds today. Months are the province's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import sqlalchemy as sa

from hub.workdays import ZONE
from supervision.areas import prefix_of
from supervision.logs.rates import Rate, of_measures
from supervision.logs.scope import BadScope, of_item

MOST_MONTHS: Final = 120
YEAR_AND_MONTH: Final = 13
"""A month, the year before it, and the same month of the last year."""
_ZONE: Final = "AT TIME ZONE 'Asia/Shanghai'"
_DAYS: Final = "{0}_unit = 'working_day' AND {0}_value > 0"
_SPED: Final = f"kind = 'promised' AND used_days IS NOT NULL AND {_DAYS}"

# What is counted, by the moment whose month it counts in. `ends` is the end of that month: what came later is not known
# in it.
_COUNTED: Final[Mapping[str, Mapping[str, str]]] = {
    "received_at": {
        "received": "TRUE", "immediate_received": "kind = 'immediate'", "promised_received": "kind = 'promised'",
        "received_with_kind": "kind IN ('immediate', 'promised')",
        "promised_received_early": "kind = 'promised' AND verdict = 'early' AND closed_at < ends",
    },
    "taken_at": {
        "accepted": "TRUE", "suspended": "paused_days > 0 OR paused_since IS NOT NULL",
        "cut_cases": f"{_DAYS.format('legal')} AND promised_unit = 'working_day' AND promised_value IS NOT NULL",
    },
    "closed_at": {
        "closed": "TRUE", "closed_early": "verdict = 'early'", "closed_on_time": "verdict = 'on_time'",
        "closed_late": "verdict = 'late'", "closed_without_verdict": "verdict IS NULL",
        "speed_legal_cases": _SPED.format("legal"), "speed_promised_cases": _SPED.format("promised"),
    },
    "due_at": {"due": "TRUE", "due_closed": "closed_at < ends"},
}  # fmt: skip
_SUMMED: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "taken_at": {"cut_legal": ("legal_value", "cut_cases"), "cut_days": ("legal_value - promised_value", "cut_cases")},
    "closed_at": {
        "speed_legal": ("legal_value", "speed_legal_cases"),
        "speed_legal_saved": ("legal_value - used_days", "speed_legal_cases"),
        "speed_promised": ("promised_value", "speed_promised_cases"),
        "speed_promised_saved": ("promised_value - used_days", "speed_promised_cases"),
    },
}  # fmt: skip
"""Sums over the cases that another measure counts."""


def _counting(moment: str) -> str:
    """Return the statement that counts what happened at a moment, a row a month."""
    counted = _COUNTED[moment]
    listed = [f"count(*) FILTER (WHERE {said}) AS {name}" for name, said in counted.items()]
    listed += [
        f"coalesce(sum({value}) FILTER (WHERE {counted[over]}), 0) AS {name}"
        for name, (value, over) in _SUMMED.get(moment, {}).items()
    ]
    return f"""{moment} AS (
    SELECT month, {", ".join(listed)}
    FROM (SELECT c.*, date_trunc('month', {moment} {_ZONE})::date AS month,
              (date_trunc('month', {moment} {_ZONE}) + interval '1 month') {_ZONE} AS ends
          FROM {"running" if moment == "due_at" else "mine"} AS c
          WHERE {moment} >= :from AND {moment} < :to) AS t
    WHERE received_at < ends GROUP BY 1)"""


_MINE: Final = """SELECT c.*, coalesce(c.applied_at, c.accepted_at, c.started_at) AS received_at,
        coalesce(c.accepted_at, CASE WHEN c.basis = 'acceptance' THEN c.started_at END) AS taken_at
    FROM supervision.{clocks} AS c
    WHERE (CAST(:organ AS text) IS NULL OR c.organ = :organ) AND (CAST(:within AS text) IS NULL OR c.organ = :within)
      AND (CAST(:area AS text) IS NULL OR c.region LIKE :area || '%')
      AND {of_item}"""
_TRENDS: Final = f"""
WITH month AS (
    SELECT m::date AS month, (m + interval '1 month') {_ZONE} AS ends
    FROM generate_series(CAST(:since AS timestamp), CAST(:until AS timestamp), interval '1 month') AS m
),
mine AS NOT MATERIALIZED ({_MINE.format(clocks="clock", of_item=of_item("c.item_code"))}),
running AS NOT MATERIALIZED ({_MINE.format(clocks="clock_now", of_item=of_item("c.item_code"))} AND c.runs),
{", ".join(_counting(moment) for moment in _COUNTED)},
past AS MATERIALIZED (
    SELECT due_at, closed_at, received_at FROM running
    WHERE due_at < :to AND (closed_at IS NULL OR (closed_at > due_at AND closed_at >= :from))
),
open AS (
    SELECT month.month, count(*) AS open_overdue FROM month JOIN past
      ON past.due_at < month.ends AND past.received_at < month.ends
     AND (past.closed_at IS NULL OR past.closed_at >= month.ends)
    GROUP BY 1
)
SELECT * FROM month
{" ".join(f"LEFT JOIN {moment} USING (month)" for moment in _COUNTED)} LEFT JOIN open USING (month) ORDER BY month
"""
VOLUMES: Final = (
    "received", "accepted", "closed", "closed_early", "closed_on_time", "closed_late", "closed_without_verdict",
    "suspended", "due", "due_closed", "open_overdue",
)  # fmt: skip
"""What is shown beside the rates; all but the cases with a suspension are measures of the appraisal."""


@dataclass(frozen=True, slots=True)
class Month:
    """One month: its first day, its measures by name, and its rates in the order of their definitions."""

    month: date
    measures: Mapping[str, int]
    rates: tuple[Rate, ...]

    @property
    def volumes(self) -> Mapping[str, int]:
        """Return what is shown beside the rates."""
        return {name: self.measures[name] for name in VOLUMES}

    @property
    def last(self) -> date:
        """Return the last day of the month."""
        return end_of(self.month)

    def rate(self, code: str) -> Rate:
        """Return one rate by its code."""
        return next(one for one in self.rates if one.code == code)

    def as_values(self) -> dict[str, Any]:
        """Return the month as plain values, for JSON."""
        return {
            "month": f"{self.month:%Y-%m}", "volumes": dict(self.volumes),
            "rates": [one.as_values() for one in self.rates],
        }  # fmt: skip


def trends(
    connection: sa.Connection, *, since: date, until: date, organ: str | None = None, region: str | None = None,
    item: str | None = None, within: str | None = None, area: str | None = None,
) -> list[Month]:  # fmt: skip
    """Count each month from that of `since` to that of `until`, of one organ, region or item, or of all.

    `region` takes in the regions below it, `item` as a base code all organs' versions of it. `within` and `area` are
    the organ, and how the codes of the regions begin, beyond which the asker sees nothing.

    Raises:
        BadScope: the months are in the wrong order, or more than ten years.
    """
    first, last = since.replace(day=1), until.replace(day=1)
    if not 0 <= (last.year - first.year) * 12 + last.month - first.month < MOST_MONTHS:
        raise BadScope(f"from {first:%Y-%m} to {last:%Y-%m} is no period of one to {MOST_MONTHS} months.")
    asked = {
        "since": first, "until": last, "from": datetime.combine(first, time(), ZONE),
        "to": datetime.combine(end_of(last) + timedelta(days=1), time(), ZONE), "organ": organ, "within": within,
        "area": area or (region and prefix_of(region)), "item": item,
    }  # fmt: skip
    return [_month(dict(row)) for row in connection.execute(sa.text(_TRENDS), asked).mappings()]


def up_to(last: date, months: int = YEAR_AND_MONTH) -> date:
    """Return the first day of the first of so many months, of which `last` lies in the last."""
    number = last.year * 12 + last.month - months
    return date(number // 12, number % 12 + 1, 1)


def end_of(first: date) -> date:
    """Return the last day of a month."""
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def measured(counts: Mapping[str, int]) -> Mapping[str, int]:
    """Return measures with those that follow from others."""
    judged = counts["closed_early"] + counts["closed_on_time"] + counts["closed_late"]
    return {**counts, "overdue_base": judged + counts["open_overdue"]}


def _month(row: dict[str, Any]) -> Month:
    first = row.pop("month")
    row.pop("ends")
    counts = measured({name: int(value or 0) for name, value in row.items()})
    return Month(first, counts, of_measures(counts))
