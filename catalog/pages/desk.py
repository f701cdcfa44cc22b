"""What the desks of the catalogue show: versions under way, what each changes, and which deeds a seat may do now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from catalog import life, reading
from catalog.errors import NoSuchItem
from catalog.life import Seat

_WAITING = """
SELECT i.code, i.organ, v.version, v.state, v.change, v.reason, v.content ->> 'name' AS name, v.drafted_at,
    (SELECT o.name FROM core.organ AS o WHERE o.code = i.organ ORDER BY o.valid_from DESC NULLS LAST LIMIT 1)
        AS organ_name,
    ARRAY(SELECT d.seat FROM catalog.item_deed AS d WHERE d.version_id = v.version_id AND d.what = 'agree'
          AND d.deed_id > (SELECT coalesce(max(s.deed_id), 0) FROM catalog.item_deed AS s
                           WHERE s.version_id = v.version_id AND s.what = 'submit')) AS agreed,
    (SELECT count(*) FROM catalog.item_comment AS c WHERE c.version_id = v.version_id AND c.answer IS NULL) AS comments
FROM catalog.item_version AS v JOIN catalog.item AS i ON i.item_id = v.item_id
WHERE v.state IN ('draft', 'in_review', 'to_publish') AND (CAST(:organ AS text) IS NULL OR i.organ = :organ)
ORDER BY v.drafted_at, i.code LIMIT 1000
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """One item on a desk: its life, what the version under way changes, and the deeds that this seat may do now."""

    item: Mapping[str, Any]
    under_way: Mapping[str, Any] | None
    standing: Mapping[str, Any] | None
    deeds: tuple[str, ...]
    changes: tuple[str, ...]

    @property
    def fields(self) -> list[tuple[str, Any, Any]]:
        """Return each field that the version under way changes: what stands, and what is proposed."""
        if self.under_way is None:
            return []
        before = {} if self.standing is None else self.standing["content"]
        after = self.under_way["content"]
        names = sorted({*before, *after})
        return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def waiting(engine: sa.Engine, *, organ: str | None, seat: Seat) -> list[dict[str, Any]]:
    """Return the versions under way, of one organ or of all; `mine` says whether it is this seat's turn."""
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.text(_WAITING), {"organ": organ}).mappings()]
    return [{**row, "mine": _turn(row, seat)} for row in rows]


def desk(engine: sa.Engine, code: str, *, organ: str | None, seat: Seat) -> Desk:
    """Return one item as a seat sees it; another department's is not there.

    Raises:
        NoSuchItem: there is none, or it is another department's.
    """
    item = reading.shown(engine, code)
    if organ is not None and item["organ"] != organ:
        raise NoSuchItem(code)
    under_way = next((one for one in item["versions"] if one["state"] in ("draft", "in_review", "to_publish")), None)
    published = [one for one in item["versions"] if one["state"] == "published"]
    standing = max(published, key=lambda one: (one["effective_on"], one["version"]), default=None)
    deeds = () if under_way is None else _deeds(seat, under_way["state"])
    changes = life.changes(standing["status"] if standing else None) if under_way is None else ()
    return Desk(item, under_way, standing, deeds, changes if seat == "department" else ())


def _deeds(seat: Seat, state: life.State) -> tuple[str, ...]:
    return tuple(name for name, one in life.DEEDS.items() if seat in one.seats and state in one.states)


def _turn(row: Mapping[str, Any], seat: Seat) -> bool:
    """Say whether a version waits for a seat."""
    state = row["state"]
    if seat in life.REVIEWERS:
        return state == "in_review" and seat not in row["agreed"]
    return state == {"department": "draft", "supervision": "to_publish"}.get(seat) or (
        seat == "department" and row["comments"] > 0
    )
