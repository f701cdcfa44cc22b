-- Results handed over (领取).
SELECT
    coalesce(c.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.way,
    t.way IS NOT NULL AS has_way,
    t.delivered_at IS NOT NULL AS has_delivered,
    t.receiver_hash IS NOT NULL AS has_receiver,
    t.receiver_hash AS receiver,
    t.delivered_at > :as_of AS in_future,
    t.delivered_at < c.applied_at AND c.applied_at_precision = t.delivered_at_precision AS before_application,
    CASE WHEN t.delivered_at_precision <> 'd' THEN floor(date_part('epoch', t.delivered_at) / 60)::bigint END AS delivered_minute,
    hash_record_extended(ROW(t.case_id, t.way, t.delivered_at), 0) AS same_delivery
FROM core.delivery AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
JOIN core.approval_case AS c ON c.record_id = t.case_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
