"""Held deliveries: which there are, why they are held, and publishing one after all on a person's word."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from connectors.loading import load_sources
from hub.errors import RepositoryError
from pipeline.runtime import Runtime
from quality import running

_HELD = """
SELECT b.batch_id AS batch, ss.code AS source, s.name AS stream, coalesce(ss.organ, '') AS organ, b.kind, b.unit,
    b.read_at, b.read, ARRAY(SELECT DISTINCT f.rule FROM quality.finding AS f
                     WHERE f.stream_id = b.stream_id AND f.unit IS NOT DISTINCT FROM b.unit AND f.record_id IS NULL
                       AND f.state = 'open' ORDER BY 1) AS rules
FROM ledger.batch AS b JOIN ledger.stream AS s ON s.stream_id = b.stream_id
JOIN core.source_system AS ss ON ss.source_system_id = s.source_system_id
WHERE b.status = 'held' AND (CAST(:organ AS text) IS NULL OR ss.organ = :organ)
  AND (CAST(:batch AS bigint) IS NULL OR b.batch_id = :batch)
ORDER BY b.batch_id DESC LIMIT :limit
"""


def held(engine: sa.Engine, *, organ: str | None = None, batch: int | None = None, limit: int = 500) -> list[Any]:
    """Return the held batches, the newest first, with the rules that hold them."""
    with engine.connect() as connection:
        asked = {"organ": organ, "batch": batch, "limit": limit}
        return list(connection.execute(sa.text(_HELD), asked).mappings())


def accept(runtime: Runtime, code: str, batch: int, *, actor: str, reason: str) -> dict[str, int]:
    """Publish a held batch; return what became of its records, by outcome.

    Raises:
        RepositoryError: no reason is given, the source is not declared, or the batch cannot be accepted.
    """
    why = reason.strip()
    if not why:
        raise RepositoryError("no reason was given. Say why this delivery is right: it is kept with the batch.")
    sources = load_sources(runtime.settings.sources, only={code})
    return running.release(runtime, sources, source=code, batch=batch, actor=actor, reason=why)


def waits_as(engine: sa.Engine, number: int) -> int | None:
    """Return the number under which the record of an entry waits now; None where it does not wait."""
    query = """SELECT max(w.waiting_id) FROM ledger.waiting AS w JOIN ledger.waiting AS asked USING (record_id)
               WHERE asked.waiting_id = :number AND w.status = 'open' AND w.kind = 'quarantined'"""
    with engine.connect() as connection:
        found = connection.execute(sa.text(query), {"number": number}).scalar()
    return None if found is None else int(found)
