-- Open cards that reach nobody: no person holds one of the rule's duties in the card's organ. A fault of the register.
SELECT c.card_id, c.number, c.level, c.rule, c.rule_version, c.case_id, c.organ, c.sent_at
FROM supervision.card AS c
WHERE c.sent_at IS NOT NULL AND c.ended_at IS NULL
  AND NOT EXISTS (SELECT FROM supervision.card_recipient AS t WHERE t.card_id = c.card_id AND t.why <> 'feed_owner')
