"""How the cases of a project stand across departments: those that the asker may see, and no sign of others.

A case is shown to the organ that handles or reported it, and to whom its item is shared or granted for the purpose.
Persons are not in it. What no department has told yet is not there: each case says how far its feed goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import orjson
import psycopg2.extensions

from verification.evidence import looking

Cursor = psycopg2.extensions.cursor
MOST: Final = 200
"""Cases of one project that are told; more is refused, for half an answer would mislead."""

_QUERY: Final = """
WITH shown AS (
    SELECT s.code FROM access.sharing AS s
    WHERE s.kind = 'item' AND s.ended_at IS NULL AND (s.class = 'unconditional' OR (s.class = 'conditional' AND EXISTS (
        SELECT FROM access."grant" AS g
        WHERE g.organ = %(organ)s AND g.kind = 'item' AND g.code = s.code AND g.purpose = %(purpose)s
            AND g.state = 'granted' AND g.valid_from <= %(today)s
            AND (g.valid_to IS NULL OR %(today)s <= g.valid_to))))
), numbers AS (
    SELECT code AS number FROM shown
    UNION
    SELECT n.number FROM shown AS s
    JOIN catalog.item AS i ON s.code IN (i.code, i.base_code)
        OR EXISTS (SELECT FROM catalog.item_number AS m WHERE m.item_id = i.item_id AND m.number = s.code)
    CROSS JOIN LATERAL (
        SELECT i.code AS number UNION SELECT i.base_code WHERE i.base_code IS NOT NULL
        UNION SELECT m.number FROM catalog.item_number AS m WHERE m.item_id = i.item_id
    ) AS n
    WHERE NOT EXISTS (SELECT FROM access.sharing AS x
                      WHERE x.kind = 'item' AND x.code = n.number AND x.class = 'none' AND x.ended_at IS NULL)
)
SELECT coalesce(json_agg(k), '[]')::text FROM (
    SELECT a.record_id AS evidence, a.case_number AS case, a.item_code AS item, a.item_name,
        a.handling_organ AS organ, o.state,
        CASE WHEN o.state IN ('suspended', 'closed', 'not_accepted') THEN o.state
            WHEN o.approve_first IS NOT NULL THEN 'approve' WHEN o.review_first IS NOT NULL THEN 'review'
            WHEN o.undertake_first IS NOT NULL THEN 'undertake'
            WHEN coalesce(o.accepted_at, o.accept_first) IS NOT NULL THEN 'accept' ELSE o.state END AS stage,
        o.applied_at, o.accepted_at, o.due_at AS due, o.closed_at, o.closing_outcome AS outcome,
        st.complete_through, st.complete_basis
    FROM core.case_identifier AS i
    JOIN core.approval_case AS a ON a.record_id = i.case_id
    JOIN core.case_overview AS o ON o.case_id = a.record_id
    JOIN ledger.source_record AS r ON r.record_id = a.record_id
    JOIN ledger.stream AS st ON st.stream_id = r.stream_id
    WHERE i.scheme = 'project' AND i.number = %(project)s
        AND (%(organ)s IN (a.handling_organ, a.reporting_organ) OR a.item_code IN (SELECT number FROM numbers))
    GROUP BY a.record_id, o.case_id, st.stream_id
    ORDER BY o.applied_at NULLS LAST, a.record_id LIMIT %(most)s
) AS k"""
_INSTANTS: Final = ("applied_at", "accepted_at", "due", "closed_at", "complete_through")


def of_project(
    cursor: Cursor, project: str, *, organ: str, purpose: str, today: date
) -> Sequence[dict[str, Any]]:  # fmt: skip
    """Return the cases of a project that an organ may see for a purpose, by the time of application."""
    said = {"project": project, "organ": organ, "purpose": purpose, "today": today, "most": MOST + 1}
    cursor.execute(_QUERY, said)
    (text,) = cursor.fetchone() or ("[]",)
    rows: list[dict[str, Any]] = orjson.loads(text)
    return [{**row, **{name: _utc(looking.instant(row[name])) for name in _INSTANTS}} for row in rows]


def _utc(at: datetime | None) -> str | None:
    from verification.checks.answers import instant  # noqa: PLC0415  # its own module knows the shapes of answers

    return None if at is None else instant(at)
