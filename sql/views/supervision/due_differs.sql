-- Cases whose department declares another due day than the clock computes: both said to the day. A case whose clock
-- cannot be computed, or has not started, differs from nothing; one that is paused now is compared as the clock stands.
-- A day that was right when it was said, before the case was suspended or extended, is no difference either.
SELECT
    c.case_id, c.organ, c.region, c.item_code, c.started_at, c.due_at, c.declared_due_at,
    d.declared - d.due AS days_off
FROM supervision.clock_now AS c
JOIN supervision.clock AS k USING (case_id)
CROSS JOIN LATERAL (
    SELECT
        (c.due_at AT TIME ZONE 'Asia/Shanghai')::date AS due,
        (c.declared_due_at AT TIME ZONE 'Asia/Shanghai')::date AS declared,
        (c.started_at AT TIME ZONE 'Asia/Shanghai')::date AS started,
        coalesce(c.promised_value, c.legal_value) AS value,
        CASE WHEN c.promised_value IS NULL THEN c.legal_unit ELSE c.promised_unit END AS unit
) AS d
WHERE c.runs AND c.due_at IS NOT NULL AND c.declared_due_at IS NOT NULL AND d.declared <> d.due
  AND NOT ((c.paused_days > 0 OR c.paused_since IS NOT NULL OR c.extended_days > 0) AND d.declared = CASE d.unit
      WHEN 'hour' THEN ((c.started_at + make_interval(hours => d.value)) AT TIME ZONE 'Asia/Shanghai')::date
      WHEN 'working_day' THEN (
          SELECT s.day FROM supervision.day AS s
          WHERE s.calendar = c.calendar AND s.works AND s.ordinal = k.started_ordinal + d.value)
      ELSE (
          SELECT s.day FROM supervision.day AS s
          WHERE s.calendar = c.calendar AND s.works AND s.day >= CASE d.unit
              WHEN 'month' THEN (d.started + make_interval(months => d.value))::date
              WHEN 'year' THEN (d.started + make_interval(years => d.value))::date
              ELSE d.started + d.value END
          ORDER BY s.day LIMIT 1) END)
