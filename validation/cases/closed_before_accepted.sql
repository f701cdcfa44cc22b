-- 办结早于受理.
SELECT case_id, 'acceptance.accepted_at' AS field
FROM case_facts
WHERE quality.before(closed_at, closed_precision, accepted_at, accepted_precision, %(zone)s)
