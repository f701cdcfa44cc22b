-- Items as organs carry them out (实施清单). The organ is the one that carries the item out.
SELECT
    coalesce(t.organ, ss.organ, '') AS organ,
    b.stream_id,
    t.status,
    t.item_kind,
    t.legal_unit,
    t.promised_unit,
    hash_record_extended(ROW(t.implementation_code, t.version), 0) AS same_version,
    t.name IS NOT NULL AS has_name,
    t.organ IS NOT NULL AS has_organ,
    t.effective_from IS NOT NULL AS has_effective,
    t.legal_value IS NOT NULL AS has_legal_limit,
    t.promised_value IS NOT NULL AS has_promise,
    t.item_kind IS NOT NULL AS has_kind,
    btrim(t.name) = ANY(:nothing) AS name_says_nothing,
    t.legal_value,
    t.promised_value,
    CASE WHEN t.legal_unit = t.promised_unit THEN t.promised_value > t.legal_value END AS promise_beyond_law,
    t.cancelled_on < t.effective_from AS ends_early,
    t.organ ~ '^[0-9A-HJ-NPQRTUWXY]{18}$' AS organ_formed,
    CASE WHEN t.base_code IS NOT NULL AND EXISTS (SELECT FROM core.item) THEN
        t.base_code IN (SELECT base_code FROM core.item) END AS item_known,
    CASE WHEN t.organ IS NOT NULL AND EXISTS (SELECT FROM core.organ) THEN
        t.organ IN (SELECT code FROM core.organ UNION ALL SELECT credit_code FROM core.organ
                    WHERE credit_code IS NOT NULL) END AS organ_known
FROM core.item_version AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
