"""The clock of each round of a stage (受理 承办 审核 批准 办结), against the limit that the item sets for it.

A round is what happens in a stage between two returns: after an event with the outcome `returned`, whatever stage
follows is a new round of it. A round ends when all its events have ended; where ends are not told, when the next
round of another stage begins, or the case closes.
"""

from __future__ import annotations

from typing import Final

from supervision.clock.cases import began_in_time, ran_out, verdict
from supervision.clock.dues import counted, due
from supervision.clock.facts import DAYS, day

_KEYS: Final = "case_id, stage, round"

# Few events are returns, and for a share of the cases the planner would look for these among the events of all.
RETURNED: Final = """
CREATE TEMP TABLE clock_returned ON COMMIT DROP AS
SELECT DISTINCT o.case_id FROM core.stage_event AS o JOIN clock_scope USING (case_id)
WHERE o.outcome = 'returned' AND {within}
"""

_ENDS: Final = """min(coalesce(started_at, finished_at)) AS started_at,
    CASE WHEN bool_and(finished_at IS NOT NULL) THEN max(finished_at) END AS finished_at"""

ROUNDS: Final = f"""
CREATE TEMP TABLE clock_round ON COMMIT DROP AS
SELECT e.case_id, e.stage, 1 AS round, {_ENDS}
FROM core.stage_event AS e JOIN clock_scope USING (case_id)
WHERE e.stage <> 'other' AND coalesce(e.started_at, e.finished_at) IS NOT NULL
  AND NOT EXISTS (SELECT FROM clock_returned AS r WHERE r.case_id = e.case_id)
GROUP BY e.case_id, e.stage
UNION ALL
SELECT case_id, stage, (row_number() OVER (PARTITION BY case_id, stage ORDER BY returns))::int, started_at, finished_at
FROM (
    SELECT case_id, stage, returns, {_ENDS}
    FROM (
        SELECT e.case_id, e.stage, e.started_at, e.finished_at,
            coalesce(sum((e.outcome IS NOT DISTINCT FROM 'returned')::int) OVER (
                PARTITION BY e.case_id
                ORDER BY coalesce(e.started_at, e.finished_at), e.finished_at, e.record_id, e.part
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS returns
        FROM core.stage_event AS e JOIN clock_returned USING (case_id)
        WHERE coalesce(e.started_at, e.finished_at) IS NOT NULL
    ) AS e
    WHERE stage <> 'other' GROUP BY case_id, stage, returns
) AS rounds
"""

# What is computed of rounds are exactly these rows: a case that is no more has none. Rarely is there one.
GONE: Final = """
DELETE FROM clock_round AS r
WHERE (SELECT count(*) FROM clock_base) < (SELECT count(*) FROM clock_scope)
  AND NOT EXISTS (SELECT FROM clock_base AS b WHERE b.case_id = r.case_id)
"""

# Only the cases that leave an end open are looked at again.
ENDS: Final = """
UPDATE clock_round AS r SET finished_at = n.ended FROM (
    SELECT o.case_id, o.stage, o.round, coalesce(min(x.started_at), min(b.closed_at)) AS ended
    FROM clock_round AS o
    JOIN clock_base AS b USING (case_id)
    LEFT JOIN clock_round AS x ON x.case_id = o.case_id AND x.started_at > o.started_at AND x.stage <> o.stage
    WHERE o.finished_at IS NULL GROUP BY o.case_id, o.stage, o.round
) AS n
WHERE r.finished_at IS NULL AND n.case_id = r.case_id AND n.stage = r.stage AND n.round = r.round
"""

