-- 未经审核即批准: only where the source's process has a review; 即办件 need none.
SELECT case_id, 'stage_event.stage' AS field
FROM case_facts
WHERE %(five_stages)s AND approve_first IS NOT NULL AND review_first IS NULL AND case_kind IS DISTINCT FROM 'immediate'
