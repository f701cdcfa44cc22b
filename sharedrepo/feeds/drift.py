"""Changes of a stream's shape, kept: one open finding each, from the day it began until it is mended or gone.

A pull that was cut off and the one that goes on after it count as one: what either of them saw was seen. So the same
changes stand open whether a pull was killed or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from hub.contract import RULES
from hub.findings import Finding
from sharedrepo.staging import stage

_COUNTS = frozenset({"count", "records"})
"""Parts of a finding's detail that say how often it was seen: they are added up, not kept with the finding."""
_CAME = "came"
"""A part of it while a pull is under way: a record of this pull has the field that was missing."""


@dataclass(frozen=True, slots=True)
class Told:
    """An open finding on a change."""

    finding_id: int
    rule: str
    field: str | None
    pointer: str | None
    detail: dict[str, Any]
    refuses: bool
    last_batch_id: int

    @property
    def types(self) -> str:
        """Return the types that were seen."""
        return str(self.detail.get("types", ""))

    @property
    def came(self) -> bool:
        """Say whether a record of the pull under way has the field that was missing."""
        return _CAME in self.detail


def told(cursor: stage.Cursor, stream_id: int) -> list[Told]:
    """Read the changes that stand open on a stream."""
    cursor.execute(
        """SELECT finding_id, rule, field, pointer, detail, effect = 'refuse', last_batch_id FROM quality.finding
           WHERE stream_id = %s AND rule = ANY(%s) AND state = 'open' AND record_id IS NULL ORDER BY finding_id""",
        (stream_id, list(RULES)),
    )
    return [Told(*row) for row in cursor.fetchall()]


def note(cursor: stage.Cursor, *, stream_id: int, batch_id: int, found: Iterable[Finding], again: bool) -> None:
    """Open a finding on each change, or add to the one that stands; `again` where the records were counted before."""
    found = list(found)
    if not found:
        return
    standing = {(one.rule, one.field, one.pointer): one for one in told(cursor, stream_id)}
    for one in found:
        before = standing.get((one.rule, one.field, one.pointer))
        detail = _joined(before.detail if before else {}, one)
        count = int(one.detail.get("count", 0))
        values = (count, batch_id, orjson.dumps(detail).decode(), "refuse" if one.refuses else "flag")
        if before is None:
            cursor.execute(
                """INSERT INTO quality.finding
                       (seen, last_batch_id, detail, effect, stream_id, rule, field, pointer, batch_id)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
                (*values, stream_id, one.rule, one.field, one.pointer, batch_id),
            )
        else:
            seen = "greatest(seen, %s)" if again else "seen + %s"
            cursor.execute(
                f"""UPDATE quality.finding SET seen = {seen}, last_batch_id = %s, detail = %s, effect = %s
                    WHERE finding_id = %s""",
                (*values, before.finding_id),
            )


def _joined(before: dict[str, Any], now: Finding) -> dict[str, Any]:
    """Lay what is said now over what was said before; the types that were seen add up."""
    detail = {**before, **{name: said for name, said in now.detail.items() if name not in _COUNTS}}
    types = {*str(before.get("types", "")).split("|"), *str(now.detail.get("types", "")).split("|")} - {""}
    if types:
        detail["types"] = "|".join(sorted(types))
    if "fields" in before and "fields" in detail:
        detail["fields"] = str(max(int(before["fields"]), int(detail["fields"])))
    return detail


def is_news(cursor: stage.Cursor, stream_id: int, found: Sequence[Finding]) -> bool:
    """Say whether any of these changes is not told yet, or told as one that is kept."""
    standing = {(one.rule, one.field, one.pointer): one for one in told(cursor, stream_id)}
    for one in found:
        before = standing.get((one.rule, one.field, one.pointer))
        if before is None or not before.refuses or _joined(before.detail, one) != before.detail:
            return True
    return False


def begin(cursor: stage.Cursor, stream_id: int, batch_id: int) -> int:
    """Return the first batch of the pull under way; it is this one unless a pull was begun and not ended."""
    cursor.execute(
        """UPDATE ledger.stream SET pull_batch_id = coalesce(pull_batch_id, %s) WHERE stream_id = %s
           RETURNING pull_batch_id""",
        (batch_id, stream_id),
    )
    return int(stage.scalar(cursor))


def came(cursor: stage.Cursor, finding_ids: Sequence[int]) -> None:
    """Note that a record of the pull under way has the fields that these findings miss."""
    if finding_ids:
        cursor.execute(
            "UPDATE quality.finding SET detail = detail || jsonb_build_object(%s, 'yes') WHERE finding_id = ANY(%s)",
            (_CAME, list(finding_ids)),
        )


def end(cursor: stage.Cursor, stream_id: int) -> None:
    """Note that the pull under way came to its end."""
    cursor.execute("UPDATE ledger.stream SET pull_batch_id = NULL WHERE stream_id = %s", (stream_id,))
    cursor.execute(
        """UPDATE quality.finding SET detail = detail - %(came)s
           WHERE stream_id = %(stream)s AND rule = 'missing_field' AND state = 'open' AND record_id IS NULL
             AND detail ? %(came)s""",
        {"came": _CAME, "stream": stream_id},
    )


def brought_anything(cursor: stage.Cursor, stream_id: int, since: int) -> bool:
    """Say whether any batch of the pull that began with batch `since` brought records whose shape was looked at."""
    cursor.execute(
        """SELECT EXISTS (SELECT FROM ledger.batch WHERE stream_id = %s AND batch_id >= %s AND kind = 'pull'
                          AND status = 'committed' AND read > unchanged + stale + deleted)""",
        (stream_id, since),
    )
    return bool(stage.scalar(cursor))


def close(cursor: stage.Cursor, finding_ids: Sequence[int], *, batch_id: int) -> None:
    """Close findings on changes that are none any more."""
    if finding_ids:
        cursor.execute(
            "UPDATE quality.finding SET state = 'closed', closed_by = %s WHERE finding_id = ANY(%s)",
            (batch_id, list(finding_ids)),
        )
