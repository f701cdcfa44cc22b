-- What was read from each stream and what became of it, over all its pulls; releases and replays are no reading.
-- `absent` are records that were closed because a whole snapshot no longer held them.
SELECT
    ss.code AS source,
    s.name AS stream,
    s.stream_id,
    count(b.batch_id) AS batches,
    coalesce(sum(b.read), 0) AS read,
    coalesce(sum(b.new), 0) AS new,
    coalesce(sum(b.updated), 0) AS updated,
    coalesce(sum(b.unchanged), 0) AS unchanged,
    coalesce(sum(b.stale), 0) AS stale,
    coalesce(sum(b.deleted), 0) AS deleted,
    coalesce(sum(b.excluded), 0) AS excluded,
    coalesce(sum(b.quarantined), 0) AS quarantined,
    coalesce(sum(b.parked), 0) AS parked,
    s.complete_through,
    s.complete_basis,
    s.last_success_at,
    (SELECT coalesce(sum(a.deleted), 0) FROM ledger.batch AS a
     WHERE a.stream_id = s.stream_id AND a.kind = 'absence') AS absent
FROM ledger.stream AS s
JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
LEFT JOIN ledger.batch AS b ON b.stream_id = s.stream_id AND b.kind = 'pull'
GROUP BY ss.code, s.name, s.stream_id, s.complete_through, s.complete_basis, s.last_success_at