_PLACED: Final = f"""
    SELECT r.case_id, r.stage, r.round, b.organ, b.calendar, b.open_since, b.closed_at AS case_closed_at, r.finished_at,
        s.day AS start_day, s.ordinal AS start_ordinal, r.started_at AS start_at,
        CASE WHEN x.stop IS NULL THEN l.value END AS value, CASE WHEN x.stop IS NULL THEN l.unit END AS unit,
        l.value AS limit_value, l.unit AS limit_unit,
        CASE WHEN {day("r.finished_at")} < s.day THEN 'stage_ends_before_start' ELSE x.stop END AS why
    FROM clock_odd
    JOIN clock_round AS r USING (case_id)
    JOIN clock_base AS b USING (case_id)
    LEFT JOIN clock_stop AS p ON p.case_id = r.case_id
    LEFT JOIN clock_stage_limit AS l ON l.version_id = b.version_id AND l.stage = r.stage
    LEFT JOIN {DAYS} AS s ON s.calendar = b.calendar AND s.day = {day("r.started_at")}
    CROSS JOIN LATERAL (
        SELECT CASE WHEN l.stage IS NULL THEN NULL WHEN l.fault IS NOT NULL THEN l.fault WHEN s.day IS NULL
            THEN 'calendar_ends' ELSE p.why END AS stop) AS x"""

ODD: Final = """
CREATE TEMP TABLE clock_odd ON COMMIT DROP AS
SELECT case_id FROM clock_stop
UNION SELECT case_id FROM clock_base WHERE version_id IN (
    SELECT version_id FROM clock_stage_limit WHERE unit IS DISTINCT FROM 'working_day')
"""

# What is counted in working days and never stopped, almost all of it, goes by the short way.
PAUSED: Final = (
    f"""CREATE TEMP TABLE clock_round_special ON COMMIT DROP AS
    {_PLACED}""",
    "CREATE TEMP TABLE clock_round_added ON COMMIT DROP AS " + counted("clock_round_special", _KEYS),
    f"""CREATE TEMP TABLE clock_round_due ON COMMIT DROP AS
    {due("clock_round_special", "clock_round_added", _KEYS, "x.*")}""",
    f"""CREATE TEMP TABLE clock_round_stopped ON COMMIT DROP AS
    SELECT case_id, stage, round,
        sum(greatest(least(p.to_ordinal, u.due_ordinal) - greatest(p.from_ordinal, u.start_ordinal), 0))::int
            AS in_limit,
        sum(greatest(least(p.to_ordinal, c.ordinal) - greatest(p.from_ordinal, u.start_ordinal), 0))::int AS so_far
    FROM clock_pause AS p
    JOIN clock_round_due AS u USING (case_id)
    LEFT JOIN {DAYS} AS c ON c.calendar = u.calendar AND c.day = {day("u.finished_at")}
    GROUP BY case_id, stage, round""",
)

STAGES: Final = f"""
SELECT u.case_id, u.stage, u.round, u.organ, y.why, u.start_at AS started_at, u.finished_at, u.limit_value,
    u.limit_unit,
    CASE WHEN y.why IS NULL THEN u.due_ordinal - u.start_ordinal - coalesce(z.in_limit, 0) END AS limit_days,
    CASE WHEN y.why IS NULL AND u.start_day IS NOT NULL THEN coalesce(z.so_far, 0) END AS paused_days,
    CASE WHEN o.stops THEN greatest(u.open_since, u.start_at) END AS paused_since,
    CASE WHEN y.why IS NULL THEN u.due_at END AS due_at,
    CASE WHEN y.why IS NULL AND c.day IS NOT NULL
        THEN greatest(c.ordinal - u.start_ordinal - coalesce(z.so_far, 0), 0) END AS used_days,
    CASE WHEN y.why IS NULL THEN {verdict("u.finished_at", "u.due_at", "u.unit", "c.day", "u.due_day")} END AS verdict,
    u.calendar, u.start_ordinal AS started_ordinal,
    CASE WHEN o.stops THEN greatest(q.ordinal, u.start_ordinal) END AS paused_ordinal,
    CASE WHEN y.why IS NULL THEN u.due_ordinal END AS due_ordinal,
    CASE WHEN o.stops THEN {ran_out("u.unit", "u.due_at", "u.target")} END AS stop_end
FROM clock_round_due AS u
LEFT JOIN clock_round_stopped AS z ON z.case_id = u.case_id AND z.stage = u.stage AND z.round = u.round
LEFT JOIN {DAYS} AS c ON c.calendar = u.calendar AND c.day = {day("u.finished_at")}
LEFT JOIN {DAYS} AS q ON u.open_since IS NOT NULL AND q.calendar = u.calendar AND q.day = {day("u.open_since")}
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN u.why IS NOT NULL THEN u.why
        WHEN u.unit IS NOT NULL AND u.due_day IS NULL THEN 'calendar_ends'
        WHEN (SELECT count(*) > 0 FROM clock_gap) AND EXISTS (SELECT FROM clock_gap AS g WHERE
            g.calendar = u.calendar AND u.start_day <= g.before_gap AND g.after_gap <= u.due_day) THEN 'calendar_hole'
    END AS why
) AS y
CROSS JOIN LATERAL (
    SELECT coalesce(u.open_since IS NOT NULL AND u.case_closed_at IS NULL AND u.finished_at IS NULL AND y.why IS NULL
        AND {began_in_time("u.open_since", "u.unit", "u.due_at", "u.due_day", "u.target")}, FALSE) AS stops
) AS o
"""

