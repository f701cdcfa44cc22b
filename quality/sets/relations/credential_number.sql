-- Other numbers of certificates. The organ is that of the certificate in the same record.
SELECT
    coalesce(k.issuer, ss.organ, '') AS organ,
    b.stream_id,
    t.scheme IS NOT NULL AS has_scheme,
    btrim(t.number) = ANY(:nothing) AS number_says_nothing,
    length(t.number) AS number_length,
    hash_record_extended(ROW(t.record_id, t.scheme, t.number), 0) AS same_number
FROM core.credential_number AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
LEFT JOIN LATERAL (SELECT issuer, status FROM core.credential AS c WHERE c.record_id = t.record_id LIMIT 1) AS k ON TRUE
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
