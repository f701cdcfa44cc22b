"""The departments by name and level, and what stands beside their scores: issues, held deliveries, age of feeds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

LEVELS = ("province", "city", "county")
"""Levels of organs in the order of the tabs; an organ that the register does not know counts to the first."""


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ as the register names it now, or as its source names it, or by its code alone."""

    code: str
    title: str
    title_zh: str
    level: str

    def named(self, language: str) -> str:
        """Return its name in a language."""
        return (self.title_zh if language == "zh" else self.title) or self.code


@dataclass(frozen=True, slots=True)
class Standing:
    """What else is known of an organ's feeds: open issues by severity, held batches, the oldest complete_through."""

    high: int = 0
    issues: int = 0
    held: int = 0
    complete_through: datetime | None = None


_ORGANS = """
SELECT c.code, coalesce(s.title, o.name, '') AS title, coalesce(o.name, s.title_zh, '') AS title_zh,
    CASE WHEN o.level IN ('city', 'county') THEN o.level ELSE 'province' END AS level
FROM unnest(CAST(:codes AS text[])) AS c (code)
LEFT JOIN LATERAL (SELECT name, level FROM core.organ WHERE code = c.code
                   ORDER BY valid_from DESC NULLS LAST LIMIT 1) AS o ON TRUE
LEFT JOIN LATERAL (SELECT min(title) AS title, min(title_zh) AS title_zh FROM core.source_system
                   WHERE organ = c.code AND c.code <> '') AS s ON TRUE
"""

_STANDINGS = """
WITH open AS (
    SELECT organ, count(*) AS issues, count(*) FILTER (WHERE severity = 'high') AS high
    FROM quality.issue WHERE closed_at IS NULL GROUP BY organ),
held AS (SELECT stream_id, count(*) AS held FROM ledger.batch WHERE status = 'held' GROUP BY stream_id),
feed AS (
    SELECT ss.organ, min(s.complete_through) AS complete_through, coalesce(sum(h.held), 0)::bigint AS held
    FROM ledger.stream AS s JOIN core.source_system AS ss USING (source_system_id) LEFT JOIN held AS h USING (stream_id)
    WHERE ss.organ IS NOT NULL GROUP BY ss.organ)
SELECT organ, coalesce(issues, 0) AS issues, coalesce(high, 0) AS high, coalesce(held, 0) AS held, complete_through
FROM open FULL JOIN feed USING (organ)
"""


def organs(engine: sa.Engine, codes: Collection[str]) -> Mapping[str, Organ]:
    """Return the organs of these codes; one that nobody knows has its code for a name."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(_ORGANS), {"codes": sorted(set(codes))}).mappings().all()
    return {row["code"]: Organ(**row) for row in rows}


def standings(engine: sa.Engine) -> Mapping[str, Standing]:
    """Return the standing of every organ that has issues or feeds."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(_STANDINGS)).mappings().all()
    return {row["organ"]: Standing(**{name: value for name, value in row.items() if name != "organ"}) for row in rows}
