"""What is known of each case that its clock rests on, gathered into temporary tables: a statement a subject.

All statements speak of the cases of `clock_scope`. Days are the province's (Asia/Shanghai).
"""

from __future__ import annotations

from typing import Final

DAY: Final = "({} AT TIME ZONE INTERVAL '8 hours')::date"
"""The province's day of an instant: Asia/Shanghai has been eight hours ahead for as long as the calendar goes back.

Said as an offset it is found several times faster, which counts where millions of events are placed."""
DAYS: Final = """(SELECT calendar, day, works, ordinal, published,
        (day + TIME '23:59:59') AT TIME ZONE INTERVAL '8 hours' AS ends_at FROM supervision.day)"""
"""Each day of the calendars with its last second: what every limit ends with."""
UNITS: Final = ("working_day", "calendar_day", "month", "year", "hour")
NOTICE_DAYS: Final = 5
"""Working days within which an applicant is told that the application is accepted or not complete (art. 32)."""
DELIVERY_DAYS: Final = 10
"""Working days within which the document is delivered after the decision (行政许可法 art. 44)."""
EXTENSION, JOINT_EXTENSION = 10, 15
"""Working days by which the head of the organ, or of the government for joint cases, may extend (art. 42)."""


def day(instant: str) -> str:
    """Return the expression of an instant's day in the province."""
    return DAY.format(instant)


def _limit(name: str) -> str:
    """Read a limit of a version's content; `fault` says why it cannot be counted, none of the three where none is said.

    Ten years are the most that any limit of approval may be: more is an error of entry.
    """
    said = f"f.content -> '{name}_limit'"
    return f"""
    CROSS JOIN LATERAL (
        SELECT unit AS {name}_unit, CASE WHEN abs(value) < 1000000000 THEN trunc(value)::int END AS {name}_value,
            CASE
                WHEN said IS NULL OR jsonb_typeof(said) = 'null' THEN NULL
                WHEN unit IS NULL OR unit NOT IN {UNITS} OR value IS NULL OR value <> trunc(value)
                    THEN 'limit_unreadable'
                WHEN value < 0 THEN 'limit_negative'
                WHEN value = 0 THEN 'limit_zero'
                WHEN value > CASE unit WHEN 'year' THEN 10 WHEN 'month' THEN 120 WHEN 'hour' THEN 87840 ELSE 3660 END
                    THEN 'limit_too_long'
            END AS {name}_fault
        FROM (SELECT {said} AS said, {said} ->> 'unit' AS unit,
                CASE WHEN jsonb_typeof({said} -> 'value') = 'number' THEN ({said} ->> 'value')::numeric END AS value
             ) AS read
    ) AS {name}"""


VERSIONS: Final = f"""
CREATE TEMP TABLE clock_version ON COMMIT DROP AS
SELECT f.version_id, f.item_id, f.valid_from, f.valid_to,
    CASE WHEN f.content ->> 'kind' IN ('immediate', 'promised') THEN f.content ->> 'kind' END AS kind,
    CASE f.content ->> 'counted_from' WHEN 'receipt' THEN 'receipt' ELSE 'acceptance' END AS basis,
    promised.*, legal.*
FROM catalog.in_force AS f {_limit("promised")} {_limit("legal")}
"""

STAGE_LIMITS: Final = f"""
CREATE TEMP TABLE clock_stage_limit ON COMMIT DROP AS
SELECT DISTINCT ON (v.version_id, s.said ->> 'stage') v.version_id, s.said ->> 'stage' AS stage,
    l.promised_value AS value, l.promised_unit AS unit, l.promised_fault AS fault
FROM clock_version AS v
JOIN catalog.item_version AS i USING (version_id)
CROSS JOIN LATERAL jsonb_array_elements(
    CASE WHEN jsonb_typeof(i.content -> 'stages') = 'array' THEN i.content -> 'stages' ELSE '[]' END) AS s (said)
CROSS JOIN LATERAL (SELECT * FROM (SELECT jsonb_build_object('promised_limit', s.said -> 'limit') AS content) AS f
    {_limit("promised")}) AS l
WHERE jsonb_typeof(s.said) = 'object' AND jsonb_typeof(s.said -> 'limit') = 'object'
ORDER BY v.version_id, s.said ->> 'stage'
"""

# As catalog.version_of_case says it, for each pair of code and organ once instead of for each case.
ITEMS: Final = """
CREATE TEMP TABLE clock_item ON COMMIT DROP AS
SELECT DISTINCT ON (p.item_code, p.organ) p.item_code, p.organ, n.item_id
FROM (
    SELECT DISTINCT c.item_code, coalesce(c.handling_organ, '') AS organ
    FROM core.approval_case AS c JOIN clock_scope AS s ON s.case_id = c.record_id WHERE c.item_code IS NOT NULL
) AS p
JOIN (
    SELECT code AS number, NULL::text AS organ, item_id, 1 AS place FROM catalog.item
    UNION ALL SELECT number, NULL, item_id, 2 FROM catalog.item_number
    UNION ALL SELECT base_code, organ, item_id, 3 FROM catalog.item WHERE base_code IS NOT NULL
) AS n ON n.number = p.item_code AND (n.organ IS NULL OR n.organ = p.organ)
ORDER BY p.item_code, p.organ, n.place, n.item_id
"""

