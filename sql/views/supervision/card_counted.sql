-- The cards as the appraisal counts them, by the province's month in which they were raised: one counts once it was sent
-- and as long as it is not taken down. Held and lapsed cards were never anybody's; the appraisal lists them all the same.
SELECT
    c.card_id, c.number, c.case_id, c.organ, c.region, c.item_code, c.stage, c.round, c.clock, c.level, c.kind, c.rule,
    c.rule_version, c.state, c.raised_at, c.sent_at, c.due_at, c.ended_at, c.contradicted_at,
    to_char(c.raised_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month,
    c.state IN ('sent', 'answered', 'appealed', 'upheld') AS counted,
    c.state = 'sent' AND c.due_at < supervision.instant() AS unanswered,
    (SELECT count(*) FROM supervision.card_order AS o WHERE o.card_id = c.card_id) AS orders,
    (SELECT count(*) FROM supervision.card_order AS o
     WHERE o.card_id = c.card_id AND (o.answered_at > o.due_at
        OR (o.state = 'open' AND o.due_at < supervision.instant()))) AS orders_late
FROM supervision.card AS c
