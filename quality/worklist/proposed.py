"""The corrections that wait for a second person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from pipeline.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Proposed:
    """A correction that nobody has decided on; `kind` and `entry` name its record in the work list."""

    id: int
    kind: str
    entry: int
    source: str
    stream: str
    organ: str
    key: str
    fields: tuple[str, ...]
    reason: str
    proposed_by: str
    proposed_at: datetime


def proposals(
    runtime: Runtime, *, organ: str | None = None, source: str | None = None, after: int | None = None, limit: int = 100
) -> list[Proposed]:
    """Return at most `limit` open proposals whose number is greater than `after`, the oldest first."""
    query = sa.text(
        """SELECT c.correction_id AS id, coalesce(w.kind, 'flagged') AS kind,
                  coalesce(c.waiting_id, c.record_id) AS entry, ss.code AS source, s.name AS stream, o.organ,
                  r.source_key AS key, c.fields, c.reason, c.proposed_by, c.proposed_at
           FROM quality.correction AS c
           JOIN ledger.source_record AS r ON r.record_id = c.record_id
           JOIN ledger.stream AS s ON s.stream_id = c.stream_id
           JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
           JOIN quality.record_organ AS o ON o.record_id = c.record_id
           LEFT JOIN ledger.waiting AS w ON w.waiting_id = c.waiting_id
           WHERE c.status = 'proposed' AND c.correction_id > :after
             AND (CAST(:organ AS text) IS NULL OR o.organ = :organ)
             AND (CAST(:source AS text) IS NULL OR ss.code = :source)
           ORDER BY c.correction_id LIMIT :limit"""
    )
    asked = {"organ": organ, "source": source, "after": after or 0, "limit": limit}
    with runtime.engine.connect() as connection:
        found = connection.execute(query, asked).mappings().all()
    return [Proposed(**{**row, "fields": tuple(row["fields"])}) for row in found]
