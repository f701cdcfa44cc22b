-- The published versions with the days on which each holds: from its effective day until the next version's, which is
-- not included. Of two versions that take effect on one day the later drafted one holds.
SELECT
    v.version_id,
    v.item_id,
    i.code,
    i.base_code,
    i.organ,
    i.region,
    v.version,
    v.status,
    v.change,
    v.content,
    v.published_at,
    v.effective_on AS valid_from,
    lead(v.effective_on) OVER (PARTITION BY v.item_id ORDER BY v.effective_on, v.version) AS valid_to
FROM catalog.item_version AS v
JOIN catalog.item AS i ON i.item_id = v.item_id
WHERE v.state = 'published'
