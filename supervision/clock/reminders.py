"""Cases that wait for the applicant, and reminders to hand in what is missing (催材料), as data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

_WAITING = """
SELECT c.case_id, a.case_number, c.organ, c.region, c.item_code, c.accepted_at IS NOT NULL AS accepted,
    coalesce(c.waiting_since, c.paused_since) AS waiting_since, p.ordinal - w.ordinal AS days,
    (SELECT count(*) FROM supervision.reminder AS r
     WHERE r.case_id = c.case_id AND r.waiting_since = coalesce(c.waiting_since, c.paused_since)) AS reminders
FROM supervision.clock AS c
JOIN core.approval_case AS a ON a.record_id = c.case_id
JOIN supervision.day AS w ON w.calendar = c.calendar
    AND w.day = (coalesce(c.waiting_since, c.paused_since) AT TIME ZONE 'Asia/Shanghai')::date
JOIN supervision.day AS p ON p.calendar = c.calendar
    AND p.day = (supervision.instant() AT TIME ZONE 'Asia/Shanghai')::date
WHERE (CAST(:cases AS bigint[]) IS NULL OR c.case_id = ANY (:cases))
  AND c.closed_at IS NULL AND c.state <> 'not_accepted' AND (c.waiting_since IS NOT NULL
    OR c.state = 'waiting_applicant')
ORDER BY 7, 1
"""

_SAME_DAY = """
SELECT (coalesce(as_of, began_at) AT TIME ZONE 'Asia/Shanghai')::date
    = (supervision.instant() AT TIME ZONE 'Asia/Shanghai')::date FROM supervision.run ORDER BY run_id DESC LIMIT 1
"""


def make(connection: sa.Connection, _now: datetime, cases: Sequence[int] | None) -> dict[str, Any]:
    """Make the reminders that fell due: one for each time of waiting and step of `supervision.reminder_step`.

    Of some cases, or of all: where none are named, and in the first run of a day, on which others fall due.
    """
    some = cases is not None and bool(connection.execute(sa.text(_SAME_DAY)).scalar())
    made = connection.execute(
        sa.text(
            f"""INSERT INTO supervision.reminder (case_id, waiting_since, after_days, due_on, words)
                SELECT w.case_id, w.waiting_since, s.after_days, d.day, s.words
                FROM ({_WAITING}) AS w
                JOIN supervision.reminder_step AS s ON s.after_days <= w.days
                JOIN supervision.clock AS c ON c.case_id = w.case_id
                JOIN supervision.day AS b ON b.calendar = c.calendar
                    AND b.day = (w.waiting_since AT TIME ZONE 'Asia/Shanghai')::date
                JOIN supervision.day AS d ON d.calendar = c.calendar AND d.works
                    AND d.ordinal = b.ordinal + s.after_days
                ON CONFLICT (case_id, waiting_since, after_days) DO NOTHING"""
        ),
        {"cases": list(cases or ()) if some else None},
    ).rowcount
    return {"made": made}


def waiting(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return the cases that wait for the applicant, the longest first, with the working days since, and reminders."""
    return [dict(row) for row in connection.execute(sa.text(_WAITING), {"cases": None}).mappings()]
