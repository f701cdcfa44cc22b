-- How cases stand: those of items that the reader may see, and its own organ's.
SELECT
    c.record_id AS evidence,
    c.case_number,
    c.item_code,
    c.item_name,
    c.handling_organ AS organ,
    o.state,
    CASE
        WHEN o.state IN ('suspended', 'closed', 'not_accepted') THEN o.state
        WHEN o.approve_first IS NOT NULL THEN 'approve'
        WHEN o.review_first IS NOT NULL THEN 'review'
        WHEN o.undertake_first IS NOT NULL THEN 'undertake'
        WHEN coalesce(o.accepted_at, o.accept_first) IS NOT NULL THEN 'accept'
        ELSE o.state
    END AS stage,
    o.applied_at,
    o.accepted_at,
    o.due_at,
    o.closed_at,
    o.closing_outcome AS outcome,
    (
        SELECT array_agg(DISTINCT i.number ORDER BY i.number) FROM core.case_identifier AS i
        WHERE i.case_id = c.record_id AND i.scheme = 'project'
    ) AS projects,
    f.complete_through,
    m.fields AS mended
FROM core.approval_case AS c
JOIN core.case_overview AS o ON o.case_id = c.record_id
LEFT JOIN out.mended() AS m ON m.record_id = c.record_id
LEFT JOIN out.feeds() AS f ON f.kind = 'item' AND f.code = c.item_code AND f.issuer = coalesce(c.handling_organ, '')
WHERE c.handling_organ = (SELECT out.organ()) OR c.reporting_organ = (SELECT out.organ())
    OR c.item_code IN (SELECT out.readable('item'))
