-- Decisions in cases of items that the reader may see, and its own organ's.
SELECT
    d.record_id AS evidence,
    d.case_number,
    c.item_code,
    coalesce(d.organ, c.handling_organ) AS organ,
    d.decision_kind,
    d.outcome,
    d.document_number,
    d.decided_at,
    d.reported_at,
    f.complete_through,
    m.fields AS mended
FROM core.decision AS d
LEFT JOIN core.approval_case AS c ON c.source_system_id = d.source_system_id AND c.case_number = d.case_number
LEFT JOIN out.mended() AS m ON m.record_id = d.record_id
LEFT JOIN out.feeds() AS f
    ON f.kind = 'item' AND f.code = c.item_code AND f.issuer = coalesce(d.organ, c.handling_organ, '')
WHERE d.organ = (SELECT out.organ()) OR c.handling_organ = (SELECT out.organ())
    OR c.reporting_organ = (SELECT out.organ()) OR c.item_code IN (SELECT out.readable('item'))
