-- 应办结时间早于受理时间.
SELECT case_id, 'acceptance.due_at' AS field
FROM case_facts
WHERE quality.before(due_at, due_precision, accepted_at, accepted_precision, %(zone)s)
