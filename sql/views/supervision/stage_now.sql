-- The clock of each round of a stage as it stands now; what the columns mean stands in clock_now.sql. A round without a
-- limit has days used and none left.
SELECT
    c.case_id, c.stage, c.round, c.organ, c.why, c.started_at, c.finished_at, c.limit_value, c.limit_unit, c.limit_days,
    c.paused_since, n.due_at,
    coalesce(c.used_days, n.used) AS used_days,
    c.verdict, c.calendar,
    CASE WHEN c.finished_at IS NULL THEN n.due_ordinal - p.ordinal END AS left_days,
    CASE WHEN c.finished_at IS NULL THEN round(extract(EPOCH FROM n.due_at - p.at) / 3600, 1) END AS left_hours,
    CASE WHEN c.finished_at IS NOT NULL THEN coalesce(c.verdict = 'late', FALSE)
        ELSE coalesce(p.at >= n.due_at + INTERVAL '1 second', FALSE) END AS overdue,
    CASE WHEN c.due_at IS NOT NULL
        THEN round(100.0 * coalesce(c.used_days, n.used) / greatest(c.limit_days, 1), 1) END AS used_percent
FROM supervision.clock_stage AS c
LEFT JOIN supervision.calendar_today AS p ON p.calendar = c.calendar
CROSS JOIN LATERAL supervision.standing(
    c.calendar, c.finished_at IS NOT NULL, c.due_at, c.due_ordinal, c.paused_ordinal, c.started_ordinal, c.paused_days,
    c.limit_unit, c.paused_since, c.stop_end, NULL, NULL, p.today, p.ordinal, p.at) AS n
