-- Decisions, with the case that they name and the document that they gave. The organ is that of a case in the same
-- record, else the one that the decision names, else that of the source.
SELECT
    coalesce(own.handling_organ, t.organ, ss.organ, '') AS organ,
    b.stream_id,
    t.decision_kind,
    t.outcome,
    t.organ IS NOT NULL AS has_organ,
    t.decided_at IS NOT NULL AS has_decided,
    t.content IS NOT NULL AS has_content,
    t.handler_hash IS NOT NULL AS has_handler,
    CASE WHEN t.outcome = 'granted' THEN t.document_number IS NOT NULL END AS has_document_number,
    CASE WHEN t.outcome = 'refused' THEN coalesce(t.reason, '') <> '' END AS has_reason,
    btrim(t.reason) = ANY(:nothing) AS reason_says_nothing,
    btrim(t.content) = ANY(:nothing) AS content_says_nothing,
    btrim(t.document_number) = ANY(:nothing) AS number_says_nothing,
    t.outcome = 'granted' AS is_granted,
    t.outcome = 'refused' AS is_refused,
    t.decided_at > :as_of AS in_future,
    CASE WHEN t.case_number IS NOT NULL
              AND t.source_system_id IN (SELECT source_system_id FROM core.approval_case) THEN
        EXISTS (SELECT FROM core.approval_case AS c
                WHERE c.source_system_id = t.source_system_id AND c.case_number = t.case_number) END AS case_known,
    CASE WHEN t.outcome = 'granted' AND t.closing AND t.expects_document THEN
        t.document_number IS NOT NULL OR EXISTS (
            SELECT FROM core.credential AS k
            WHERE k.source_system_id = t.source_system_id AND k.case_number = t.case_number) END AS has_credential,
    t.document_number,
    CASE WHEN length(t.content) > 4 THEN t.content END AS content,
    CASE WHEN t.outcome = 'refused' THEN t.reason END AS refusal,
    date_part('isodow', t.decided_at AT TIME ZONE :zone) > 5 AS on_weekend,
    CASE WHEN t.decided_at_precision <> 'd' THEN floor(date_part('epoch', t.decided_at) / 60)::bigint END AS decided_minute,
    t.reported_at > t.decided_at + INTERVAL '11 days' AS told_late,
    (date_part('epoch', :as_of - t.decided_at) / 86400) AS age_days
FROM core.decision AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
LEFT JOIN core.approval_case AS own ON own.record_id = t.record_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
