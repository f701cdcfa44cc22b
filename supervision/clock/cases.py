"""The clock of each case: when it starts, how it is paused and extended, when it is due, and how it stands."""

from __future__ import annotations

from typing import Final

from supervision.clock.dues import EPOCH, counted, due
from supervision.clock.facts import DAYS, DELIVERY_DAYS, NOTICE_DAYS, day

# When everything was received: the application, or the answer to a request for what it lacked that was made in time.
RECEIPTS: Final = f"""
CREATE TEMP TABLE clock_receipt ON COMMIT DROP AS
SELECT r.case_id, r.receipt_at, n.ends_at AS notice_due_at,
    r.receipt_at IS NOT NULL AND NOT r.turned_away
        AND coalesce({day("r.accepted_at")} > n.day, {day("r.closed_at")} > n.day, TRUE) AS deemed
FROM (
    SELECT f.case_id, f.calendar, f.turned_away, f.accepted_at, f.closed_at,
        CASE
            WHEN t.ordinal < a.ordinal + {NOTICE_DAYS} OR (t.ordinal = a.ordinal + {NOTICE_DAYS} AND t.works)
                THEN CASE WHEN f.waiting_since IS NULL OR f.accepted_at IS NOT NULL
                    THEN least(f.received_at, f.accepted_at) END
            ELSE f.applied_at
        END AS receipt_at
    FROM clock_fact AS f
    LEFT JOIN {DAYS} AS a ON a.calendar = f.calendar AND a.day = {day("f.applied_at")}
    LEFT JOIN {DAYS} AS t ON f.told_at IS NOT NULL AND t.calendar = f.calendar AND t.day = {day("f.told_at")}
) AS r
LEFT JOIN {DAYS} AS d ON d.calendar = r.calendar AND d.day = {day("r.receipt_at")}
LEFT JOIN {DAYS} AS n ON n.calendar = r.calendar AND n.works AND n.ordinal = d.ordinal + {NOTICE_DAYS}
"""

# What is decided at once is due on the day of its receipt; after closing time, or on a free day, on the next to work.
BASE: Final = f"""
CREATE TEMP TABLE clock_base ON COMMIT DROP AS
SELECT b.*, e.day AS start_day, e.ordinal AS start_ordinal, e.published AS start_published,
    CASE
        WHEN b.why IS NOT NULL THEN b.why
        WHEN {day("b.accepted_at")} < {day("b.applied_at")} THEN 'accepted_before_applied'
        WHEN b.applied_at IS NULL AND b.accepted_at IS NULL THEN 'no_day'
        WHEN p.why IS NOT NULL THEN p.why
        WHEN x.why IS NOT NULL THEN x.why
        WHEN b.fault IS NOT NULL THEN b.fault
        WHEN b.value IS NULL THEN 'no_limit'
        WHEN b.started_at IS NOT NULL AND e.day IS NULL THEN 'calendar_ends'
        WHEN {day("b.closed_at")} < {day("b.started_at")} THEN 'closed_before_start'
    END AS fault_found,
    p.open_since, coalesce(p.awaits_applicant, FALSE) AS awaits_applicant
FROM (
    SELECT f.*, r.receipt_at, r.notice_due_at, coalesce(r.deemed, FALSE) AS deemed,
        CASE WHEN f.basis = 'receipt' OR r.deemed THEN r.receipt_at ELSE f.accepted_at END AS started_at,
        CASE WHEN at_once THEN 0 WHEN promises THEN f.promised_value ELSE f.legal_value END AS value,
        CASE WHEN at_once THEN 'working_day' WHEN promises THEN f.promised_unit ELSE f.legal_unit END AS unit,
        CASE WHEN at_once THEN NULL WHEN promises THEN f.promised_fault ELSE f.legal_fault END AS fault,
        at_once OR promises AS promised
    FROM clock_fact AS f
    LEFT JOIN clock_receipt AS r USING (case_id)
    CROSS JOIN LATERAL (
        SELECT f.kind IS NOT DISTINCT FROM 'immediate'
                AND coalesce(f.promised_fault = 'limit_zero', f.promised_value IS NULL) AS at_once,
            f.promised_value IS NOT NULL OR f.promised_fault IS NOT NULL AS promises
    ) AS g
) AS b
LEFT JOIN clock_stop AS p USING (case_id)
LEFT JOIN clock_extension AS x USING (case_id)
LEFT JOIN supervision.calendar AS c ON c.calendar = b.calendar
LEFT JOIN {DAYS} AS s ON s.calendar = b.calendar AND s.day = {day("b.started_at")}
CROSS JOIN LATERAL (
    SELECT b.kind IS NOT DISTINCT FROM 'immediate'
        AND (NOT s.works OR (b.started_at AT TIME ZONE 'Asia/Shanghai')::time > c.closes_at) AS late
) AS h
LEFT JOIN {DAYS} AS n ON h.late AND n.calendar = b.calendar AND n.works AND n.ordinal = s.ordinal + 1
CROSS JOIN LATERAL (
    SELECT CASE WHEN h.late THEN n.day ELSE s.day END AS day,
        CASE WHEN h.late THEN n.ordinal ELSE s.ordinal END AS ordinal,
        CASE WHEN h.late THEN n.published ELSE s.published END AS published
) AS e
"""

