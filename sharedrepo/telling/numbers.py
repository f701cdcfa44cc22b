"""Lists the numbered deliveries of a source for people: which have come, and which are missing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import sqlalchemy as sa

from sharedrepo.feeds.envelopes import missing

_STREAMS = """
    SELECT s.stream_id, s.name AS stream, s.envelope_through AS through FROM ledger.stream AS s
    JOIN core.source_system AS ss USING (source_system_id)
    WHERE ss.code = :source AND EXISTS (SELECT FROM ledger.envelope AS e WHERE e.stream_id = s.stream_id)
    ORDER BY s.stream_id"""
_NUMBERS = """
    SELECT e.number, e.status, e.unit, e.records, e.organs, e.complete_through, b.recorded_at
    FROM ledger.envelope AS e LEFT JOIN ledger.batch AS b USING (batch_id)
    WHERE e.stream_id = :stream_id ORDER BY e.number DESC LIMIT :most"""


def listed(engine: sa.Engine, source: str, firsts: Mapping[str, int], most: int) -> list[dict[str, Any]]:
    """Return each stream with its newest numbers, up to which number all were received, and which are missing.

    `firsts` says with which number each stream begins.
    """
    found = []
    with engine.connect() as connection:
        for row in connection.execute(sa.text(_STREAMS), {"source": source}).mappings().all():
            values = {"stream_id": row["stream_id"], "most": most}
            newest = [dict(one) for one in connection.execute(sa.text(_NUMBERS), values).mappings()]
            driver: Any = connection.connection.driver_connection
            with closing(driver.cursor()) as cursor:
                gaps = missing(cursor, row["stream_id"], firsts.get(row["stream"], 1))
            found.append(
                {"stream": row["stream"], "through": row["through"], "missing": str(gaps), "missing_count": gaps.count,
                 "numbers": newest}
            )  # fmt: skip
    return found
