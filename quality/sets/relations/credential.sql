-- Certificates, licences, approval documents. The organ is that of a case or decision in the same record, else the issuer.
SELECT
    coalesce(own.handling_organ, d.organ, t.issuer, ss.organ, '') AS organ,
    b.stream_id,
    t.status,
    t.holder_kind,
    t.issuer IS NOT NULL AS has_issuer,
    t.identifier IS NOT NULL AS has_identifier,
    t.holder_name_hash IS NOT NULL AS has_holder,
    t.holder_number_hash IS NOT NULL AS has_holder_number,
    t.valid_from IS NOT NULL AS has_valid_from,
    t.issued_at IS NOT NULL AS has_issued,
    t.document_number IS NOT NULL AS has_document_number,
    t.status IS NOT NULL AS has_status,
    btrim(t.number) = ANY(:nothing) AS number_says_nothing,
    t.issued_at > :as_of AS in_future,
    CASE WHEN t.case_number IS NOT NULL
              AND t.source_system_id IN (SELECT source_system_id FROM core.approval_case) THEN
        EXISTS (SELECT FROM core.approval_case AS c
                WHERE c.source_system_id = t.source_system_id AND c.case_number = t.case_number) END AS case_known,
    CASE WHEN t.document_number IS NOT NULL
              AND t.source_system_id IN (SELECT source_system_id FROM core.decision) THEN
        EXISTS (SELECT FROM core.decision AS k WHERE k.document_number = t.document_number) END AS decision_known,
    hash_record_extended(ROW(t.issuer, t.credential_type, t.number, t.version), 0) AS certificate,
    t.identifier,
    t.holder_number_hash AS holder_number,
    t.valid_to < t.valid_from AS ends_early,
    t.valid_to > t.valid_from + 36600 AS valid_for_ages,
    t.status IN ('revoked', 'cancelled', 'void') AS is_taken_away,
    t.status = 'valid' AND t.valid_to < (:as_of AT TIME ZONE :zone)::date AS valid_and_over,
    CASE WHEN t.issued_at_precision <> 'd' THEN floor(date_part('epoch', t.issued_at) / 60)::bigint END AS issued_minute,
    t.reported_at > t.issued_at + INTERVAL '11 days' AS told_late,
    (date_part('epoch', :as_of - t.issued_at) / 86400) AS age_days
FROM core.credential AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
LEFT JOIN core.approval_case AS own ON own.record_id = t.record_id
LEFT JOIN LATERAL (SELECT organ FROM core.decision WHERE record_id = t.record_id AND organ IS NOT NULL LIMIT 1) AS d
    ON TRUE
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