SPANS: Final = """
CREATE TEMP TABLE clock_span ON COMMIT DROP AS
SELECT case_id, 'p'::text AS what, calendar, start_day, start_ordinal, started_at AS start_at, value, unit
FROM clock_base WHERE fault_found IS NULL AND start_day IS NOT NULL AND NOT turned_away
UNION ALL
SELECT case_id, 'l', calendar, start_day, start_ordinal, started_at, legal_value, legal_unit
FROM clock_base WHERE fault_found IS NULL AND start_day IS NOT NULL AND NOT turned_away AND promised
    AND legal_value IS NOT NULL AND legal_fault IS NULL
"""

FIRST_DUE: Final = (
    "CREATE TEMP TABLE clock_added ON COMMIT DROP AS " + counted("clock_span", "case_id, what"),
    "ANALYZE clock_added",
    "CREATE TEMP TABLE clock_first ON COMMIT DROP AS "
    + due("clock_span", "clock_added", "case_id, what", "case_id, what, x.calendar, unit"),
)


def began_in_time(at: str, unit: str, due_at: str, due_day: str, target: str) -> str:
    """Return the expression of whether a pause that began at an instant found its term still running."""
    return f"""CASE {unit} WHEN 'working_day' THEN {day(at)} < {due_day} WHEN 'hour' THEN {at} < {due_at}
        ELSE {day(at)} - {EPOCH} < {target} END"""


_TERM: Final = ("unit", "due_at", "due_day", "target")
_IN_FIRST: Final = began_in_time("b.open_since", "f.unit", "f.due_at", "f.due_day", "f.target")

# An extension runs on from the day on which the limit ends, if it began by then; a limit that an open pause has stopped
# has not ended.
EXTENDED: Final = (
    f"""
    CREATE TEMP TABLE clock_longer ON COMMIT DROP AS
    SELECT f.case_id, f.what, f.calendar, f.due_day AS start_day, f.due_ordinal AS start_ordinal, f.due_at AS start_at,
        e.days AS value, e.unit
    FROM clock_first AS f JOIN clock_extension AS e USING (case_id) JOIN clock_base AS b USING (case_id)
    WHERE e.days > 0 AND e.why IS NULL AND e.first_at IS NOT NULL AND ({day("e.first_at")} <= f.due_day
        OR (b.open_since IS NOT NULL AND b.closed_at IS NULL AND {_IN_FIRST}))
    """,
    "CREATE TEMP TABLE clock_longer_added ON COMMIT DROP AS " + counted("clock_longer", "case_id, what"),
    "CREATE TEMP TABLE clock_second ON COMMIT DROP AS "
    + due("clock_longer", "clock_longer_added", "case_id, what", "case_id, what, unit, value"),
    "ALTER TABLE clock_first RENAME TO clock_due",
    """ALTER TABLE clock_due ADD COLUMN extended INTEGER, ADD COLUMN first_unit TEXT, ADD COLUMN first_due_day DATE,
        ADD COLUMN first_due_at TIMESTAMPTZ, ADD COLUMN first_target INTEGER""",
    """
    UPDATE clock_due AS d SET first_unit = d.unit, first_due_at = d.due_at, first_due_day = d.due_day,
        first_target = d.target, unit = s.unit, extended = s.value, due_at = s.due_at, due_day = s.due_day,
        due_ordinal = s.due_ordinal, target = s.target, published = s.published
    FROM clock_second AS s WHERE s.case_id = d.case_id AND s.what = d.what
    """,
    "ANALYZE clock_due (case_id, what)",
)

