"""Steps of cases that departments subscribe to: found by comparing how a case stands with how it was last noted.

The repository keeps how a case stands, not each step; what is found is what a subscriber would see who looked every ten
minutes. A subscription names an item by the number that its cases bear.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import psycopg2.extensions

from verification.checks import answers

Cursor = psycopg2.extensions.cursor

_STANDS: Final = """
SELECT a.record_id, a.item_code, a.handling_organ, o.state,
    CASE WHEN o.state IN ('suspended', 'closed', 'not_accepted') THEN o.state
        WHEN o.approve_first IS NOT NULL THEN 'approve' WHEN o.review_first IS NOT NULL THEN 'review'
        WHEN o.undertake_first IS NOT NULL THEN 'undertake'
        WHEN coalesce(o.accepted_at, o.accept_first) IS NOT NULL THEN 'accept' ELSE o.state END AS stage
FROM core.approval_case AS a JOIN core.case_overview AS o ON o.case_id = a.record_id
WHERE a.item_code = ANY(%(codes)s)
"""
NOTE: Final = f"""
INSERT INTO audit.case_change (case_id, item_code, organ, state, stage, noted_at)
SELECT s.record_id, s.item_code, s.handling_organ, s.state, s.stage, now() - %(before)s
FROM ({_STANDS}) AS s
LEFT JOIN LATERAL (
    SELECT c.state, c.stage FROM audit.case_change AS c WHERE c.case_id = s.record_id ORDER BY c.change_id DESC LIMIT 1
) AS last ON TRUE
WHERE (last.state, last.stage) IS DISTINCT FROM (s.state, s.stage)
"""
_CODES: Final = """SELECT coalesce(array_agg(DISTINCT code), '{}') FROM access.subscription
                   WHERE topic = 'case' AND ended_at IS NULL"""
_TOLD: Final = """
SELECT c.case_id, c.item_code, c.organ, c.state, c.stage, c.noted_at, o.due_at
FROM audit.case_change AS c LEFT JOIN core.case_overview AS o ON o.case_id = c.case_id WHERE c.change_id = %s
"""


def note(cursor: Cursor) -> int:
    """Note each case of a subscribed item that stands otherwise than when it was last noted; return how many."""
    cursor.execute(_CODES)
    (codes,) = cursor.fetchone() or ([],)
    if not codes:
        return 0
    cursor.execute(NOTE, {"codes": codes, "before": timedelta(0)})
    return int(cursor.rowcount)


def told(cursor: Cursor, number: int) -> dict[str, Any] | None:
    """Return what a notice says of a step of a case: the hub's number of the case, and never who applied."""
    cursor.execute(_TOLD, (number,))
    row = cursor.fetchone()
    if row is None:
        return None
    record, item, organ, state, stage, noted, due = row
    return {
        "number": number, "evidence": record, "item": item, "organ": organ, "state": state, "stage": stage,
        "due": None if due is None else answers.instant(due), "changed_at": answers.instant(noted),
    }  # fmt: skip
