"""Scores read: the province at a glance and the trend of one organ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from quality.scores.recording import record_day

__all__ = ["Overview", "Part", "Point", "overview", "parts", "record_day", "trend"]

Counted = tuple[int, int]
"""Numerator and denominator of a score: clean records, and all of them."""


@dataclass(frozen=True, slots=True)
class Overview:
    """One organ's score of a day; `dimensions` holds (clean, records) of each, `day` is the day it was recorded for."""

    organ: str
    title: str
    title_zh: str
    day: date
    clean: int
    records: int
    dimensions: Mapping[str, Counted]
    issues: int

    @property
    def score(self) -> float | None:
        """Return clean ÷ records; None where there are no records."""
        return self.clean / self.records if self.records else None

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {**asdict(self), "score": self.score}


@dataclass(frozen=True, slots=True)
class Part:
    """A score of one organ's stream and document on a day; the document is empty where every record counts once."""

    organ: str
    source: str
    stream: str
    document: str
    clean: int
    records: int
    dimensions: Mapping[str, Counted]


@dataclass(frozen=True, slots=True)
class Point:
    """An organ's score on one day of its trend; `issues` were open at its end."""

    day: date
    clean: int
    records: int
    dimensions: Mapping[str, Counted]
    issues: int


_DAY = "(SELECT max(day) FROM quality.score WHERE day <= :day)"

_OVERVIEW = f"""
WITH summed AS (
    SELECT organ, dimension, sum(clean)::bigint AS clean, sum(records)::bigint AS records
    FROM quality.score WHERE day = {_DAY} AND document = '' GROUP BY organ, dimension)
SELECT a.organ, n.title, n.title_zh, {_DAY} AS day, a.clean, a.records, coalesce(i.issues, 0) AS issues,
    (SELECT jsonb_object_agg(d.dimension, jsonb_build_array(d.clean, d.records))
     FROM summed AS d WHERE d.organ = a.organ AND d.dimension <> '') AS dimensions
FROM summed AS a
LEFT JOIN (SELECT organ, count(*) AS issues FROM quality.daily WHERE day = {_DAY} GROUP BY organ) AS i USING (organ)
LEFT JOIN LATERAL (
    SELECT o.name AS title_zh, o.name AS title FROM core.organ AS o WHERE o.code = a.organ
    ORDER BY o.valid_from DESC NULLS LAST LIMIT 1) AS o ON TRUE
CROSS JOIN LATERAL (
    SELECT coalesce(o.title_zh, s.title_zh, a.organ) AS title_zh, coalesce(s.title, o.title, a.organ) AS title
    FROM (SELECT min(title) AS title, min(title_zh) AS title_zh FROM core.source_system
          WHERE organ = a.organ AND a.organ <> '') AS s) AS n
WHERE a.dimension = ''
ORDER BY a.clean::float / nullif(a.records, 0), a.organ
"""

_TREND = """
WITH summed AS (
    SELECT day, dimension, sum(clean)::bigint AS clean, sum(records)::bigint AS records
    FROM quality.score
    WHERE organ = :organ AND document = '' AND day > CAST(:last AS date) - CAST(:days AS int) AND day <= :last
    GROUP BY day, dimension)
SELECT a.day, a.clean, a.records,
    (SELECT count(*) FROM quality.daily AS q WHERE q.organ = :organ AND q.day = a.day) AS issues,
    (SELECT jsonb_object_agg(d.dimension, jsonb_build_array(d.clean, d.records))
     FROM summed AS d WHERE d.day = a.day AND d.dimension <> '') AS dimensions
FROM summed AS a WHERE a.dimension = '' ORDER BY a.day
"""

_PARTS = f"""
SELECT q.organ, ss.code AS source, s.name AS stream, q.document,
    max(q.clean) FILTER (WHERE q.dimension = '') AS clean, max(q.records) AS records,
    jsonb_object_agg(q.dimension, jsonb_build_array(q.clean, q.records)) FILTER (WHERE q.dimension <> '') AS dimensions
FROM quality.score AS q
JOIN ledger.stream AS s USING (stream_id) JOIN core.source_system AS ss USING (source_system_id)
WHERE q.day = {_DAY} AND (CAST(:organ AS text) IS NULL OR q.organ = :organ)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


def overview(engine: sa.Engine, day: date) -> list[Overview]:
    """Return every organ's score, the worst first, as of the last day that was recorded up to `day`."""
    return [Overview(**_counted(row)) for row in _rows(engine, _OVERVIEW, day=day)]


def parts(engine: sa.Engine, day: date, organ: str | None = None) -> list[Part]:
    """Return the scores of each stream and document, of one organ or all, as of the last day recorded up to `day`."""
    return [Part(**_counted(row)) for row in _rows(engine, _PARTS, day=day, organ=organ)]


def trend(engine: sa.Engine, organ: str, days: int, last: date | None = None) -> list[Point]:
    """Return an organ's scores of `days` days up to `last` (the last day recorded), the oldest first.

    A day that was not recorded has no point: nothing is drawn between.
    """
    if last is None:
        with engine.connect() as connection:
            last = connection.execute(sa.text("SELECT max(day) FROM quality.score")).scalar()
    if last is None:
        return []
    return [Point(**_counted(row)) for row in _rows(engine, _TREND, organ=organ, days=days, last=last)]


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "dimensions": {name: (clean, of) for name, (clean, of) in sorted(row["dimensions"].items())}}


def _rows(engine: sa.Engine, query: str, **values: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]
