-- 暂停、取消、下放的事项受理了新的办件: what the catalogue said of the item on the day of acceptance, in the province's time.
SELECT f.case_id, 'approval_case.item_code' AS field
FROM case_facts AS f
JOIN core.approval_case AS c ON c.record_id = f.case_id
JOIN LATERAL (
    SELECT found.item_id FROM (
        SELECT item_id, 1 AS place FROM catalog.item WHERE code = c.item_code
        UNION ALL SELECT item_id, 2 FROM catalog.item_number WHERE number = c.item_code
        UNION ALL SELECT item_id, 3 FROM catalog.item WHERE base_code = c.item_code AND organ = c.handling_organ
    ) AS found
    ORDER BY found.place LIMIT 1
) AS i ON TRUE
JOIN LATERAL (
    SELECT v.status FROM catalog.item_version AS v
    WHERE v.item_id = i.item_id AND v.state = 'published'
        AND v.effective_on <= (f.accepted_at AT TIME ZONE 'Asia/Shanghai')::date
    ORDER BY v.effective_on DESC, v.version DESC LIMIT 1
) AS held ON held.status <> 'in_force'
-- Where no item has ever ended or paused, nothing is looked up.
WHERE EXISTS (SELECT FROM catalog.item_version WHERE state = 'published' AND status <> 'in_force')
