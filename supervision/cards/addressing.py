"""Whom a card reaches: those who hold the rule's duties in the card's organ on that day, and their deputies.

A handler is known by the keyed hash of the name that the case's latest stage event bears, and only where one person of
the organ bears it: two of one name are nobody, never a guess. A card that reaches nobody says so, and is addressed in
the first run after the register was mended. A held card is told to the division heads of the organ that keeps the feed.

A run over some cases looks at their cards, and at those of organs whose register changed since (the database notes
them). The first run of a day looks at all: a duty begins and ends with days.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

_TODAY: Final = "(CAST(:as_of AS timestamptz) AT TIME ZONE 'Asia/Shanghai')::date"
_ON: Final = f"{{0}}.valid_from <= {_TODAY} AND ({{0}}.valid_to IS NULL OR {{0}}.valid_to >= {_TODAY})"
_COLUMNS: Final = "card_id, duty_id, why, organ, role, staff, name_mask, phone_mask, at"

# The cards that a run looks at: of all open ones, or of the changed cases and the changed registers.
_LOOKED: Final = "CREATE TEMP TABLE sup_card (card_id bigint PRIMARY KEY) ON COMMIT DROP"
_ALL: Final = "INSERT INTO sup_card SELECT card_id FROM supervision.card WHERE ended_at IS NULL"
_SOME: Final = """
INSERT INTO sup_card
SELECT c.card_id FROM sup_scope AS s JOIN supervision.card AS c ON c.case_id = s.case_id WHERE c.ended_at IS NULL
UNION
SELECT card_id FROM supervision.card_unaddressed WHERE organ = ANY (CAST(:organs AS text[]))
UNION
SELECT c.card_id FROM supervision.card AS c
JOIN supervision.card_deed AS e ON e.card_id = c.card_id AND e.what = 'held'
WHERE c.state = 'held' AND e.detail ->> 'feed_organ' = ANY (CAST(:organs AS text[]))
"""
_MENDED: Final = "DELETE FROM supervision.duty_touched RETURNING organ"
_LAST: Final = f"""
SELECT (as_of AT TIME ZONE 'Asia/Shanghai')::date = {_TODAY} FROM supervision.rule_run
ORDER BY rule_run_id DESC LIMIT 1
"""

_ADDRESS: Final = f"""
WITH wanting AS (
    SELECT c.card_id, c.case_id, c.stage, c.organ, r.recipients
    FROM sup_card JOIN supervision.card AS c USING (card_id)
    JOIN supervision.rule AS r ON r.code = c.rule AND r.version = c.rule_version
    WHERE c.sent_at IS NOT NULL AND c.ended_at IS NULL AND NOT EXISTS (
        SELECT FROM supervision.card_recipient AS t WHERE t.card_id = c.card_id AND t.why <> 'feed_owner')
),
holding AS (
    SELECT w.card_id, d.duty_id, d.organ, d.role, d.staff, d.name_mask, d.phone_mask
    FROM wanting AS w
    JOIN supervision.duty AS d ON d.organ = w.organ AND d.role = ANY (w.recipients) AND {_ON.format("d")}
    WHERE d.role <> 'handler' OR (
        d.name_hash = (
            SELECT e.handler_hash FROM (
                SELECT handler_hash, coalesce(finished_at, started_at) AS at, 0 AS rank FROM core.stage_event
                WHERE case_id = w.case_id AND handler_hash IS NOT NULL AND (w.stage IS NULL OR stage = w.stage)
                UNION ALL
                SELECT handler_hash, accepted_at, 1 FROM core.acceptance
                WHERE case_id = w.case_id AND handler_hash IS NOT NULL AND w.stage IS NULL
            ) AS e ORDER BY e.rank, e.at DESC NULLS LAST LIMIT 1)
        AND NOT EXISTS (
            SELECT FROM supervision.duty AS o WHERE o.organ = d.organ AND o.role = 'handler' AND {_ON.format("o")}
              AND o.name_hash = d.name_hash AND o.staff <> d.staff))
)
INSERT INTO supervision.card_recipient ({_COLUMNS})
SELECT card_id, duty_id, 'duty', organ, role, staff, name_mask, phone_mask, CAST(:as_of AS timestamptz) FROM holding
UNION ALL
SELECT DISTINCT h.card_id, p.duty_id, 'deputy', p.organ, p.role, p.staff, p.name_mask, p.phone_mask,
    CAST(:as_of AS timestamptz)
FROM holding AS h
JOIN supervision.duty AS p ON p.organ = h.organ AND p.role = 'deputy' AND p.deputy_of = h.staff AND {_ON.format("p")}
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""

_FEED_OWNERS: Final = f"""
INSERT INTO supervision.card_recipient ({_COLUMNS})
SELECT c.card_id, d.duty_id, 'feed_owner', d.organ, d.role, d.staff, d.name_mask, d.phone_mask, :as_of
FROM sup_card JOIN supervision.card AS c USING (card_id)
JOIN supervision.card_deed AS e ON e.card_id = c.card_id AND e.what = 'held'
JOIN supervision.duty AS d ON d.organ = e.detail ->> 'feed_organ' AND d.role = 'division_head' AND {_ON.format("d")}
WHERE c.state = 'held'
ORDER BY c.card_id, d.duty_id
ON CONFLICT DO NOTHING
"""

_UNADDRESSED: Final = """
INSERT INTO supervision.card_deed (card_id, at, actor, what, detail)
SELECT c.card_id, :as_of, 'hub', 'unaddressed', jsonb_build_object('roles', r.recipients)
FROM sup_card JOIN supervision.card_unaddressed AS c USING (card_id)
JOIN supervision.rule AS r ON r.code = c.rule AND r.version = c.rule_version
WHERE NOT EXISTS (SELECT FROM supervision.card_deed AS d WHERE d.card_id = c.card_id AND d.what = 'unaddressed')
ORDER BY c.card_id
"""
_LEFT: Final = "SELECT count(*) FROM sup_card JOIN supervision.card_unaddressed USING (card_id)"


def address(connection: sa.Connection, at: Mapping[str, Any], *, full: bool) -> int:
    """Write down who gets which card that has nobody yet; return how many of those looked at still reach nobody.

    Reads `sup_scope`, and leaves in `sup_card` which cards it looked at.
    """
    mended = list(connection.execute(sa.text(_MENDED)).scalars())
    connection.execute(sa.text(_LOOKED))
    if full or not connection.execute(sa.text(_LAST), at).scalar():
        connection.execute(sa.text(_ALL))
    else:
        connection.execute(sa.text(_SOME), {"organs": mended})
    connection.execute(sa.text("ANALYZE sup_card"))
    connection.execute(sa.text(_ADDRESS), at)
    connection.execute(sa.text(_FEED_OWNERS), at)
    connection.execute(sa.text(_UNADDRESSED), at)
    left: int = connection.execute(sa.text(_LEFT)).scalar_one()
    return left
