-- The clock of each case as it stands now (`hub.now`, else the present moment): an open pause is counted to now, as if it
-- ended now; it moves the end of the limit or of the extension in which it began, each by its own unit. Days
-- left are working days, 0 on the last one, negative after it; an hour is an hour of the wall clock. `runs` says whether
-- there is a clock: an application without notice has one only when it counts as accepted (行政许可法 art. 32).
SELECT
    c.case_id, c.organ, c.region, c.item_code, c.version_id, c.kind, c.state, c.why, c.notes, c.basis, c.deemed,
    c.applied_at, c.accepted_at, c.notice_due_at, c.notice_verdict, c.started_at, c.promised_value, c.promised_unit,
    c.legal_value, c.legal_unit,
    c.paused_days + CASE WHEN c.closed_at IS NULL THEN greatest(coalesce(p.ordinal - c.paused_ordinal, 0), 0) ELSE 0 END
        AS paused_days,
    c.paused_since, c.extended_days, c.limit_days,
    n.due_at,
    CASE
        WHEN c.closed_at IS NOT NULL OR c.promised_value IS NOT NULL AND c.legal_stop_end IS NULL THEN c.legal_due_at
        WHEN c.promised_value IS NULL THEN n.due_at
        WHEN c.legal_then_value IS NULL THEN supervision.moved(c.calendar, c.legal_stop_unit, c.legal_stop_from,
            c.legal_stop_end, p.today, p.ordinal, p.at)
        ELSE supervision.after(c.calendar, supervision.moved(c.calendar, c.legal_stop_unit, c.legal_stop_from,
            c.legal_stop_end, p.today, p.ordinal, p.at), c.legal_then_value, c.legal_then_unit)
    END AS legal_due_at,
    c.provisional, c.declared_due_at, c.declared_verdict, c.waiting_since, c.closed_at,
    CASE WHEN c.closed_at IS NOT NULL THEN c.used_days WHEN n.runs THEN n.used END AS used_days,
    c.verdict, c.legal_verdict, c.delivery_due_at, c.delivered_at, c.delivery_verdict, c.calendar, c.computed_at,
    n.runs,
    CASE WHEN n.runs AND c.closed_at IS NULL THEN n.due_ordinal - p.ordinal END AS left_days,
    CASE WHEN n.runs AND c.closed_at IS NULL
        THEN round(extract(EPOCH FROM n.due_at - p.at) / 3600, 1) END AS left_hours,
    CASE WHEN c.closed_at IS NOT NULL THEN coalesce(c.verdict = 'late', FALSE)
        ELSE coalesce(n.runs AND p.at >= n.due_at + INTERVAL '1 second', FALSE) END AS overdue,
    CASE WHEN n.runs THEN round(100.0 * coalesce(c.used_days, n.used) / greatest(c.limit_days, 1), 1) END AS used_percent
FROM supervision.clock AS c
LEFT JOIN supervision.calendar_today AS p ON p.calendar = c.calendar
CROSS JOIN LATERAL (
    SELECT t.due_at, t.due_ordinal, t.used, c.due_at IS NOT NULL AND (
        c.closed_at IS NOT NULL OR c.state IN ('running', 'paused', 'waiting_applicant')
        OR (c.state = 'applied' AND (NOT c.deemed OR p.at >= c.notice_due_at + INTERVAL '1 second'))) AS runs
    FROM supervision.standing(
        c.calendar, c.closed_at IS NOT NULL, c.due_at, c.due_ordinal, c.paused_ordinal, c.started_ordinal, c.paused_days,
        c.stop_unit, c.stop_from, c.stop_end, c.then_value, c.then_unit, p.today, p.ordinal, p.at) AS t
) AS n
