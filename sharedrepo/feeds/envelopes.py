"""The running numbers of enveloped deliveries: which have come, which are missing, and how far all has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from hub.records import Enveloped
from sharedrepo.feeds import streams
from sharedrepo.staging import stage

GAP = "envelope_gap"
CONFLICT = "envelope_conflict"
_TOLD = 50
"""So many spans of missing numbers are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of one number: `reading` (its beginning is committed), `received`, `held`; `found` is its tally."""

    status: str
    mark: str
    unit: str | None
    found: Mapping[str, Any] = field(default_factory=dict)


def kept(cursor: stage.Cursor, stream_id: int, number: int) -> Kept | None:
    """Return what is known of a number."""
    cursor.execute(
        "SELECT status, mark, unit, found FROM ledger.envelope WHERE stream_id = %s AND number = %s",
        (stream_id, number),
    )
    row = cursor.fetchone()
    return None if row is None else Kept(*row)


def any_kept(cursor: stage.Cursor, stream_id: int) -> bool:
    """Say whether any envelope of a stream was taken."""
    cursor.execute("SELECT EXISTS (SELECT FROM ledger.envelope WHERE stream_id = %s)", (stream_id,))
    return bool(stage.scalar(cursor))


def newest(cursor: stage.Cursor, stream_id: int) -> int:
    """Return the highest number that was received; 0 where none was."""
    cursor.execute(
        "SELECT coalesce(max(number), 0) FROM ledger.envelope WHERE stream_id = %s AND status = 'received'",
        (stream_id,),
    )
    return int(stage.scalar(cursor))


def keep(
    cursor: stage.Cursor, stream_id: int, said: Enveloped, *, status: str, unit: str, batch_id: int,
    found: Mapping[str, Any],
) -> None:  # fmt: skip
    """Write down how far a number has come; what was known of it is replaced."""
    cursor.execute(
        """INSERT INTO ledger.envelope
               (stream_id, number, status, mark, unit, records, organs, found, complete_through, batch_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (stream_id, number) DO UPDATE SET status = excluded.status, mark = excluded.mark,
               unit = excluded.unit, records = excluded.records, organs = excluded.organs, found = excluded.found,
               complete_through = excluded.complete_through, batch_id = excluded.batch_id""",
        (
            stream_id, said.number, status, said.mark, unit, said.records, _json(said.organs), _json(found),
            said.complete_through, batch_id,
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Missing:
    """Numbers that have not come though later ones have: spans of first and last, the oldest ones, and their count."""

    spans: tuple[tuple[int, int], ...] = ()
    count: int = 0
    more: bool = False

    def __str__(self) -> str:
        told = [str(first) if first == last else f"{first}-{last}" for first, last in self.spans]
        return ", ".join([*told, "…"] if self.more else told)


def missing(cursor: stage.Cursor, stream_id: int, first: int) -> Missing:
    """Return the numbers from `first` on that are missing before the newest that came."""
    cursor.execute(
        """WITH after AS (
               SELECT greatest(envelope_through, %(first)s - 1) AS number FROM ledger.stream
               WHERE stream_id = %(stream)s),
           come AS (
               SELECT e.number, lag(e.number, 1, a.number) OVER (ORDER BY e.number) AS before
               FROM ledger.envelope AS e, after AS a
               WHERE e.stream_id = %(stream)s AND e.number > a.number AND e.status IN ('received', 'held'))
           SELECT before + 1, number - 1, sum(number - 1 - before) OVER () FROM come WHERE number - 1 > before
           ORDER BY 1 LIMIT %(most)s""",
        {"stream": stream_id, "first": first, "most": _TOLD + 1},
    )
    rows = cursor.fetchall()
    spans = tuple((int(one[0]), int(one[1])) for one in rows[:_TOLD])
    return Missing(spans, int(rows[0][2]) if rows else 0, more=len(rows) > _TOLD)


def settle(cursor: stage.Cursor, stream_id: int, *, first: int, batch_id: int) -> Missing:
    """Bring up to date what follows from the numbers: how far all has come, and the finding on those that are missing.

    What an envelope vouches for counts as soon as every number before it was received.
    """
    cursor.execute(
        """WITH s AS (
               SELECT envelope_through AS was, greatest(envelope_through, %(first)s - 1) AS number
               FROM ledger.stream WHERE stream_id = %(stream)s),
           run AS (
               SELECT coalesce(max(q.number), (SELECT number FROM s)) AS number FROM (
                   SELECT e.number, s.number + row_number() OVER (ORDER BY e.number) AS place
                   FROM ledger.envelope AS e, s
                   WHERE e.stream_id = %(stream)s AND e.number > s.number AND e.status = 'received') AS q
               WHERE q.number = q.place),
           moved AS (
               UPDATE ledger.stream SET envelope_through = run.number FROM run WHERE stream_id = %(stream)s)
           SELECT max(e.complete_through) FROM ledger.envelope AS e, s, run
           WHERE e.stream_id = %(stream)s AND e.number > s.was AND e.number <= run.number AND e.status = 'received'""",
        {"stream": stream_id, "first": first},
    )
    through: datetime | None = stage.scalar(cursor)
    if through is not None:
        streams.complete(cursor, stream_id, through)
    gaps = missing(cursor, stream_id, first)
    _tell(cursor, stream_id, batch_id, gaps)
    return gaps


def _tell(cursor: stage.Cursor, stream_id: int, batch_id: int, gaps: Missing) -> None:
    """Let one open finding name the missing numbers; where they changed, the old one closes."""
    detail = _json({"missing": str(gaps), "count": str(gaps.count)})
    values = {"stream": stream_id, "batch": batch_id, "rule": GAP, "detail": detail, "count": gaps.count}
    cursor.execute(
        """UPDATE quality.finding SET state = 'closed', closed_by = %(batch)s
           WHERE stream_id = %(stream)s AND rule = %(rule)s AND state = 'open'
             AND (%(count)s = 0 OR detail <> %(detail)s::jsonb)""",
        values,
    )
    if gaps.count:
        cursor.execute(
            """INSERT INTO quality.finding (stream_id, rule, effect, batch_id, detail)
               SELECT %(stream)s, %(rule)s, 'flag', %(batch)s, %(detail)s::jsonb WHERE NOT EXISTS (
                   SELECT FROM quality.finding WHERE stream_id = %(stream)s AND rule = %(rule)s AND state = 'open')""",
            values,
        )


def close_refused(cursor: stage.Cursor, stream_id: int, *, number: int, batch_id: int) -> None:
    """Close what was said of refused deliveries of a number that has come now, under whatever name they were sent.

    A conflict stays: the number had come before.
    """
    cursor.execute(
        """WITH closed AS (
               UPDATE quality.finding SET state = 'closed', closed_by = %(batch)s
               WHERE stream_id = %(stream)s AND state = 'open' AND record_id IS NULL AND starts_with(rule, 'envelope_')
                 AND rule NOT IN (%(gap)s, %(conflict)s) AND detail ->> 'number' = %(number)s
               RETURNING unit)
           UPDATE ledger.batch SET status = 'superseded'
           WHERE stream_id = %(stream)s AND status = 'held' AND unit IN (SELECT unit FROM closed)""",
        {"stream": stream_id, "batch": batch_id, "gap": GAP, "conflict": CONFLICT, "number": str(number)},
    )


def _json(value: Any) -> str:
    return orjson.dumps(dict(value)).decode()
