"""Organs, regions and items by name, as the registers name them now; a code that nobody knows is its own name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Named:
    """A code with its names."""

    code: str
    zh: str
    en: str

    def said(self, language: str) -> str:
        """Return the name in a language; where there is none, the other one, else the code."""
        return (self.zh or self.en if language == "zh" else self.en or self.zh) or self.code


_ORGANS = """
SELECT c.code, coalesce(o.name, s.title_zh, '') AS zh, coalesce(s.title, '') AS en
FROM unnest(CAST(:codes AS text[])) AS c (code)
LEFT JOIN LATERAL (SELECT name FROM core.organ WHERE code = c.code
                   ORDER BY valid_from DESC NULLS LAST LIMIT 1) AS o ON TRUE
LEFT JOIN LATERAL (SELECT min(title) AS title, min(title_zh) AS title_zh FROM core.source_system
                   WHERE organ = c.code AND c.code <> '') AS s ON TRUE
"""
_REGIONS = """
SELECT c.code, coalesce(r.name, '') AS zh, '' AS en
FROM unnest(CAST(:codes AS text[])) AS c (code)
LEFT JOIN LATERAL (SELECT name FROM core.region WHERE code = c.code
                   ORDER BY valid_from DESC NULLS LAST LIMIT 1) AS r ON TRUE
"""
_ITEMS = """
SELECT c.code, coalesce(f.content ->> 'name', '') AS zh, coalesce(f.content ->> 'name_en', '') AS en
FROM unnest(CAST(:codes AS text[])) AS c (code)
LEFT JOIN LATERAL (
    SELECT content FROM catalog.in_force WHERE code = c.code OR base_code = c.code
    ORDER BY (code = c.code) DESC, valid_from DESC LIMIT 1) AS f ON TRUE
"""


def organs(connection: sa.Connection, codes: Collection[str | None]) -> Mapping[str, Named]:
    """Return the organs of these codes."""
    return _named(connection, _ORGANS, codes)


def regions(connection: sa.Connection, codes: Collection[str | None]) -> Mapping[str, Named]:
    """Return the regions of these codes."""
    return _named(connection, _REGIONS, codes)


def items(connection: sa.Connection, codes: Collection[str | None]) -> Mapping[str, Named]:
    """Return the items of these codes; a few dozens at most, of one page."""
    return _named(connection, _ITEMS, codes)


def _named(connection: sa.Connection, query: str, codes: Collection[str | None]) -> Mapping[str, Named]:
    asked = sorted({one for one in codes if one})
    rows = connection.execute(sa.text(query), {"codes": asked}) if asked else ()
    return {row.code: Named(row.code, row.zh, row.en) for row in rows}