# Working days that united pauses stopped: within the limit, and as far as the case has run.
STOPPED: Final = f"""
CREATE TEMP TABLE clock_stopped ON COMMIT DROP AS
SELECT b.case_id,
    sum(greatest(least(p.to_ordinal, u.due_ordinal) - greatest(p.from_ordinal, b.start_ordinal), 0))::int AS in_limit,
    sum(greatest(least(p.to_ordinal, c.ordinal) - greatest(p.from_ordinal, b.start_ordinal), 0))::int AS so_far,
    coalesce(bool_or(CASE u.unit WHEN 'working_day' THEN p.from_day >= u.due_day
        ELSE p.from_day - {EPOCH} >= u.target END), FALSE) AS too_late
FROM clock_pause AS p
JOIN clock_base AS b USING (case_id)
LEFT JOIN clock_due AS u ON u.case_id = b.case_id AND u.what = 'p'
LEFT JOIN {DAYS} AS c ON c.calendar = b.calendar AND c.day = {day("b.closed_at")}
GROUP BY b.case_id
"""

# A hole in a calendar would be skipped unseen: whose limit lies over one cannot be computed. Only calendars that have
# fewer days than they reach are looked through.
GAPS: Final = """
CREATE TEMP TABLE clock_gap ON COMMIT DROP AS
SELECT calendar, day AS before_gap, next AS after_gap FROM (
    SELECT calendar, day, lead(day) OVER (PARTITION BY calendar ORDER BY day) AS next FROM supervision.day
    WHERE calendar IN (
        SELECT calendar FROM supervision.day GROUP BY calendar HAVING count(*) <= max(day) - min(day))) AS d
WHERE next > day + 1
"""


def verdict(ended: str, limit: str, unit: str, ended_day: str, limit_day: str) -> str:
    """Return the expression of early, on time or late: by days, for limits in hours by the instant."""
    return f"""CASE
        WHEN {ended} IS NULL OR {limit} IS NULL THEN NULL
        WHEN {unit} = 'hour' THEN CASE WHEN {ended} < {limit} THEN 'early' WHEN {ended} = {limit} THEN 'on_time'
            ELSE 'late' END
        WHEN {ended_day} < {limit_day} THEN 'early' WHEN {ended_day} = {limit_day} THEN 'on_time' ELSE 'late' END"""


def _hole() -> str:
    return """(SELECT count(*) > 0 FROM clock_gap) AND EXISTS (SELECT FROM clock_gap AS g
        WHERE g.calendar = b.calendar AND b.start_day <= g.before_gap AND g.after_gap <= u.due_day)"""


def ran_out(unit: str, due_at: str, target: str) -> str:
    """Return the expression of the instant with which a term has run out, before it moves to a day that is worked."""
    return f"""CASE WHEN {unit} IN ('working_day', 'hour') THEN {due_at}
        ELSE ({EPOCH} + {target} + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai' END"""


def _stops(row: str, o: str, t: str) -> str:
    """Return the joins that tell whether an open pause stops a limit, and which term of it: the first or its extension.

    `o` says whether, and whether it is the first; `t` is that term.
    """
    first = f"{o}.first AND {row}.first_unit IS NOT NULL"
    return f"""CROSS JOIN LATERAL (
    SELECT coalesce(b.open_since IS NOT NULL AND b.closed_at IS NULL AND y.why IS NULL
        AND {began_in_time("b.open_since", *(f"{row}.{one}" for one in _TERM))}, FALSE) AS stops,
        {row}.first_unit IS NULL
            OR coalesce({began_in_time("b.open_since", *(f"{row}.first_{one}" for one in _TERM))}, FALSE) AS first
) AS {o}
CROSS JOIN LATERAL (
    SELECT {", ".join(f"CASE WHEN {first} THEN {row}.first_{one} ELSE {row}.{one} END AS {one}" for one in _TERM)}
) AS {t}"""


