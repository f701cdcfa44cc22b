-- Open findings grouped as a steward reads them: one row for each fault of a stream, with its count.
SELECT
    ss.code AS source,
    s.name AS stream,
    f.rule,
    f.effect,
    f.field,
    CASE WHEN f.rule IN ('unknown_code', 'unknown_field', 'missing_field') THEN f.shown END AS value,
    count(*) AS findings,
    min(f.batch_id) AS first_batch_id,
    max(f.batch_id) AS last_batch_id
FROM quality.finding AS f
JOIN ledger.stream AS s ON s.stream_id = f.stream_id
JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
WHERE f.state = 'open'
GROUP BY 1, 2, 3, 4, 5, 6
