-- What became of certificates, and since when. The organ is that of the certificate in the same record.
SELECT
    coalesce(k.issuer, ss.organ, '') AS organ,
    b.stream_id,
    t.status,
    t.since IS NOT NULL AS has_since,
    t.since > :as_of AS in_future,
    t.status IN ('revoked', 'cancelled', 'void') AS is_taken_away,
    CASE WHEN t.since_precision <> 'd' THEN floor(date_part('epoch', t.since) / 60)::bigint END AS since_minute,
    hash_record_extended(ROW(t.record_id, t.status, t.since), 0) AS same_status
FROM core.credential_status AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
LEFT JOIN LATERAL (SELECT issuer, status FROM core.credential AS c WHERE c.record_id = t.record_id LIMIT 1) AS k ON TRUE
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
