-- Cases whose department declares another due day than the clock computes: both said to the day. A case whose clock
-- cannot be computed, or has not started, differs from nothing; one that is paused now is compared as the clock stands.
SELECT
    c.case_id, c.organ, c.region, c.item_code, c.due_at, c.declared_due_at,
    (c.declared_due_at AT TIME ZONE 'Asia/Shanghai')::date - (c.due_at AT TIME ZONE 'Asia/Shanghai')::date AS days_off
FROM supervision.clock_now AS c
WHERE c.runs AND c.due_at IS NOT NULL AND c.declared_due_at IS NOT NULL
  AND (c.declared_due_at AT TIME ZONE 'Asia/Shanghai')::date <> (c.due_at AT TIME ZONE 'Asia/Shanghai')::date
