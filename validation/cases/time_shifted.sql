-- 受理时间疑似人为调整: accepted one or two seconds after the application, which is how a check for equal times is passed.
SELECT case_id, 'acceptance.accepted_at' AS field
FROM case_facts
WHERE accepted_precision = 's' AND applied_precision = 's'
  AND accepted_at - applied_at IN (INTERVAL '1 second', INTERVAL '2 seconds')
