-- Requests to supplement an application (补正).
SELECT
    coalesce(c.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.told_at IS NOT NULL AS has_told,
    t.materials IS NOT NULL AS has_materials,
    t.reason IS NOT NULL AS has_reason,
    t.handler_hash IS NOT NULL AS has_handler,
    btrim(t.materials) = ANY(:nothing) AS materials_say_nothing,
    btrim(t.reason) = ANY(:nothing) AS reason_says_nothing,
    t.told_at > :as_of OR t.received_at > :as_of AS in_future,
    t.received_at < t.told_at AS ends_early,
    CASE WHEN t.told_at_precision <> 'd' THEN floor(date_part('epoch', t.told_at) / 60)::bigint END AS told_minute,
    t.received_at > t.told_at + INTERVAL '366 days' AS took_a_year,
    hash_record_extended(ROW(t.case_id, t.told_at, t.received_at, t.materials), 0) AS same_request
FROM core.supplement AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
JOIN core.approval_case AS c ON c.record_id = t.case_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
