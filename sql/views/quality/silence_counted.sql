-- Each step that silence has climbed, as the appraisal counts them: by the organ that did not answer and the province's
-- month. Issues whose owner is the hub itself (engineer, steward) are no organ's silence.
SELECT
    e.event_id, i.code, i.organ, i.stream_id, i.rule, i.field, i.severity, e.at,
    to_char(e.at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
    (e.detail ->> 'level')::int AS level, e.detail ->> 'role' AS role, e.detail ->> 'to' AS told,
    i.owner = 'department' AND i.organ <> '' AS counted
FROM quality.issue_event AS e JOIN quality.issue AS i USING (issue_id)
WHERE e.what = 'escalated'
