-- The version of its item that each case keeps: the one in force on the day of its acceptance (in the province's time;
-- where it was not accepted, of its application). `why` says what is wrong where there is none that takes new cases.
-- A case names its item by the item's code, another of its numbers, or the base code with its handling organ.
SELECT
    c.record_id AS case_id,
    c.item_code,
    c.handling_organ AS organ,
    i.item_id,
    f.version_id,
    f.version,
    f.status,
    d.accepted_on,
    CASE
        WHEN c.item_code IS NULL THEN 'no_item_said'
        WHEN i.item_id IS NULL THEN 'not_in_catalogue'
        WHEN d.accepted_on IS NULL THEN 'no_day'
        WHEN f.version_id IS NULL THEN 'not_yet_in_force'
        WHEN f.status <> 'in_force' THEN f.status
    END AS why
FROM core.approval_case AS c
JOIN core.case_overview AS o ON o.case_id = c.record_id
CROSS JOIN LATERAL (
    SELECT (coalesce(o.accepted_at, o.applied_at) AT TIME ZONE 'Asia/Shanghai')::date AS accepted_on
) AS d
LEFT JOIN LATERAL (
    SELECT found.item_id FROM (
        SELECT item_id, 1 AS place FROM catalog.item WHERE code = c.item_code
        UNION ALL SELECT item_id, 2 FROM catalog.item_number WHERE number = c.item_code
        UNION ALL SELECT item_id, 3 FROM catalog.item WHERE base_code = c.item_code AND organ = c.handling_organ
    ) AS found
    ORDER BY found.place LIMIT 1
) AS i ON TRUE
LEFT JOIN catalog.in_force AS f
    ON f.item_id = i.item_id AND f.valid_from <= d.accepted_on
    AND (f.valid_to IS NULL OR d.accepted_on < f.valid_to)
