"""What supervision hands to the findings: cards that reach nobody, clocks that nobody had computed, odd due dates.

The first two are faults of the hub's keeping, the third may be one of either side, so that none is a card. They become
issues with an owner, a due date and a page (`sharedrepo.writing.handed`), and close by themselves: when the register of
duties was mended and the cards were sent, when a whole recount finds every clock as it stood, when both sides say one
day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from sharedrepo.writing.handed import PLACES, Handed, hand_over

UNADDRESSED: Final = "card_without_recipient"
DIFFERS: Final = "recount_differs"
DUE: Final = "due_differs"

_UNADDRESSED: Final = f"""
SELECT coalesce(c.organ, '') AS organ, count(u.card_id) AS records, count(*) AS of_records, min(u.sent_at) AS since,
    to_jsonb((array_agg(jsonb_build_object('what', c.number, 'case', a.case_number, 'since', u.sent_at,
        'level', c.level, 'roles', array_to_string(r.recipients, ', ')) ORDER BY c.card_id)
        FILTER (WHERE u.card_id IS NOT NULL))[1:{PLACES}]) AS places
FROM supervision.card AS c
JOIN supervision.rule AS r ON r.code = c.rule AND r.version = c.rule_version
LEFT JOIN supervision.card_unaddressed AS u ON u.card_id = c.card_id
LEFT JOIN core.approval_case AS a ON a.record_id = c.case_id
WHERE c.sent_at IS NOT NULL AND c.ended_at IS NULL
  AND (CAST(:organs AS text[]) IS NULL OR c.organ = ANY (:organs))
GROUP BY 1 HAVING count(u.card_id) > 0 ORDER BY 1
"""

# The organs of which this run found a card that reaches nobody, or has sent one that had reached nobody before.
_MOVED: Final = """
SELECT DISTINCT c.organ FROM sup_card JOIN supervision.card AS c USING (card_id)
JOIN supervision.card_deed AS d ON d.card_id = c.card_id AND d.what = 'unaddressed'
WHERE c.organ IS NOT NULL AND (d.at = :now OR EXISTS (
    SELECT FROM supervision.card_recipient AS t WHERE t.card_id = c.card_id AND t.at = :now))
"""

_DUE: Final = f"""
WITH differing AS (
    SELECT coalesce(d.organ, '') AS organ, d.case_id, d.started_at, d.days_off,
        (d.declared_due_at AT TIME ZONE 'Asia/Shanghai')::date AS declared,
        (d.due_at AT TIME ZONE 'Asia/Shanghai')::date AS computed,
        row_number() OVER (PARTITION BY d.organ ORDER BY abs(d.days_off) DESC, d.case_id) AS place
    FROM supervision.due_differs AS d
)
SELECT d.organ, count(*) AS records, min(c.cases) AS of_records, min(d.started_at) AS since,
    jsonb_agg(jsonb_build_object('case', a.case_number, 'since', d.started_at, 'declared', d.declared,
        'computed', d.computed, 'days_off', d.days_off) ORDER BY d.place) FILTER (WHERE d.place <= {PLACES}) AS places
FROM differing AS d
LEFT JOIN core.approval_case AS a ON a.record_id = d.case_id AND d.place <= {PLACES}
JOIN (SELECT coalesce(organ, '') AS organ, count(*) AS cases FROM supervision.clock
      WHERE due_at IS NOT NULL AND declared_due_at IS NOT NULL GROUP BY 1) AS c ON c.organ = d.organ
GROUP BY d.organ ORDER BY d.organ
"""

# Ages are told from the number of this transaction, which the run has taken at its beginning (`mark`): a row that a
# later one wrote is younger than 0, by at most so many as there were since; what is younger still is so old that
# numbers have come round. What a batch has touched meanwhile, or had before, is in order: its clocks had a reason.
_DIFFERING: Final = """
WITH written AS (
    SELECT case_id FROM supervision.clock WHERE age(xmin) BETWEEN -:since AND -1
    UNION SELECT case_id FROM supervision.clock_stage WHERE age(xmin) BETWEEN -:since AND -1)
SELECT w.case_id, a.case_number FROM written AS w LEFT JOIN core.approval_case AS a ON a.record_id = w.case_id
WHERE NOT EXISTS (SELECT FROM supervision.touched AS t WHERE t.case_id = w.case_id)
  AND NOT (w.case_id = ANY(:changed))
ORDER BY w.case_id
"""


def step(connection: sa.Connection, now: datetime, cases: Sequence[int] | None) -> dict[str, Any]:
    """Hand over the cards that reach nobody, organ by organ; return how many they are.

    A run over some cases speaks of the organs whose cards it moved (`sup_card` of `supervision.cards.addressing`); one
    over all cases of all organs, and of the due dates that differ.
    """
    moved = None if cases is None else list(connection.execute(sa.text(_MOVED), {"now": now}).scalars())
    counts = {UNADDRESSED: 0}
    if moved is None or moved:
        found = [Handed(**row) for row in connection.execute(sa.text(_UNADDRESSED), {"organs": moved}).mappings()]
        hand_over(connection, UNADDRESSED, found, organs=moved)
        counts[UNADDRESSED] = sum(one.records for one in found)
    if cases is None:
        found = [Handed(**row) for row in connection.execute(sa.text(_DUE)).mappings()]
        hand_over(connection, DUE, found)
        counts[DUE] = sum(one.records for one in found)
    return counts


def mark(connection: sa.Connection) -> int:
    """Take the transaction's number, by which rows that are written from now on are told from those that stand."""
    return int(connection.execute(sa.text("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)")).scalar_one())


def differing(
    connection: sa.Connection, mark: int, *, changed: Sequence[int], cases: int, found: int, now: datetime
) -> int:
    """Hand over the cases whose clocks a recount of all found otherwise than they stood; return how many they are.

    `found` is how many rows it wrote or took away, `changed` the cases of which that was to be expected. Rows that are
    gone name no case any more; they count where no batch came in between.
    """
    rows: list[dict[str, Any]] = []
    if found:
        latest = sa.text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)")
        since = int(connection.execute(latest).scalar_one()) - mark
        said = connection.execute(sa.text(_DIFFERING), {"since": since, "changed": list(changed)}).mappings()
        rows = [dict(row) for row in said]
    quiet = not changed and not connection.execute(sa.text("SELECT EXISTS (SELECT FROM supervision.touched)")).scalar()
    count = max(len(rows), 1) if found and quiet else len(rows)
    places = [{"case": row["case_number"], "since": now} for row in rows[:PLACES]]
    hand_over(connection, DIFFERS, [Handed("", count, max(cases, count), now, places)] if count else [])
    return count
