-- Ties between cases. A tie is known where the other case stands in the same system.
SELECT
    coalesce(c.handling_organ, ss.organ, '') AS organ,
    b.stream_id,
    t.link_kind,
    btrim(t.other_number) = ANY(:nothing) AS number_says_nothing,
    t.other_number = c.case_number AS names_itself,
    EXISTS (SELECT FROM core.approval_case AS k
            WHERE k.source_system_id = c.source_system_id AND k.case_number = t.other_number)
    OR EXISTS (SELECT FROM core.case_identifier AS k WHERE k.number = t.other_number) AS other_known,
    hash_record_extended(ROW(t.case_id, t.link_kind, t.other_number), 0) AS same_link
FROM core.case_link AS t
JOIN ledger.batch AS b ON b.batch_id = t.batch_id
JOIN core.source_system AS ss ON ss.source_system_id = b.source_system_id
JOIN core.approval_case AS c ON c.record_id = t.case_id
WHERE b.stream_id = ANY(:streams) AND (CAST(:batch AS bigint) IS NULL OR t.batch_id = :batch)
