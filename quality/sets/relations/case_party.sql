-- The people of cases: applicant, agent, contact, legal person.
SELECT
    coalesce(c.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.role,
    t.party_kind,
    t.number_kind,
    CASE WHEN t.role = 'applicant' THEN t.party_kind IS NOT NULL END AS has_kind,
    CASE WHEN t.role = 'applicant' THEN t.name_hash IS NOT NULL END AS has_name,
    CASE WHEN t.role = 'applicant' THEN t.number_hash IS NOT NULL END AS has_number,
    CASE WHEN t.role = 'applicant' THEN t.phone_mask IS NOT NULL END AS has_phone,
    CASE WHEN t.role = 'applicant' THEN t.number_hash END AS applicant_number,
    t.party_kind = 'natural' AS is_natural,
    t.party_kind = 'natural' AND t.number_kind = 'credit_code' AS kind_and_number_differ,
    hash_record_extended(ROW(t.case_id, t.role, t.name_hash, t.number_hash), 0) AS same_party
FROM core.case_party AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
JOIN core.approval_case AS c ON c.record_id = t.case_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
