-- The register of regions (行政区划). The organ of the source answers for it.
SELECT
    coalesce(ss.organ, '') AS organ,
    b.stream_id,
    t.level IS NOT NULL AS has_level,
    t.code ~ '^[0-9]{6}([0-9]{3}){0,2}$' AS code_formed,
    btrim(t.name) = ANY(:nothing) AS name_says_nothing,
    length(t.name) AS name_length,
    hash_record_extended(ROW(t.code, t.valid_from), 0) AS same_line,
    t.cancelled_on < t.valid_from AS ends_early,
    CASE WHEN t.parent IS NOT NULL THEN t.parent IN (SELECT code FROM core.region) END AS parent_known,
    CASE WHEN t.successor IS NOT NULL THEN t.successor IN (SELECT code FROM core.region) END AS successor_known
FROM core.region AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
