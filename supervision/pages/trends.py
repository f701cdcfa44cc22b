"""Months side by side: received, closed, completed, early and late, and how much faster than the limit (提速)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from supervision.pages import store
from supervision.pages.scope import Scope

MONTHS: Final = 13
"""A month, the year before it, and the same month of the last year."""


@dataclass(frozen=True, slots=True)
class Month:
    """The figures of one month; a rate is told with its numerator and denominator."""

    first: date
    received: int = 0
    closed: int = 0
    early: int = 0
    on_time: int = 0
    late: int = 0
    limit_days: int = 0
    used_days: int = 0
    overdue: int = 0

    @property
    def judged(self) -> int:
        """Return the closed cases whose clock could be computed."""
        return self.early + self.on_time + self.late

    @property
    def saved_days(self) -> int:
        """Return the working days that cases stayed below their limits, less those by which others exceeded them."""
        return self.limit_days - self.used_days


# Received: applied for in the month. Overdue: due in the month and then neither closed nor past it.
_QUERY: Final = """
WITH c AS (SELECT * FROM supervision.clock AS c WHERE TRUE{where})
SELECT m.first::date AS first,
    coalesce(r.received, 0) AS received, coalesce(d.closed, 0) AS closed, coalesce(d.early, 0) AS early,
    coalesce(d.on_time, 0) AS on_time, coalesce(d.late, 0) AS late, coalesce(d.limit_days, 0) AS limit_days,
    coalesce(d.used_days, 0) AS used_days, coalesce(o.overdue, 0) AS overdue
FROM generate_series(CAST(:since AS timestamp), CAST(:last AS timestamp), INTERVAL '1 month') AS m (first)
LEFT JOIN (
    SELECT date_trunc('month', applied_at AT TIME ZONE 'Asia/Shanghai') AS first, count(*) AS received
    FROM c WHERE applied_at >= CAST(:since AS timestamp) AT TIME ZONE 'Asia/Shanghai' GROUP BY 1) AS r USING (first)
LEFT JOIN (
    SELECT date_trunc('month', closed_at AT TIME ZONE 'Asia/Shanghai') AS first, count(*) AS closed,
        count(*) FILTER (WHERE verdict = 'early') AS early, count(*) FILTER (WHERE verdict = 'on_time') AS on_time,
        count(*) FILTER (WHERE verdict = 'late') AS late,
        sum(limit_days) FILTER (WHERE verdict IS NOT NULL AND limit_days > 0) AS limit_days,
        sum(used_days) FILTER (WHERE verdict IS NOT NULL AND limit_days > 0) AS used_days
    FROM c WHERE closed_at >= CAST(:since AS timestamp) AT TIME ZONE 'Asia/Shanghai' GROUP BY 1) AS d USING (first)
LEFT JOIN (
    SELECT date_trunc('month', due_at AT TIME ZONE 'Asia/Shanghai') AS first, count(*) AS overdue
    FROM c WHERE closed_at IS NULL AND due_at < supervision.instant()
        AND due_at >= CAST(:since AS timestamp) AT TIME ZONE 'Asia/Shanghai' GROUP BY 1) AS o USING (first)
ORDER BY 1
"""


def months(
    connection: sa.Connection, scope: Scope, last: date, *, organ: str | None = None, count: int = MONTHS
) -> Sequence[Month]:
    """Return the figures of the months up to the one that `last` lies in, the oldest first."""
    end = last.replace(day=1)
    number = end.year * 12 + end.month - count
    since = date(number // 12, number % 12 + 1, 1)
    where = scope.where("c") + ("" if organ is None else " AND c.organ = :organ")
    values: dict[str, Any] = {**scope.values, "organ": organ, "since": since, "last": end}
    rows = store.rows(connection, _QUERY.format(where=where), values)
    return [Month(row.pop("first"), **{name: int(value) for name, value in row.items()}) for row in rows]


def end_of(first: date) -> date:
    """Return the last day of a month."""
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
