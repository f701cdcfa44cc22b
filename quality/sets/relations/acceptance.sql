-- Answers to applications (受理).
SELECT
    coalesce(c.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.outcome,
    t.promise_unit,
    CASE WHEN t.outcome = 'accepted' THEN t.accepted_at IS NOT NULL END AS has_accepted,
    CASE WHEN t.outcome = 'accepted' THEN t.due_at IS NOT NULL END AS has_due,
    CASE WHEN t.outcome = 'not_accepted' THEN coalesce(t.reason, '') <> '' END AS has_reason,
    t.document_number IS NOT NULL AS has_document_number,
    t.handler_hash IS NOT NULL AS has_handler,
    t.promise_value IS NOT NULL AS has_promise,
    btrim(t.reason) = ANY(:nothing) AS reason_says_nothing,
    btrim(t.document_number) = ANY(:nothing) AS number_says_nothing,
    t.outcome = 'not_accepted' AS is_refused,
    t.accepted_at > :as_of AS in_future,
    t.due_at < t.accepted_at AND t.accepted_at_precision = t.due_at_precision AS due_before_acceptance,
    t.promise_value,
    t.document_number,
    t.handler_hash AS handler,
    date_part('isodow', t.accepted_at AT TIME ZONE :zone) > 5 AS on_weekend,
    CASE WHEN t.accepted_at_precision <> 'd' THEN floor(date_part('epoch', t.accepted_at) / 60)::bigint END AS accepted_minute,
    t.reported_at > t.accepted_at + INTERVAL '7 days' AS told_late,
    (date_part('epoch', :as_of - t.accepted_at) / 86400) AS age_days
FROM core.acceptance AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
JOIN core.approval_case AS c ON c.record_id = t.case_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