REGIONS: Final = """
CREATE TEMP TABLE clock_region ON COMMIT DROP AS
SELECT region, coalesce(supervision.calendar_of(region), '') AS calendar FROM (
    SELECT DISTINCT coalesce(c.region, '') AS region
    FROM core.approval_case AS c JOIN clock_scope AS s ON s.case_id = c.record_id) AS r
"""

# A due date that is said to the day means all of that day.
SAID: Final = f"""
CREATE TEMP TABLE clock_said ON COMMIT DROP AS
SELECT a.case_id,
    max(CASE WHEN a.due_at_precision = 'd'
        THEN ({day("a.due_at")} + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai' ELSE a.due_at END) AS declared_due_at,
    min(a.accepted_at) FILTER (WHERE a.outcome = 'supplement_required') AS told_at,
    max(a.accepted_at) FILTER (WHERE a.outcome = 'supplement_required') AS told_last
FROM core.acceptance AS a JOIN clock_scope USING (case_id)
GROUP BY a.case_id
"""

# Request and answer may come as one row or as two; requests told by acceptance rows count where no other row tells one.
SUPPLEMENTS: Final = """
CREATE TEMP TABLE clock_supplement ON COMMIT DROP AS
SELECT case_id, coalesce(s.told_at, a.told_at) AS told_at, s.received_at,
    CASE WHEN coalesce(s.told, 0) > coalesce(s.received, 0) OR (s.told IS NULL AND a.told_at IS NOT NULL)
        THEN coalesce(s.told_last, a.told_last) END AS waiting_since
FROM (
    SELECT case_id, min(told_at) AS told_at, max(told_at) AS told_last, max(received_at) AS received_at,
        nullif(count(told_at), 0) AS told, count(received_at) AS received
    FROM core.supplement JOIN clock_scope USING (case_id) GROUP BY case_id
) AS s FULL JOIN (SELECT case_id, told_at, told_last FROM clock_said WHERE told_at IS NOT NULL) AS a USING (case_id)
"""

DELIVERIES: Final = """
CREATE TEMP TABLE clock_delivery ON COMMIT DROP AS
SELECT case_id, min(delivered_at) AS delivered_at FROM core.delivery JOIN clock_scope USING (case_id)
WHERE delivered_at IS NOT NULL GROUP BY case_id
"""

# An acceptance without a row of its own is known from the stage of that name.
FACTS: Final = f"""
CREATE TEMP TABLE clock_fact ON COMMIT DROP AS
SELECT c.record_id AS case_id, c.handling_organ AS organ, c.region, c.item_code, r.calendar,
    coalesce(v.kind, c.case_kind) AS kind, v.version_id, coalesce(v.basis, 'acceptance') AS basis,
    v.promised_value, v.promised_unit, v.promised_fault, v.legal_value, v.legal_unit, v.legal_fault,
    CASE
        WHEN v.version_id IS NOT NULL THEN NULL
        WHEN c.item_code IS NULL THEN 'no_item_said'
        WHEN i.item_id IS NULL THEN 'not_in_catalogue'
        WHEN o.accepted_at IS NULL AND o.applied_at IS NULL THEN 'no_day'
        ELSE 'not_yet_in_force'
    END AS why,
    o.applied_at, coalesce(o.accepted_at, o.accept_first) AS accepted_at,
    o.accepted_at IS NULL AND o.accept_first IS NOT NULL AS from_stage,
    o.state = 'not_accepted' AS turned_away, o.closed_at, o.closing_outcome, a.declared_due_at,
    u.told_at, u.received_at, u.waiting_since, d.delivered_at
FROM core.approval_case AS c
JOIN clock_scope AS s ON s.case_id = c.record_id
JOIN core.case_overview AS o ON o.case_id = c.record_id
JOIN clock_region AS r ON r.region = coalesce(c.region, '')
LEFT JOIN clock_item AS i ON i.item_code = c.item_code AND i.organ = coalesce(c.handling_organ, '')
LEFT JOIN clock_version AS v ON v.item_id = i.item_id
    AND v.valid_from <= {day("coalesce(o.accepted_at, o.applied_at)")}
    AND (v.valid_to IS NULL OR {day("coalesce(o.accepted_at, o.applied_at)")} < v.valid_to)
LEFT JOIN clock_said AS a ON a.case_id = c.record_id
LEFT JOIN clock_supplement AS u ON u.case_id = c.record_id
LEFT JOIN clock_delivery AS d ON d.case_id = c.record_id
"""

STATEMENTS: Final = (
    VERSIONS, STAGE_LIMITS, ITEMS, REGIONS, SAID, SUPPLEMENTS, DELIVERIES, FACTS,
    "CREATE INDEX ON clock_fact (case_id)", "ANALYZE clock_fact (case_id)",
)  # fmt: skip
