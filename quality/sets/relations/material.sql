-- Documents handed in.
SELECT
    coalesce(c.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.name IS NOT NULL AS has_name,
    t.code IS NOT NULL AS has_code,
    t.obtained IS NOT NULL AS has_obtained,
    btrim(t.name) = ANY(:nothing) AS name_says_nothing,
    t.copies,
    t.taken_at > :as_of AS in_future,
    CASE WHEN t.code IS NOT NULL OR t.name IS NOT NULL THEN hash_record_extended(ROW(t.case_id, t.code, t.name), 0) END AS same_material,
    c.applied_at > t.taken_at + INTERVAL '365 days' AS long_before_application
FROM core.material AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
JOIN core.approval_case AS c ON c.record_id = t.case_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
