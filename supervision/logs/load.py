"""Staff and post load: what each handler or post finished, how much of the limits it took, and what lies there open.

A person is a masked name and a pseudonym, the same as in the logs; inside their department only, as the callers see to.
A handler takes part in a round of a stage by each of their events in it; its time counts for each who took part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa

from hub.protect import Protector
from hub.workdays import ZONE
from supervision.logs.events import pseudonym
from supervision.logs.rates import Rate

By = Literal["staff", "post"]
_GROUPS: Final = {"staff": "p.handler_hash", "post": "p.stage, coalesce(p.handler_post, '')"}
_NAMED: Final = {
    "staff": "p.handler_hash AS who, max(p.handler_mask) AS name, NULL AS stage",
    "post": "NULL::bytea AS who, coalesce(p.handler_post, '') AS name, p.stage",
}
_LOAD: Final = """
WITH part AS (
    SELECT DISTINCT ON (e.handler_hash, e.handler_post, c.case_id, c.stage, c.round)
        c.organ, e.handler_hash, e.handler_mask, e.handler_post, c.case_id, c.stage, c.round, c.used_days, c.limit_days,
        c.verdict, c.finished_at, c.overdue, o.state
    FROM supervision.stage_now AS c
    JOIN core.case_overview AS o ON o.case_id = c.case_id
    JOIN supervision.clock AS k ON k.case_id = c.case_id
    JOIN core.stage_event AS e ON e.case_id = c.case_id AND e.stage = c.stage
        AND coalesce(e.started_at, e.finished_at) >= c.started_at
        AND (c.finished_at IS NULL OR coalesce(e.started_at, e.finished_at) <= c.finished_at)
    WHERE (CAST(:organ AS text) IS NULL OR c.organ = :organ) AND (CAST(:area AS text) IS NULL OR k.region LIKE :area)
      AND {known}
      AND ((c.finished_at >= :since AND c.finished_at < :until)
           OR (c.finished_at IS NULL AND o.state NOT IN ('closed', 'not_accepted')))
)
SELECT p.organ, {named}, count(*) FILTER (WHERE finished_at IS NOT NULL) AS finished,
    count(*) FILTER (WHERE verdict = 'early') AS early, count(*) FILTER (WHERE verdict = 'on_time') AS on_time,
    count(*) FILTER (WHERE verdict = 'late') AS late,
    coalesce(sum(used_days) FILTER (WHERE finished_at IS NOT NULL AND limit_days > 0), 0) AS used,
    coalesce(sum(limit_days) FILTER (WHERE finished_at IS NOT NULL AND limit_days > 0 AND used_days IS NOT NULL), 0)
        AS allowed,
    count(DISTINCT case_id) FILTER (WHERE finished_at IS NULL) AS open,
    count(DISTINCT case_id) FILTER (WHERE finished_at IS NULL AND overdue) AS overdue
FROM part AS p GROUP BY p.organ, {groups}
ORDER BY open DESC, finished DESC, p.organ, {groups} LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What one handler, or one post of a stage, did in the period and has open now."""

    organ: str | None
    who: str | None
    """The pseudonym of a handler; None for a post."""
    name: str | None
    """The masked name of a handler; the post's own name."""
    stage: str | None
    finished: int
    early: int
    on_time: int
    late: int
    open: int
    overdue: int
    time_used: Rate
    stage_on_time: Rate

    def as_values(self) -> dict[str, Any]:
        """Return the load as plain values, for JSON."""
        plain = {name: getattr(self, name) for name in (
            "organ", "who", "name", "stage", "finished", "early", "on_time", "late", "open", "overdue"
        )}  # fmt: skip
        return {**plain, "time_used": self.time_used.as_values(), "stage_on_time": self.stage_on_time.as_values()}


def load(
    connection: sa.Connection, protector: Protector, *, since: date, until: date, organ: str | None = None,
    area: str | None = None, by: By = "staff", limit: int = 1_000,
) -> list[Load]:  # fmt: skip
    """Count the load of handlers or posts: rounds of stages finished in the days, and those that are open now.

    `area` is how the codes of the regions begin: 3301 for a city and its counties.
    """
    query = _LOAD.format(
        named=_NAMED[by], groups=_GROUPS[by], known="e.handler_hash IS NOT NULL" if by == "staff" else "TRUE"
    )
    asked = {
        "organ": organ, "area": area and f"{area}%", "since": datetime.combine(since, time(), ZONE),
        "until": datetime.combine(until + timedelta(days=1), time(), ZONE), "limit": limit,
    }  # fmt: skip
    return [_load(protector, dict(row)) for row in connection.execute(sa.text(query), asked).mappings()]


def _load(protector: Protector, row: dict[str, Any]) -> Load:
    who = row.pop("who")
    used, allowed = int(row.pop("used")), int(row.pop("allowed"))
    in_time = row["early"] + row["on_time"]
    return Load(
        **row, who=None if who is None else pseudonym(protector, bytes(who)),
        time_used=Rate("time_used", used, allowed), stage_on_time=Rate("stage_on_time", in_time, in_time + row["late"]),
    )  # fmt: skip
