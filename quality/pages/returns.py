"""What was done in a period about a department's rejected records: handed back, corrected, waived, judged again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from hub.templating import ZONE

DEEDS = ("return", "take_back", "propose", "approve", "reject", "waive")
"""The deeds that a report counts, in the order of a record's way."""


@dataclass(frozen=True, slots=True)
class Returns:
    """How often each deed was done in the period, and how many refused records wait now."""

    done: Mapping[str, int]
    waiting: int


_DONE = """
SELECT w.what, count(*) AS times FROM quality.work_log AS w
LEFT JOIN quality.record_organ AS o ON o.record_id = w.record_id
WHERE w.at >= CAST(:first AS date)::timestamp AT TIME ZONE :zone
  AND w.at < (CAST(:last AS date) + 1)::timestamp AT TIME ZONE :zone
  AND w.what = ANY(:deeds) AND :organ IN (o.organ, w.detail ->> 'organ')
GROUP BY w.what
"""

_WAITING = """
SELECT count(*) FROM ledger.waiting AS w JOIN quality.record_organ AS o ON o.record_id = w.record_id
WHERE w.status = 'open' AND w.kind = 'quarantined' AND o.organ = :organ
"""


def returns(engine: sa.Engine, organ: str, first: date, last: date) -> Returns:
    """Count the deeds from the first to the last day, in the province's days."""
    asked = {"organ": organ, "first": first, "last": last, "zone": str(ZONE), "deeds": list(DEEDS)}
    with engine.connect() as connection:
        found = {row.what: int(row.times) for row in connection.execute(sa.text(_DONE), asked)}
        waiting = connection.execute(sa.text(_WAITING), {"organ": organ}).scalar_one()
    return Returns({what: found.get(what, 0) for what in DEEDS}, int(waiting))
