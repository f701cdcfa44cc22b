-- Open findings grouped as a steward reads them: one row for each fault of a stream, with its counts and its first day.
-- A change of a stream's shape is one finding; `records` tells how many records showed it.
SELECT
    ss.code AS source,
    s.name AS stream,
    f.rule,
    f.effect,
    f.field,
    CASE WHEN f.rule = 'unknown_code' THEN f.shown WHEN f.seen IS NOT NULL THEN f.detail ->> 'types' END AS value,
    count(*) AS findings,
    sum(coalesce(f.seen, 1))::bigint AS records,
    min(f.batch_id) AS first_batch_id,
    max(coalesce(f.last_batch_id, f.batch_id)) AS last_batch_id,
    min(b.read_at) AS since
FROM quality.finding AS f
JOIN ledger.stream AS s ON s.stream_id = f.stream_id
JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
LEFT JOIN ledger.batch AS b ON b.batch_id = f.batch_id
WHERE f.state = 'open'
GROUP BY 1, 2, 3, 4, 5, 6
