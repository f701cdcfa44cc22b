-- Credentials of the types that the reader may see, and those that its own organ issued. The condition stands here as well
-- as in the tables' policies: whoever is no reader, the hub's own role and a superuser included, sees nothing here.
SELECT
    c.record_id AS evidence,
    c.credential_type,
    c.issuer,
    c.number,
    c.version,
    c.holder_name_mask AS holder_name,
    c.holder_number_mask AS holder_number,
    c.valid_from,
    c.valid_to,
    c.issued_at,
    c.status,
    s.since AS status_since,
    c.case_number,
    c.reported_at,
    f.complete_through,
    m.fields AS mended
FROM core.credential AS c
LEFT JOIN LATERAL (
    SELECT max(z.since) AS since FROM core.credential_status AS z
    WHERE z.record_id = c.record_id AND z.status = c.status
) AS s ON TRUE
LEFT JOIN out.mended() AS m ON m.record_id = c.record_id
LEFT JOIN out.feeds() AS f
    ON f.kind = 'credential_type' AND f.code = c.credential_type AND f.issuer = coalesce(c.issuer, '')
WHERE c.issuer = (SELECT out.organ()) OR c.credential_type IN (SELECT out.readable('credential_type'))
