-- The catalogue of items (事项). Registers are the keeper's: the organ of the source answers for them.
SELECT
    coalesce(ss.organ, '') AS organ,
    b.stream_id,
    EXISTS (SELECT FROM core.item AS k WHERE k.base_code = t.base_code AND k.name <> t.name) AS named_otherwise,
    t.name,
    t.item_type IS NOT NULL AS has_type,
    btrim(t.name) = ANY(:nothing) AS name_says_nothing,
    length(t.name) AS name_length,
    t.base_code ~ '^[0-9A-Z]{12}$' AS code_formed
FROM core.item AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
