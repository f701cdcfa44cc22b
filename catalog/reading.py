"""The catalogue read: lists, one item with its life, what an item rests on, and what needs cleaning up."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from catalog import prerequisites, store

_LISTED = """
SELECT f.code, f.content ->> 'name' AS name, f.organ, f.status, f.version, f.content ->> 'kind' AS kind,
    concat_ws(' ', f.content -> 'legal_limit' ->> 'value', f.content -> 'legal_limit' ->> 'unit') AS legal,
    concat_ws(' ', f.content -> 'promised_limit' ->> 'value', f.content -> 'promised_limit' ->> 'unit') AS promised,
    f.valid_from,
    (SELECT state FROM catalog.item_version AS v
     WHERE v.item_id = f.item_id AND v.state IN ('draft', 'in_review', 'to_publish')) AS under_way
FROM catalog.in_force AS f
WHERE f.valid_from <= :day AND (f.valid_to IS NULL OR :day < f.valid_to)
    AND (CAST(:organ AS text) IS NULL OR f.organ = :organ)
ORDER BY f.organ, f.code
"""

_VERSIONS = """SELECT version, state, status, change, reason, content, successors, effective_on, drafted_by, drafted_at,
    published_by, published_at FROM catalog.item_version WHERE item_id = :item ORDER BY version"""
_DEEDS = """SELECT d.at, v.version, d.seat, d.actor, d.what, d.opinion, d.content FROM catalog.item_deed AS d
    JOIN catalog.item_version AS v ON v.version_id = d.version_id WHERE v.item_id = :item ORDER BY d.deed_id"""
_COMMENTS = """SELECT c.comment_id AS number, v.version, c.at, c.said, c.answer, c.answered_at
    FROM catalog.item_comment AS c JOIN catalog.item_version AS v ON v.version_id = c.version_id
    WHERE v.item_id = :item ORDER BY c.comment_id"""

_IDLE = """
SELECT f.code, f.content ->> 'name' AS name, f.organ, f.valid_from
FROM catalog.in_force AS f
WHERE f.status = 'in_force' AND f.valid_from <= :day AND (f.valid_to IS NULL OR :day < f.valid_to)
    AND NOT EXISTS (SELECT FROM catalog.version_of_case AS c WHERE c.item_id = f.item_id)
ORDER BY f.organ, f.code
"""
_LOOSE = """
SELECT c.item_code, c.organ, c.why, count(*) AS cases, min(c.accepted_on) AS first, max(c.accepted_on) AS last
FROM catalog.version_of_case AS c WHERE c.why IS NOT NULL
GROUP BY c.item_code, c.organ, c.why ORDER BY count(*) DESC, c.item_code, c.organ
"""


def listed(engine: sa.Engine, *, day: date, organ: str | None = None) -> list[dict[str, Any]]:
    """Return every item with what it says on a day; `under_way` is the state of its next version, if there is one."""
    with engine.connect() as connection:
        return _rows(connection, _LISTED, day=day, organ=organ)


def shown(engine: sa.Engine, code: str) -> dict[str, Any]:
    """Return an item with its numbers, versions, deeds and comments.

    Raises:
        NoSuchItem: there is none of this number.
    """
    with engine.connect() as connection:
        item = store.known(connection, code)
        facts = _rows(connection, "SELECT code, base_code, organ, region FROM catalog.item WHERE item_id = :item",
                      item=item.item_id)[0]  # fmt: skip
        numbers = _rows(connection, "SELECT scheme, number FROM catalog.item_number WHERE item_id = :item ORDER BY 1",
                        item=item.item_id)  # fmt: skip
        return {
            **facts,
            "numbers": {one["scheme"]: one["number"] for one in numbers},
            "versions": _rows(connection, _VERSIONS, item=item.item_id),
            "deeds": _rows(connection, _DEEDS, item=item.item_id),
            "comments": _rows(connection, _COMMENTS, item=item.item_id),
        }


def resting(engine: sa.Engine, code: str) -> tuple[str, prerequisites.Needs, dict[str, str]]:
    """Return an item's node, what it and all that it rests on need, and the names of the items in the catalogue.

    Raises:
        NoSuchItem: there is none of this number.
    """
    with engine.connect() as connection:
        item = store.known(connection, code)
        newest = store.newest(connection)
    names = {prerequisites.node(one, base): content["name"] for one, base, content in newest}
    asked = prerequisites.node(item.code, item.base_code)
    return asked, prerequisites.resting(prerequisites.needs(newest), asked), names


def cleaning(engine: sa.Engine, day: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return items in force that no case names, and the items that cases name though they were not in force."""
    with engine.connect() as connection:
        return _rows(connection, _IDLE, day=day), _rows(connection, _LOOSE)


def _rows(connection: sa.Connection, query: str, **values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.text(query), values).mappings()]
