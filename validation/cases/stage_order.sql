-- 环节顺序: a later stage began before an earlier one that is present (受理 < 承办 < 审核 < 批准 < 办结).
SELECT case_id, 'stage_event.started_at' AS field
FROM case_facts
WHERE quality.before(undertake_first, stage_precision, accept_first, stage_precision, %(zone)s)
   OR quality.before(review_first, stage_precision, greatest(undertake_first, accept_first), stage_precision, %(zone)s)
   OR quality.before(approve_first, stage_precision, greatest(review_first, undertake_first, accept_first), stage_precision, %(zone)s)
   OR quality.before(complete_first, stage_precision, greatest(approve_first, review_first, undertake_first, accept_first), stage_precision, %(zone)s)