def _stop_of(row: str, o: str, t: str, which: str) -> str:
    """Return the columns of what an open pause stops. Days of an extension may begin to stand still after the pause."""
    return f"""CASE WHEN {o}.stops THEN {t}.unit END AS {which}stop_unit,
    CASE WHEN {o}.stops THEN greatest(b.open_since, CASE WHEN NOT {o}.first THEN {row}.first_due_at
        WHEN {t}.unit = 'hour' THEN b.started_at ELSE b.start_day::timestamp AT TIME ZONE 'Asia/Shanghai' END) END
        AS {which}stop_from,
    CASE WHEN {o}.stops THEN {ran_out(f"{t}.unit", f"{t}.due_at", f"{t}.target")} END AS {which}stop_end,
    CASE WHEN {o}.stops AND {o}.first THEN {row}.extended WHEN {o}.stops AND {row}.unit = 'working_day' THEN 0 END
        AS {which}then_value,
    CASE WHEN {o}.stops AND {row}.extended IS NOT NULL AND ({o}.first OR {row}.unit = 'working_day') THEN {row}.unit END
        AS {which}then_unit"""


CLOCKS: Final = f"""
SELECT b.case_id, b.organ, b.region, b.item_code, b.version_id, b.kind,
    CASE
        WHEN b.turned_away THEN 'not_accepted'
        WHEN y.why IS NOT NULL THEN 'not_computable'
        WHEN b.closed_at IS NOT NULL THEN 'closed'
        WHEN b.awaits_applicant OR (b.waiting_since IS NOT NULL AND b.accepted_at IS NULL) THEN 'waiting_applicant'
        WHEN b.open_since IS NOT NULL THEN 'paused'
        WHEN b.accepted_at IS NULL THEN 'applied'
        ELSE 'running'
    END AS state,
    y.why,
    array_remove(ARRAY[
        CASE WHEN b.from_stage THEN 'acceptance_from_stage' END,
        CASE WHEN NOT b.promised AND b.value IS NOT NULL THEN 'legal_limit_governs' END,
        CASE WHEN b.promised AND b.legal_fault IS NOT NULL THEN 'legal_' || b.legal_fault END,
        CASE WHEN y.why IS NULL AND u.due_at IS NOT NULL AND ((b.open_since IS NOT NULL AND b.closed_at IS NULL
                AND NOT o.stops) OR CASE WHEN u.unit = 'hour' THEN (SELECT bool_or(h.from_at >= u.due_at)
                    FROM clock_pause_hour AS h WHERE h.case_id = b.case_id) ELSE z.too_late END)
            THEN 'pause_after_due' END,
        CASE WHEN {day("x.first_at")} > u.due_day AND u.extended IS NULL AND y.why IS NULL
            THEN 'extension_after_due' END
    ], NULL) || coalesce(x.notes, ARRAY[]::text[]) AS notes,
    CASE WHEN b.version_id IS NULL THEN NULL WHEN b.deemed THEN 'receipt' ELSE b.basis END AS basis,
    b.deemed, b.applied_at, b.accepted_at, b.notice_due_at,
    CASE WHEN b.accepted_at IS NULL OR b.notice_due_at IS NULL THEN NULL
        WHEN b.deemed THEN 'late' ELSE 'on_time' END AS notice_verdict,
    CASE WHEN y.why IS NULL THEN b.started_at END AS started_at,
    CASE WHEN b.promised_value IS NULL AND b.promised THEN 0 ELSE b.promised_value END AS promised_value,
    CASE WHEN b.promised_value IS NULL AND b.promised THEN 'working_day' ELSE b.promised_unit END AS promised_unit,
    b.legal_value, b.legal_unit,
    CASE WHEN u.due_day IS NOT NULL AND y.why IS NULL THEN coalesce(z.so_far, 0) END AS paused_days,
    CASE WHEN o.stops THEN greatest(b.open_since, b.started_at) END AS paused_since,
    CASE WHEN u.due_day IS NOT NULL AND y.why IS NULL THEN coalesce(u.extended, 0) END AS extended_days,
    CASE WHEN y.why IS NULL THEN u.due_ordinal - b.start_ordinal - coalesce(z.in_limit, 0) END AS limit_days,
    CASE WHEN y.why IS NULL THEN u.due_at END AS due_at,
    CASE WHEN y.why IS NOT NULL THEN NULL WHEN b.promised THEN l.due_at ELSE u.due_at END AS legal_due_at,
    y.why IS NULL AND u.due_at IS NOT NULL AND NOT (b.start_published AND u.published) AS provisional,
    b.declared_due_at,
    CASE WHEN b.closed_at > b.declared_due_at THEN 'late' WHEN b.closed_at <= b.declared_due_at THEN 'on_time' END
        AS declared_verdict,
    b.waiting_since, b.closed_at,
    CASE WHEN u.due_day IS NOT NULL AND y.why IS NULL AND c.day IS NOT NULL
        THEN greatest(c.ordinal - b.start_ordinal - coalesce(z.so_far, 0), 0) END AS used_days,
    CASE WHEN y.why IS NULL THEN {verdict("b.closed_at", "u.due_at", "u.unit", "c.day", "u.due_day")} END AS verdict,
    CASE WHEN y.why IS NULL THEN CASE WHEN b.promised
        THEN {verdict("b.closed_at", "l.due_at", "l.unit", "c.day", "l.due_day")}
        ELSE {verdict("b.closed_at", "u.due_at", "u.unit", "c.day", "u.due_day")} END END AS legal_verdict,
    v.ends_at AS delivery_due_at,
    b.delivered_at,
    CASE WHEN {day("b.delivered_at")} > v.day THEN 'late' WHEN {day("b.delivered_at")} <= v.day THEN 'on_time' END
        AS delivery_verdict,
    b.calendar,
    CASE WHEN y.why IS NULL THEN b.start_ordinal END AS started_ordinal,
    CASE WHEN o.stops THEN greatest(q.ordinal, b.start_ordinal) END AS paused_ordinal,
    CASE WHEN y.why IS NULL THEN u.due_ordinal END AS due_ordinal,
    {_stop_of("u", "o", "t", "")},
    {_stop_of("l", "m", "n", "legal_")}
FROM clock_base AS b
LEFT JOIN clock_due AS u ON u.case_id = b.case_id AND u.what = 'p'
LEFT JOIN clock_due AS l ON l.case_id = b.case_id AND l.what = 'l'
LEFT JOIN clock_extension AS x ON x.case_id = b.case_id
LEFT JOIN clock_stopped AS z ON z.case_id = b.case_id
LEFT JOIN {DAYS} AS c ON c.calendar = b.calendar AND c.day = {day("b.closed_at")}
LEFT JOIN {DAYS} AS v ON b.closing_outcome = 'granted' AND v.calendar = b.calendar AND v.works
    AND v.ordinal = c.ordinal + {DELIVERY_DAYS}
LEFT JOIN {DAYS} AS q ON b.open_since IS NOT NULL AND q.calendar = b.calendar AND q.day = {day("b.open_since")}
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN b.turned_away THEN NULL
        WHEN b.fault_found IS NOT NULL THEN b.fault_found
        WHEN b.start_day IS NOT NULL AND (u.due_day IS NULL OR (b.closed_at IS NOT NULL AND c.day IS NULL))
            THEN 'calendar_ends'
        WHEN {_hole()} THEN 'calendar_hole'
    END AS why
) AS y
{_stops("u", "o", "t")}
{_stops("l", "m", "n")}
"""

STATEMENTS: Final = (
    RECEIPTS, BASE, "CREATE INDEX ON clock_base (case_id)", "ANALYZE clock_base (case_id, version_id)",
    SPANS, "ANALYZE clock_span (case_id)",
    *FIRST_DUE, *EXTENDED, STOPPED, GAPS,
)  # fmt: skip
