"""Suspensions and extensions of each case: paired, united where they overlap, and what is wrong with them.

A pause may come as one row or as two, one for its start and one for its end: then the n-th end ends the n-th start, as
in `sharedrepo.writing.overview`. Where there are as many ends as starts of pauses and extensions together, extensions
are counted in, otherwise only pauses: an extension usually comes without an end.

A pause stops the days after that of its start, up to that of its end: the day on which a period begins is not counted
(民法典 art. 201), neither of the limit nor of its pause. Two pauses that overlap stop each day once.
"""

from __future__ import annotations

from typing import Final

from supervision.calendar.service import FIRST, LAST
from supervision.clock.facts import DAYS, EXTENSION, JOINT_EXTENSION, day

PAIRED: Final = """
CREATE TEMP TABLE clock_pair ON COMMIT DROP AS
WITH said AS (
    SELECT s.case_id, s.record_id, s.part, s.suspension_kind, s.started_at, s.ended_at,
        s.suspension_kind IS NOT DISTINCT FROM 'extension' AS extends
    FROM core.suspension AS s JOIN clock_scope USING (case_id)
), counted AS (
    SELECT case_id, count(*) FILTER (WHERE ended_at IS NULL) = count(*) FILTER (WHERE started_at IS NULL) AS all_ended
    FROM said WHERE started_at IS NULL OR ended_at IS NULL GROUP BY case_id
), starts AS (
    SELECT case_id, suspension_kind, extends, started_at,
        row_number() OVER (PARTITION BY case_id ORDER BY started_at, record_id, part) AS place
    FROM said JOIN counted USING (case_id)
    WHERE started_at IS NOT NULL AND ended_at IS NULL AND (all_ended OR NOT extends)
), ends AS (
    SELECT case_id, ended_at, row_number() OVER (PARTITION BY case_id ORDER BY ended_at, record_id, part) AS place
    FROM said WHERE started_at IS NULL AND ended_at IS NOT NULL
)
SELECT case_id, suspension_kind, extends, started_at, ended_at FROM said
WHERE started_at IS NOT NULL AND ended_at IS NOT NULL AND NOT extends
UNION ALL
SELECT case_id, s.suspension_kind, coalesce(s.extends, FALSE), s.started_at, e.ended_at
FROM starts AS s FULL JOIN ends AS e USING (case_id, place)
"""

# Ends that no start belongs to may be those of extensions, which stop nothing; more than those cannot be understood.
OF_CASE: Final = f"""
CREATE TEMP TABLE clock_stop ON COMMIT DROP AS
SELECT p.case_id,
    CASE
        WHEN count(*) FILTER (WHERE p.started_at IS NULL) > max(e.extensions) THEN 'suspension_without_start'
        WHEN bool_or({day("p.started_at")} NOT BETWEEN '{FIRST}' AND '{LAST}'
            OR {day("p.ended_at")} NOT BETWEEN '{FIRST}' AND '{LAST}') THEN 'suspension_outside_calendar'
        WHEN bool_or(NOT p.extends AND {day("p.ended_at")} < {day("p.started_at")}) THEN 'suspension_reversed'
    END AS why,
    min(p.started_at) FILTER (WHERE p.ended_at IS NULL AND NOT p.extends) AS open_since,
    bool_or(p.ended_at IS NULL AND NOT p.extends AND p.suspension_kind = 'supplement') AS awaits_applicant
FROM clock_pair AS p
CROSS JOIN LATERAL (
    SELECT count(*) AS extensions FROM core.suspension AS x
    WHERE x.case_id = p.case_id AND x.suspension_kind = 'extension') AS e
GROUP BY p.case_id
"""

