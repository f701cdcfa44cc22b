"""The catalogue as the public sees it: published versions only, and of each what its disclosure class allows.

Drafts, opinions and the names of those who act are never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from catalog import prerequisites
from catalog.disclosure import shown
from hub.refusals import NotFound, Unavailable

SIZE = 50
"""Items, or changes, of one page."""
_PATIENCE = "5s"
"""How long a question of somebody who is not known may take in the repository."""

_ORGAN = """(SELECT o.name FROM core.organ AS o WHERE o.code = f.organ
             ORDER BY o.valid_from DESC NULLS LAST LIMIT 1) AS organ_name"""
_HELD = "f.valid_from <= :day AND (f.valid_to IS NULL OR :day < f.valid_to)"
_SEEN = "f.content ->> 'disclosure' IS DISTINCT FROM 'internal'"

_LISTED = f"""
SELECT f.code, f.organ, {_ORGAN}, f.status, f.valid_from, f.content, count(*) OVER () AS total
FROM catalog.in_force AS f
WHERE {_HELD} AND {_SEEN}
    AND (CAST(:organ AS text) IS NULL OR f.organ = :organ)
    AND (CAST(:status AS text) IS NULL OR f.status = :status)
    AND (CAST(:type AS text) IS NULL OR f.content ->> 'item_type' = :type)
    AND (CAST(:words AS text) IS NULL OR f.content ->> 'name' ILIKE :words OR f.content ->> 'name_en' ILIKE :words
         OR f.code ILIKE :words OR EXISTS (SELECT FROM catalog.item_number AS n
                                           WHERE n.item_id = f.item_id AND n.number ILIKE :words))
ORDER BY f.organ, f.code LIMIT :size OFFSET :first
"""
_ORGANS = f"""
SELECT DISTINCT f.organ, {_ORGAN} FROM catalog.in_force AS f WHERE {_HELD} AND {_SEEN} ORDER BY 2, 1 LIMIT 2000
"""
# A base code leads to the item of the highest organ that has it; what each level says of its own stands in the list.
_ITEM = """
SELECT item_id FROM (
    SELECT item_id, 1 AS place, code FROM catalog.item WHERE code = :code
    UNION ALL SELECT item_id, 2, number FROM catalog.item_number WHERE number = :code
    UNION ALL SELECT item_id, 3, substr(code, 19, 1) || code FROM catalog.item WHERE base_code = :code
) AS found ORDER BY place, code LIMIT 1
"""
_VERSIONS = f"""
SELECT f.code, f.base_code, f.organ, {_ORGAN}, f.region, f.version, f.status, f.change, f.content, f.valid_from,
    f.valid_to, f.published_at, v.reason, v.successors
FROM catalog.in_force AS f JOIN catalog.item_version AS v ON v.version_id = f.version_id
WHERE f.item_id = :item ORDER BY f.valid_from DESC, f.version DESC
"""
_STANDING = f"""
SELECT f.code, f.base_code, f.content ->> 'name' AS name, f.content ->> 'disclosure' AS class,
    f.content -> 'requirements' AS requirements
FROM catalog.in_force AS f
WHERE {_HELD} AND f.status IN ('in_force', 'suspended')
"""
_NAMED = f"{_STANDING} AND {_SEEN} AND (f.code = ANY(:codes) OR f.base_code = ANY(:codes))"
# A change is as closed as its own version and what the item says today, whichever is more.
_CHANGES = f"""
SELECT f.code, f.organ, {_ORGAN}, f.version, f.status, f.change, f.content, f.valid_from, f.published_at, v.reason,
    v.successors, before.content AS before
FROM (
    SELECT v.version_id FROM catalog.item_version AS v
    JOIN catalog.item AS i ON i.item_id = v.item_id
    JOIN LATERAL (SELECT content ->> 'disclosure' AS class FROM catalog.item_version
                  WHERE item_id = v.item_id AND state = 'published' ORDER BY effective_on DESC, version DESC LIMIT 1
                 ) AS now ON now.class IS DISTINCT FROM 'internal'
    WHERE v.state = 'published' AND v.content ->> 'disclosure' IS DISTINCT FROM 'internal'
        AND (CAST(:organ AS text) IS NULL OR i.organ = :organ)
        AND (CAST(:change AS text) IS NULL OR v.change = :change)
    ORDER BY v.published_at DESC, v.version_id DESC LIMIT :size OFFSET :first
) AS shown
JOIN catalog.item_version AS v ON v.version_id = shown.version_id
JOIN LATERAL (SELECT i.code, i.organ, v.version, v.status, v.change, v.content, v.effective_on AS valid_from,
                     v.published_at FROM catalog.item AS i WHERE i.item_id = v.item_id) AS f ON TRUE
LEFT JOIN LATERAL (SELECT content FROM catalog.item_version
                   WHERE item_id = v.item_id AND state = 'published' AND version < v.version
                   ORDER BY version DESC LIMIT 1) AS before ON TRUE
