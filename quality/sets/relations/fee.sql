-- Fees that were paid.
SELECT
    coalesce(c.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.currency,
    t.amount IS NOT NULL AS has_amount,
    t.basis IS NOT NULL AS has_basis,
    t.paid_at IS NOT NULL AS has_paid,
    t.amount::float8 AS amount,
    btrim(t.basis) = ANY(:nothing) AS basis_says_nothing,
    t.paid_at > :as_of AS in_future,
    CASE WHEN t.paid_at_precision <> 'd' THEN floor(date_part('epoch', t.paid_at) / 60)::bigint END AS paid_minute,
    hash_record_extended(ROW(t.case_id, t.amount, t.paid_at), 0) AS same_payment
FROM core.fee AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
JOIN core.approval_case AS c ON c.record_id = t.case_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
