-- Special procedures (特别程序).
SELECT
    coalesce(c.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.suspension_kind,
    t.suspension_kind IS NOT NULL AS has_kind,
    t.name IS NOT NULL AS has_name,
    t.reason IS NOT NULL AS has_reason,
    t.approver_hash IS NOT NULL AS has_approver,
    t.allowed_value IS NOT NULL AS has_allowed,
    btrim(t.reason) = ANY(:nothing) AS reason_says_nothing,
    btrim(t.result) = ANY(:nothing) AS result_says_nothing,
    t.started_at > :as_of OR t.ended_at > :as_of AS in_future,
    t.ended_at < t.started_at AS ends_early,
    t.allowed_value,
    t.ended_at > t.started_at + INTERVAL '730 days' AS took_years,
    CASE WHEN t.started_at_precision <> 'd' THEN floor(date_part('epoch', t.started_at) / 60)::bigint END AS start_minute,
    hash_record_extended(ROW(t.case_id, t.suspension_kind, t.started_at, t.ended_at), 0) AS same_pause
FROM core.suspension AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
JOIN core.approval_case AS c ON c.record_id = t.case_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