_PLAIN: Final = f"""
SELECT r.case_id, r.stage, r.round, b.organ, y.why, r.started_at, r.finished_at, l.value AS limit_value,
    l.unit AS limit_unit,
    CASE WHEN y.why IS NULL THEN w.ordinal - s.ordinal END AS limit_days,
    CASE WHEN y.why IS NULL AND s.day IS NOT NULL THEN 0 END AS paused_days,
    NULL::timestamptz AS paused_since,
    CASE WHEN y.why IS NULL THEN w.ends_at END AS due_at,
    CASE WHEN y.why IS NULL THEN c.ordinal - s.ordinal END AS used_days,
    CASE WHEN y.why IS NULL THEN {verdict("c.day", "w.day", "l.unit", "c.day", "w.day")} END AS verdict,
    b.calendar, s.ordinal AS started_ordinal, NULL::int AS paused_ordinal,
    CASE WHEN y.why IS NULL THEN w.ordinal END AS due_ordinal, NULL::timestamptz AS stop_end
FROM clock_round AS r
JOIN clock_base AS b USING (case_id)
LEFT JOIN clock_odd AS p ON p.case_id = r.case_id
LEFT JOIN clock_stage_limit AS l ON l.version_id = b.version_id AND l.stage = r.stage
LEFT JOIN {DAYS} AS s ON s.calendar = b.calendar AND s.day = {day("r.started_at")}
LEFT JOIN {DAYS} AS c ON c.calendar = b.calendar AND c.day = {day("r.finished_at")}
LEFT JOIN {DAYS} AS w ON w.calendar = b.calendar AND w.works AND l.fault IS NULL AND w.ordinal = s.ordinal + l.value
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN c.day < s.day THEN 'stage_ends_before_start'
        WHEN l.stage IS NULL THEN NULL
        WHEN l.fault IS NOT NULL THEN l.fault
        WHEN w.day IS NULL THEN 'calendar_ends'
        WHEN (SELECT count(*) > 0 FROM clock_gap) AND EXISTS (SELECT FROM clock_gap AS g WHERE
            g.calendar = b.calendar AND s.day <= g.before_gap AND g.after_gap <= w.day) THEN 'calendar_hole'
    END AS why
) AS y
WHERE p.case_id IS NULL
"""

STATEMENTS: Final = (RETURNED, ROUNDS, GONE, "ANALYZE clock_round (case_id)", ENDS, ODD, "ANALYZE clock_odd", *PAUSED)
CLOCKS: Final = f"{STAGES} UNION ALL {_PLAIN}"
"""The query of the clocks of all rounds: a row for each of `clock_round`."""
