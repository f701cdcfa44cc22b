"""The catalogue written out in the hub's own form, which an import reads back unchanged."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from catalog.imports.entries import FORM

_ITEMS = """
SELECT f.code, f.organ, f.base_code, f.region, f.status, f.valid_from AS effective_on, f.content,
    coalesce((SELECT jsonb_object_agg(n.scheme, n.number) FROM catalog.item_number AS n WHERE n.item_id = f.item_id),
             '{}') AS numbers
FROM catalog.in_force AS f
WHERE f.valid_from <= :day AND (f.valid_to IS NULL OR :day < f.valid_to)
ORDER BY f.code
"""


_BASES = "SELECT base_code, content FROM catalog.base_item ORDER BY base_code"


def document(connection: sa.Connection, day: date) -> dict[str, Any]:
    """Return all items with what each says on a day; abolished and devolved ones too, as such.

    What base items fix goes with them as it is now: they have no days.
    """
    rows = connection.execute(sa.text(_ITEMS), {"day": day}).mappings()
    items = [{**row, "effective_on": row["effective_on"].isoformat()} for row in rows]
    bases = [dict(row) for row in connection.execute(sa.text(_BASES)).mappings()]
    return {
        "catalogue": FORM, "day": day.isoformat(), "base_items": bases, "items": [_without_empty(one) for one in items],
    }  # fmt: skip


def _without_empty(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if value not in (None, {})}
