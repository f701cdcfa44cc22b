-- The feeds that held cards wait for: how many cards of each level, and up to which moment the feed must be complete.
SELECT
    d.detail ->> 'source' AS source,
    d.detail ->> 'feed_organ' AS organ,
    count(*) AS cards,
    count(*) FILTER (WHERE c.level = 'red') AS red,
    min(c.moment) AS needed_from,
    max(c.moment) AS needed_through,
    min((SELECT min(s.complete_through) FROM ledger.stream AS s
         JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
         WHERE ss.code = d.detail ->> 'source')) AS complete_through,
    bool_or(EXISTS (SELECT FROM supervision.card_recipient AS t
                    WHERE t.card_id = c.card_id AND t.why = 'feed_owner')) AS told
FROM supervision.card AS c
JOIN supervision.card_deed AS d ON d.card_id = c.card_id AND d.what = 'held'
WHERE c.state = 'held'
GROUP BY 1, 2
