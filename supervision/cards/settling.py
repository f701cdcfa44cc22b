"""What becomes of cards that are there when rules are judged anew: held ones go out or lapse, others are contradicted.

A yellow or red card over a case whose feed is not complete through the due moment is held: perhaps the department was
in time and only its feed is late. When the feed is complete and the rule still holds, the card is sent; when it no
longer holds, the card lapses and was never anybody's. A card that was sent and whose facts were corrected later is
marked, never taken down by the hub: that is a decision of two people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from supervision.rules.scope import Scope
from supervision.rules.service import Rule

DUE: Final = """(
    SELECT (w.day + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai'
    FROM supervision.day AS t JOIN supervision.day AS w ON w.calendar = t.calendar AND w.works
        AND w.ordinal = t.ordinal + {days}
    WHERE t.calendar = supervision.calendar_of({region}) AND t.day = (CAST(:as_of AS timestamptz)
        AT TIME ZONE 'Asia/Shanghai')::date)"""
"""The end of the working day on which a number of days is over; NULL where the calendar does not reach so far."""

_HIT: Final = "FROM sup_hit AS h WHERE h.subject = c.subject AND h.clock = c.clock AND h.level = c.level"
_IN_SCOPE: Final = "IN_SCOPE(c.case_id)"

_RELEASE: Final = f"""
WITH waiting AS MATERIALIZED (
    SELECT c.card_id, p.through, max(CASE WHEN h.lasting THEN h.moment ELSE c.moment END) AS moment
    FROM supervision.card AS c
    JOIN sup_hit AS h ON h.subject = c.subject AND h.clock = c.clock AND h.level = c.level
    LEFT JOIN sup_complete AS p ON p.subject = c.subject
    WHERE c.state = 'held' AND {_IN_SCOPE}
    GROUP BY c.card_id, p.through
),
ready AS (SELECT * FROM waiting WHERE moment IS NULL OR through >= moment),
sent AS (
    UPDATE supervision.card AS c SET state = 'sent', sent_at = CAST(:as_of AS timestamptz),
        due_at = {DUE.format(days="r.feedback_days", region="c.region")}
    FROM ready AS y, supervision.rule AS r
    WHERE c.card_id = y.card_id AND r.code = c.rule AND r.version = c.rule_version
    RETURNING c.card_id, y.through, y.moment
)
INSERT INTO supervision.card_deed (card_id, at, actor, what, detail)
SELECT card_id, :as_of, 'hub', 'released',
    jsonb_strip_nulls(jsonb_build_object('complete_through', through, 'needed_through', moment))
FROM sent ORDER BY card_id
"""

_LAPSE: Final = f"""
WITH gone AS (
    UPDATE supervision.card AS c SET state = 'lapsed', ended_at = CAST(:as_of AS timestamptz)
    WHERE c.state = 'held' AND {_IN_SCOPE} AND NOT EXISTS (SELECT {_HIT})
    RETURNING c.card_id, c.case_id
)
INSERT INTO supervision.card_deed (card_id, at, actor, what, detail)
SELECT g.card_id, :as_of, 'hub', 'lapsed', jsonb_strip_nulls(jsonb_build_object('closed_at', k.closed_at,
    'due_at', k.due_at, 'verdict', k.verdict, 'state', k.state))
FROM gone AS g LEFT JOIN supervision.clock AS k ON k.case_id = g.case_id ORDER BY g.card_id
"""

# Only where the very rule that raised the card was judged again, as it stood then, may its silence say anything.
_JUDGED: Final = """EXISTS (
    SELECT FROM supervision.rule AS v JOIN supervision.rule AS n ON n.code = v.code
    WHERE v.code = c.rule AND v.version = c.rule_version AND v.basis = n.basis
      AND v.since IS NOT DISTINCT FROM n.since
      AND n.version = (SELECT max(x.version) FROM supervision.rule AS x WHERE x.code = v.code))"""
_SPEAKS: Final = (
    "EXISTS (SELECT FROM sup_hit AS h WHERE h.subject = c.subject AND h.clock = c.clock AND h.code = c.rule)"
)

_CONTRADICT: Final = f"""
WITH doubted AS (
    UPDATE supervision.card AS c SET contradicted_at = CAST(:as_of AS timestamptz)
    WHERE c.sent_at IS NOT NULL AND c.state <> 'withdrawn' AND c.contradicted_at IS NULL
      AND c.rule = ANY (CAST(:lasting AS text[])) AND {_IN_SCOPE} AND {_JUDGED} AND NOT {_SPEAKS}
    RETURNING c.card_id, c.case_id
)
INSERT INTO supervision.card_deed (card_id, at, actor, what, detail)
SELECT g.card_id, :as_of, 'hub', 'contradicted', jsonb_strip_nulls(jsonb_build_object('closed_at', k.closed_at,
    'due_at', k.due_at, 'verdict', k.verdict, 'computed_at', k.computed_at))
FROM doubted AS g LEFT JOIN supervision.clock AS k ON k.case_id = g.case_id ORDER BY g.card_id
"""

_HOLD_AGAIN: Final = f"""
WITH again AS (
    UPDATE supervision.card AS c SET contradicted_at = NULL
    WHERE c.contradicted_at IS NOT NULL AND {_IN_SCOPE} AND {_SPEAKS}
    RETURNING c.card_id
)
INSERT INTO supervision.card_deed (card_id, at, actor, what)
SELECT card_id, :as_of, 'hub', 'holds_again' FROM again ORDER BY card_id
"""

_REMIND: Final = """
INSERT INTO supervision.card_deed (card_id, at, actor, what)
SELECT c.card_id, :as_of, 'hub', 'reminded'
FROM supervision.card AS c
JOIN supervision.rule AS r ON r.code = c.rule AND r.version = c.rule_version
CROSS JOIN LATERAL (
    SELECT max(d.at) AS at FROM supervision.card_deed AS d
    WHERE d.card_id = c.card_id AND d.what IN ('sent', 'released', 'reminded')
) AS told
CROSS JOIN LATERAL (SELECT supervision.calendar_of(c.region) AS calendar) AS here
JOIN supervision.day AS before ON before.calendar = here.calendar
    AND before.day = (told.at AT TIME ZONE 'Asia/Shanghai')::date
JOIN supervision.day AS today ON today.calendar = here.calendar
    AND today.day = (CAST(:as_of AS timestamptz) AT TIME ZONE 'Asia/Shanghai')::date
WHERE c.state = 'sent' AND r.repeat_days IS NOT NULL AND today.ordinal - before.ordinal >= r.repeat_days
ORDER BY c.card_id
"""


def settle(
    connection: sa.Connection, judged: Sequence[Rule], at: Mapping[str, Any], scope: Scope
) -> tuple[int, int, int, int]:
    """Settle the cards in scope after the rules were judged; return how many went out, lapsed, were contradicted, told.

    Reads the temporary tables of the run (`supervision.cards.raising`).
    """
    lasting = [one.code for one in judged if one.lasting]
    as_of = {"as_of": at["as_of"]}
    released = connection.execute(scope.text(_RELEASE), as_of).rowcount
    lapsed = connection.execute(scope.text(_LAPSE), as_of).rowcount
    contradicted = connection.execute(scope.text(_CONTRADICT), {**as_of, "lasting": lasting}).rowcount
    connection.execute(scope.text(_HOLD_AGAIN), as_of)
    reminded = connection.execute(sa.text(_REMIND), as_of).rowcount if scope.full else 0
    return released, lapsed, contradicted, reminded
