"""The log of deeds on records, as people read it: who saw, proposed, decided on or returned what, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from quality.issues.service import masked

MOST = 10_000
"""So many lines are read at once at most."""

_LOG = """
SELECT w.work_id AS number, w.at, w.actor, w.what, coalesce(ss.code, w.detail ->> 'source') AS source,
       s.name AS stream, r.source_key AS key, w.record_id AS record, w.reason, w.detail,
       coalesce(o.organ, ss.organ, w.detail ->> 'organ', '') AS organ
FROM quality.work_log AS w
LEFT JOIN ledger.stream AS s ON s.stream_id = w.stream_id
LEFT JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
LEFT JOIN ledger.source_record AS r ON r.record_id = w.record_id
LEFT JOIN quality.record_organ AS o ON o.record_id = w.record_id
WHERE (CAST(:what AS text) IS NULL OR w.what = :what) AND (CAST(:actor AS text) IS NULL OR w.actor = :actor)
  AND (CAST(:source AS text) IS NULL OR coalesce(ss.code, w.detail ->> 'source') = :source)
  AND (CAST(:organ AS text) IS NULL OR coalesce(o.organ, ss.organ, w.detail ->> 'organ', '') = :organ)
  AND (CAST(:before AS bigint) IS NULL OR w.work_id < :before)
ORDER BY w.work_id DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the log; keys are masked, and no value of a record stands in it."""

    number: int
    at: datetime
    actor: str
    what: str
    source: str | None
    stream: str | None
    key: str | None
    record: int | None
    reason: str | None
    detail: dict[str, Any]
    organ: str


def lines(
    engine: sa.Engine, *, what: str | None = None, actor: str | None = None, source: str | None = None,
    organ: str | None = None, before: int | None = None, limit: int = 100,
) -> list[Told]:  # fmt: skip
    """Return lines of the log, the newest first; `before` is the number of the last one that was read."""
    asked = {
        "what": what, "actor": actor, "source": source, "organ": organ, "before": before,
        "limit": max(1, min(limit, MOST)),
    }  # fmt: skip
    with engine.connect() as connection:
        rows = connection.execute(sa.text(_LOG), asked).mappings()
        return [Told(**{**row, "key": masked(row["key"])}) for row in rows]
