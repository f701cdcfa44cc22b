-- 受理早于申请.
SELECT case_id, 'approval_case.applied_at' AS field
FROM case_facts
WHERE quality.before(accepted_at, accepted_precision, applied_at, applied_precision, %(zone)s)
