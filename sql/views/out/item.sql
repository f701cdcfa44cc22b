-- The catalogue: each published version with its days, of items that are open to all and of the reader's own.
SELECT
    i.code,
    i.base_code,
    i.organ,
    i.region,
    i.version,
    i.status,
    i.content ->> 'name' AS name,
    i.valid_from,
    i.valid_to,
    i.content
FROM catalog.in_force AS i
WHERE (SELECT out.organ()) IS NOT NULL
    AND (i.content ->> 'disclosure' = 'public' OR i.organ = (SELECT out.organ()))
