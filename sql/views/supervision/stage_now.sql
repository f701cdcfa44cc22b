-- The clock of each round of a stage as it stands now; what the columns mean stands in clock_now.sql. A round without a
-- limit has days used and none left.
SELECT
    c.case_id, c.stage, c.round, c.organ, c.why, c.started_at, c.finished_at, c.limit_value, c.limit_unit, c.limit_days,
    c.paused_since, n.due_at,
    coalesce(c.used_days, n.used) AS used_days,
    c.verdict, c.calendar,
    CASE WHEN c.finished_at IS NULL THEN c.due_ordinal - coalesce(c.paused_ordinal, p.ordinal) END AS left_days,
    CASE WHEN c.finished_at IS NULL THEN round(extract(EPOCH FROM n.due_at - p.at) / 3600, 1) END AS left_hours,
    CASE WHEN c.finished_at IS NOT NULL THEN coalesce(c.verdict = 'late', FALSE)
        ELSE coalesce(p.at >= n.due_at + INTERVAL '1 second', FALSE) END AS overdue,
    CASE WHEN c.due_at IS NOT NULL
        THEN round(100.0 * coalesce(c.used_days, n.used) / greatest(c.limit_days, 1), 1) END AS used_percent
FROM supervision.clock_stage AS c
LEFT JOIN (
    SELECT d.calendar, d.ordinal, d.day AS today, supervision.instant() AS at FROM supervision.day AS d
    WHERE d.day = (SELECT (supervision.instant() AT TIME ZONE 'Asia/Shanghai')::date)
) AS p ON p.calendar = c.calendar
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN c.paused_since IS NULL OR c.finished_at IS NOT NULL THEN c.due_at
            WHEN c.limit_unit = 'hour' THEN c.due_at + (p.at - c.paused_since)
            WHEN c.limit_unit = 'working_day' THEN (
                SELECT (s.day + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai' FROM supervision.day AS s
                WHERE s.calendar = c.calendar AND s.works
                  AND s.ordinal = c.due_ordinal + greatest(p.ordinal - c.paused_ordinal, 0))
            ELSE (
                SELECT (s.day + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai' FROM supervision.day AS s
                WHERE s.calendar = c.calendar AND s.works
                  AND s.day >= (c.due_at AT TIME ZONE 'Asia/Shanghai')::date
                      + greatest(p.today - (c.paused_since AT TIME ZONE 'Asia/Shanghai')::date, 0)
                ORDER BY s.day LIMIT 1)
        END AS due_at,
        greatest(coalesce(c.paused_ordinal, p.ordinal) - c.started_ordinal - c.paused_days, 0) AS used
) AS n
