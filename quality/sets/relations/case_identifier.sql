-- Other numbers of cases.
SELECT
    coalesce(c.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.scheme,
    btrim(t.number) = ANY(:nothing) AS number_says_nothing,
    length(t.number) AS number_length,
    t.number = c.case_number AS is_case_number,
    CASE WHEN t.scheme <> 'project' THEN hash_record_extended(ROW(t.scheme, t.number), 0) END AS identifier,
    hash_record_extended(ROW(t.case_id, t.scheme), 0) AS same_scheme
FROM core.case_identifier AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
JOIN core.approval_case AS c ON c.record_id = t.case_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
