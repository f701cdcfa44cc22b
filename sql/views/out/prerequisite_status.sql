-- What is held of each option of each prerequisite, for the open cases of the reader's own organ. It is no verdict: what
-- an option asks of issuer, day and age stands in `conditions`; POST /v1/checks judges, signs and logs.
SELECT
    c.record_id AS evidence,
    c.case_number,
    c.item_code,
    k.version AS item_version,
    g.said ->> 'name' AS requirement,
    g.said ->> 'holder' AS holder,
    g.said ->> 'valid_on' AS valid_on,
    o.place AS option,
    o.said ->> 'credential' AS credential_type,
    o.said ->> 'item' AS required_item,
    o.said - 'credential' - 'item' AS conditions,
    CASE
        WHEN NOT coalesce(
            o.said ->> 'credential' IN (SELECT out.readable('credential_type')),
            o.said ->> 'item' IN (SELECT out.readable('item'))
        ) THEN 'not_granted'
        WHEN h.holds THEN 'held'
        WHEN h.record_id IS NOT NULL THEN 'held_not_valid'
        WHEN p.record_id IS NOT NULL THEN 'pending'
        ELSE 'nothing_known'
    END AS state,
    h.record_id AS found,
    h.status AS found_status,
    h.valid_to AS found_valid_to,
    p.record_id AS pending_case,
    f.complete_through
FROM core.approval_case AS c
JOIN core.case_overview AS s ON s.case_id = c.record_id AND s.state NOT IN ('closed', 'not_accepted')
JOIN catalog.version_of_case AS v ON v.case_id = c.record_id
JOIN catalog.item_version AS k ON k.version_id = v.version_id
CROSS JOIN LATERAL jsonb_array_elements(coalesce(k.content -> 'requirements', '[]')) WITH ORDINALITY AS g (said, place)
CROSS JOIN LATERAL jsonb_array_elements(g.said -> 'any_of') WITH ORDINALITY AS o (said, place)
LEFT JOIN LATERAL (
    SELECT e.record_id, e.status, e.valid_to, e.holds FROM (
        SELECT
            x.record_id,
            x.status,
            x.valid_to,
            coalesce(x.status, 'valid') = 'valid'
                AND (x.valid_from IS NULL OR x.valid_from <= t.day) AND (x.valid_to IS NULL OR t.day <= x.valid_to)
                AS holds
        FROM out.held() AS w
        JOIN core.credential AS x ON x.record_id = w.record_id
        CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date AS day) AS t
        WHERE w.case_id = c.record_id AND w.kind = 'credential' AND w.holder = g.said ->> 'holder'
            AND x.credential_type = o.said ->> 'credential'
            AND (NOT o.said ? 'issued_by' OR x.issuer = o.said ->> 'issued_by')
        UNION ALL
        SELECT
            d.record_id,
            d.outcome,
            NULL,
            d.outcome = 'granted' AND NOT EXISTS (
                SELECT FROM core.decision AS j
                WHERE j.source_system_id = d.source_system_id AND j.case_number = d.case_number
                    AND (j.decision_kind = 'revocation' OR j.outcome IN ('void', 'lapsed'))
                    AND (d.decided_at IS NULL OR j.decided_at >= d.decided_at))
        FROM out.held() AS w
        JOIN core.decision AS d ON d.record_id = w.record_id
        JOIN core.approval_case AS a ON a.source_system_id = d.source_system_id AND a.case_number = d.case_number
        WHERE w.case_id = c.record_id AND w.kind = 'decision' AND w.holder = g.said ->> 'holder'
            AND a.item_code IN (SELECT out.numbers(o.said ->> 'item'))
    ) AS e
    ORDER BY e.holds DESC, e.record_id DESC LIMIT 1
) AS h ON TRUE
LEFT JOIN LATERAL (
    SELECT a.record_id FROM out.held() AS w
    JOIN core.approval_case AS a ON a.record_id = w.record_id
    WHERE w.case_id = c.record_id AND w.kind = 'case' AND w.holder = g.said ->> 'holder'
        AND a.item_code IN (SELECT out.numbers(o.said ->> 'item'))
    ORDER BY a.record_id DESC LIMIT 1
) AS p ON TRUE
LEFT JOIN LATERAL (
    SELECT CASE WHEN count(*) = count(w.complete_through) THEN min(w.complete_through) END AS complete_through
    FROM out.feeds() AS w
    WHERE (w.kind = 'credential_type' AND w.code = o.said ->> 'credential')
        OR (w.kind = 'item' AND w.code = o.said ->> 'item')
) AS f ON TRUE
WHERE c.handling_organ = (SELECT out.organ())
