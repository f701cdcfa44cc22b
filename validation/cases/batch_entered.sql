-- 办结后批量补录: all stages reported within one minute, more than a day after the last thing that happened.
SELECT case_id, 'stage_event.reported_at' AS field
FROM case_facts
WHERE closed_at IS NOT NULL AND events >= 3 AND events_reported = events
  AND date_trunc('minute', first_reported_at) = date_trunc('minute', last_reported_at)
  AND first_reported_at > last_event_at + INTERVAL '24 hours'