# What is still open when the case closes ends with it; what begins while an open pause lasts lies within it.
UNITED: Final = f"""
CREATE TEMP TABLE clock_pause ON COMMIT DROP AS
SELECT u.case_id, lower(u.days) - 1 AS from_day, upper(u.days) - 1 AS to_day, a.ordinal AS from_ordinal,
    b.ordinal AS to_ordinal
FROM (
    SELECT p.case_id, f.calendar, unnest(range_agg(daterange(
        {day("p.started_at")},
        least({day("coalesce(p.ended_at, f.closed_at)")},
            CASE WHEN f.closed_at IS NULL THEN {day("s.open_since")} END),
        '(]'))) AS days
    FROM clock_pair AS p
    JOIN clock_fact AS f USING (case_id)
    JOIN clock_stop AS s ON s.case_id = p.case_id AND s.why IS NULL
    WHERE NOT p.extends AND p.started_at IS NOT NULL AND coalesce(p.ended_at, f.closed_at) IS NOT NULL
      AND {day("p.started_at")} < least({day("coalesce(p.ended_at, f.closed_at)")},
            CASE WHEN f.closed_at IS NULL THEN {day("s.open_since")} END)
    GROUP BY p.case_id, f.calendar
) AS u
LEFT JOIN {DAYS} AS a ON a.calendar = u.calendar AND a.day = lower(u.days) - 1
LEFT JOIN {DAYS} AS b ON b.calendar = u.calendar AND b.day = upper(u.days) - 1
"""

# To the second, for limits in hours.
UNITED_HOURS: Final = """
CREATE TEMP TABLE clock_pause_hour ON COMMIT DROP AS
SELECT case_id, lower(u.span) AS from_at, upper(u.span) AS to_at FROM (
    SELECT p.case_id, unnest(range_agg(tstzrange(p.started_at, least(coalesce(p.ended_at, f.closed_at),
        CASE WHEN f.closed_at IS NULL THEN s.open_since END)))) AS span
    FROM clock_pair AS p
    JOIN clock_fact AS f USING (case_id)
    JOIN clock_stop AS s ON s.case_id = p.case_id AND s.why IS NULL
    WHERE NOT p.extends AND p.started_at IS NOT NULL AND coalesce(p.ended_at, f.closed_at) IS NOT NULL
      AND p.started_at < least(coalesce(p.ended_at, f.closed_at),
          CASE WHEN f.closed_at IS NULL THEN s.open_since END)
    GROUP BY p.case_id
) AS u
"""

# An extension counts where it is approved (art. 42) and its length told; together they count up to the legal maximum.
EXTENSIONS: Final = f"""
CREATE TEMP TABLE clock_extension ON COMMIT DROP AS
SELECT e.case_id, first_at, unit, least(days, CASE WHEN unit <> 'working_day' THEN 3661
        WHEN joint THEN {JOINT_EXTENSION} ELSE {EXTENSION} END)::int AS days,
    CASE
        WHEN unclear > 0 THEN 'extension_length_unknown'
        WHEN units > 1 THEN 'extension_units_differ'
        WHEN days > 3660 THEN 'extension_too_long'
    END AS why,
    array_remove(ARRAY[
        CASE WHEN unapproved > 0 THEN 'extension_without_approver' END,
        CASE WHEN undated > 0 THEN 'extension_without_start' END,
        CASE WHEN unit = 'working_day' AND days > CASE WHEN joint THEN {JOINT_EXTENSION} ELSE {EXTENSION} END
            THEN 'extension_over_maximum' END], NULL) AS notes
FROM (
    SELECT s.case_id,
        count(*) FILTER (WHERE approver_hash IS NULL) AS unapproved,
        count(*) FILTER (WHERE started_at IS NULL AND approver_hash IS NOT NULL) AS undated,
        count(*) FILTER (WHERE counts AND coalesce(allowed_value, 0) <= 0) AS unclear,
        min(started_at) FILTER (WHERE counts) AS first_at,
        min(coalesce(allowed_unit, 'working_day')) FILTER (WHERE counts) AS unit,
        count(DISTINCT coalesce(allowed_unit, 'working_day')) FILTER (WHERE counts) AS units,
        sum(allowed_value) FILTER (WHERE counts) AS days,
        EXISTS (SELECT FROM core.case_link AS l WHERE l.case_id = s.case_id AND l.link_kind = 'parallel') AS joint
    FROM core.suspension AS s JOIN clock_scope USING (case_id)
    CROSS JOIN LATERAL (SELECT approver_hash IS NOT NULL AND started_at IS NOT NULL AS counts) AS c
    WHERE suspension_kind = 'extension'
    GROUP BY s.case_id
) AS e
"""

STATEMENTS: Final = (
    PAIRED, OF_CASE, UNITED, UNITED_HOURS, EXTENSIONS, "CREATE INDEX ON clock_pause (case_id)",
    "CREATE INDEX ON clock_pause_hour (case_id)",
    "ANALYZE clock_pause", "ANALYZE clock_stop", "ANALYZE clock_extension",
)  # fmt: skip
