-- The organ that answers for a record: the one that its row or its case names, else the organ of its source. A record
-- that waits has no row: its case says whose it is, or the organ that it names itself (ledger.waiting).
-- Empty where neither says one: nobody is guessed.
SELECT
    r.record_id,
    r.stream_id,
    s.source_system_id,
    coalesce(said.organ, waits.organ, ss.organ, '') AS organ
FROM ledger.source_record AS r
JOIN ledger.stream AS s ON s.stream_id = r.stream_id
JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
LEFT JOIN LATERAL (
    SELECT found.organ
    FROM (
        SELECT c.handling_organ AS organ FROM core.approval_case AS c WHERE c.record_id = r.record_id
        UNION ALL SELECT d.organ FROM core.decision AS d WHERE d.record_id = r.record_id
        UNION ALL SELECT k.issuer FROM core.credential AS k WHERE k.record_id = r.record_id
        UNION ALL SELECT v.organ FROM core.item_version AS v WHERE v.record_id = r.record_id
        UNION ALL
        SELECT c.handling_organ FROM (
            SELECT case_id FROM core.acceptance WHERE record_id = r.record_id
            UNION ALL SELECT case_id FROM core.stage_event WHERE record_id = r.record_id
            UNION ALL SELECT case_id FROM core.suspension WHERE record_id = r.record_id
            UNION ALL SELECT case_id FROM core.supplement WHERE record_id = r.record_id
            UNION ALL SELECT case_id FROM core.material WHERE record_id = r.record_id
            UNION ALL SELECT case_id FROM core.fee WHERE record_id = r.record_id
            UNION ALL SELECT case_id FROM core.delivery WHERE record_id = r.record_id
            UNION ALL SELECT case_id FROM core.case_party WHERE record_id = r.record_id
            UNION ALL SELECT case_id FROM core.case_link WHERE record_id = r.record_id
            UNION ALL SELECT case_id FROM core.case_identifier WHERE record_id = r.record_id
        ) AS child JOIN core.approval_case AS c ON c.record_id = child.case_id
    ) AS found
    WHERE found.organ IS NOT NULL
    LIMIT 1
) AS said ON TRUE
LEFT JOIN LATERAL (
    SELECT coalesce(c.handling_organ, w.organ) AS organ
    FROM ledger.waiting AS w
    LEFT JOIN core.approval_case AS c
        ON c.source_system_id = s.source_system_id AND c.case_number = w.case_number
    WHERE w.record_id = r.record_id AND said.organ IS NULL AND coalesce(c.handling_organ, w.organ) IS NOT NULL
    ORDER BY w.waiting_id DESC
    LIMIT 1
) AS waits ON TRUE