ORDER BY f.published_at DESC, v.version_id DESC
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for: words of the name or number, and filters; `first` is how many are left out before."""

    words: str | None = None
    organ: str | None = None
    status: str | None = None
    type: str | None = None
    first: int = 0


def listed(engine: sa.Engine, asked: Asked, day: date) -> tuple[list[dict[str, Any]], int]:
    """Return a page of items with what each says on a day, and how many there are together."""
    words = None if asked.words is None else f"%{_literal(asked.words)}%"
    values = {"organ": asked.organ, "status": asked.status, "type": asked.type, "words": words, "first": asked.first}
    with reading_shortly(engine) as connection:
        rows = _rows(connection, _LISTED, day=day, size=SIZE, **values)
    return [{**row, "content": shown(row["content"])} for row in rows], rows[0]["total"] if rows else 0


def organs(engine: sa.Engine, day: date) -> list[dict[str, Any]]:
    """Return the organs that have items which are shown."""
    with reading_shortly(engine) as connection:
        return _rows(connection, _ORGANS, day=day)


def item(engine: sa.Engine, code: str, day: date) -> dict[str, Any]:
    """Return one item by any of its numbers: what it says on a day, or will say first, and its published versions.

    Raises:
        NotFound: there is none that is published and shown.
    """
    with reading_shortly(engine) as connection:
        versions, numbers = _published(connection, code)
        names = _names(connection, day, versions)
    held = [one for one in versions if one["valid_from"] <= day]
    found = held[0] if held else versions[-1]
    seen = [one for one in versions if one["content"].get("disclosure") != "internal"]
    return {
        **found,
        "content": shown(found["content"]),
        "open": found["content"].get("disclosure") == "public",
        "comes": not held,
        "numbers": numbers,
        "versions": seen,
        "names": names,
    }


def graph(engine: sa.Engine, code: str, day: date) -> tuple[str, prerequisites.Needs, dict[str, str]]:
    """Return an item's node, what it and all that it rests on need, and the names of all items that are shown.

    Raises:
        NotFound: there is no such item, or its prerequisites are not public.
    """
    with reading_shortly(engine) as connection:
        versions, _ = _published(connection, code)
        rows = _rows(connection, _STANDING, day=day)
    newest = next((one for one in versions if one["valid_from"] <= day), versions[-1])
    if newest["content"].get("disclosure") != "public":
        raise NotFound("its prerequisites are not published", hint="Ask the organ that handles it.")
    # What an item needs that is not public is not shown, and neither is the name of one that is not shown at all.
    open_ones = [
        (row["code"], row["base_code"], {"requirements": row["requirements"] or []} if row["class"] == "public" else {})
        for row in rows
    ]
    names = {
        prerequisites.node(row["code"], row["base_code"]): row["name"] for row in rows if row["class"] != "internal"
    }
    asked = prerequisites.node(newest["code"], newest["base_code"])
    return asked, prerequisites.resting(prerequisites.needs(open_ones), asked), names


def changes(engine: sa.Engine, *, organ: str | None, change: str | None, first: int, size: int) -> list[dict[str, Any]]:
    """Return published changes, the newest first, each with the names of the fields that it changed."""
    with reading_shortly(engine) as connection:
        rows = _rows(connection, _CHANGES, organ=organ, change=change, first=first, size=size)
    return [
        {**row, "content": shown(row["content"]), "fields": _fields(row["before"], row["content"])} for row in rows
    ]  # fmt: skip


def _published(connection: sa.Connection, code: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the published versions of an item, the newest first, and its other numbers."""
    found = connection.scalar(sa.text(_ITEM), {"code": code})
    versions = [] if found is None else _rows(connection, _VERSIONS, item=found)
    if not versions or versions[0]["content"].get("disclosure") == "internal":
        raise NotFound("there is no such item in the published catalogue", hint="Look for it in the list: /items")
    numbers = "SELECT scheme, number FROM catalog.item_number WHERE item_id = :item ORDER BY scheme"
    return versions, _rows(connection, numbers, item=found)


def _names(connection: sa.Connection, day: date, versions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the names of the items that some versions name, as far as they are shown, by code and by base code."""
    codes = {code for one in versions for code in (*prerequisites.named(one["content"]), *one["successors"])}
    found: dict[str, str] = {}
    for row in _rows(connection, _NAMED, day=day, codes=sorted(codes)):
        found[row["code"]] = row["name"]
        found.setdefault(row["base_code"] or row["code"], row["name"])
    return found


def _fields(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[str]:
    if before is None or not before.get("disclosure") == after.get("disclosure") == "public":
        return []
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _literal(words: str) -> str:
    """Return words in which no character is a wild card."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


@contextmanager
def reading_shortly(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection for questions that may take a few seconds at most."""
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{_PATIENCE}'")
            yield connection
    except OperationalError:
        raise Unavailable("the catalogue does not answer in time", hint="Ask again.", after_seconds=5) from None


def _rows(connection: sa.Connection, query: str, **values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]
