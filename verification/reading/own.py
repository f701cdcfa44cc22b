"""What a client may know of itself: its rights, what it may check, and what the hub holds of its organ."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

import psycopg2.extensions

Cursor = psycopg2.extensions.cursor

_CLIENT: Final = """SELECT code, organ, rights, made_at, expires_at FROM access.client WHERE client_id = %s"""
_SHARED: Final = """
SELECT kind, code, class, legal_ground, fresh_hours, stale_allowed, NULL AS purpose, NULL::date AS valid_from,
    NULL::date AS valid_to
FROM access.sharing WHERE ended_at IS NULL AND class = 'unconditional'
UNION ALL
SELECT g.kind, g.code, s.class, g.legal_basis, s.fresh_hours, g.stale_allowed, g.purpose, g.valid_from, g.valid_to
FROM access."grant" AS g
JOIN access.sharing AS s ON s.kind = g.kind AND s.code = g.code AND s.ended_at IS NULL AND s.class = 'conditional'
WHERE g.organ = %(organ)s AND g.state = 'granted' AND (g.valid_to IS NULL OR %(today)s <= g.valid_to)
ORDER BY 1, 2, 7 NULLS FIRST, 8
"""
_ASKED: Final = """
SELECT grant_id AS number, kind, code, purpose, state, answer_due, reason FROM access."grant"
WHERE organ = %s AND state IN ('asked', 'refused') ORDER BY grant_id DESC LIMIT 200
"""
_HELD: Final = """
SELECT ss.code AS source, s.name AS stream, s.complete_through, s.complete_basis, s.last_success_at,
    (SELECT count(*) FROM ledger.source_record AS r WHERE r.stream_id = s.stream_id AND r.state = 'kept') AS kept,
    (SELECT count(*) FROM ledger.source_record AS r WHERE r.stream_id = s.stream_id AND r.state = 'quarantined')
        AS quarantined,
    (SELECT count(*) FROM ledger.source_record AS r WHERE r.stream_id = s.stream_id AND r.state = 'parked') AS parked,
    (SELECT count(*) FROM quality.finding AS f WHERE f.stream_id = s.stream_id AND f.state = 'open') AS findings
FROM core.source_system AS ss JOIN ledger.stream AS s USING (source_system_id)
WHERE ss.organ = %s ORDER BY 1, 2
"""


def access(cursor: Cursor, client_id: int, today: date) -> dict[str, Any]:
    """Return a client's rights, what it may check today and for which purpose, and what its organ asked for."""
    cursor.execute(_CLIENT, (client_id,))
    (client,) = _rows(cursor)
    cursor.execute(_SHARED, {"organ": client["organ"], "today": today})
    shared = _rows(cursor)
    cursor.execute(_ASKED, (client["organ"],))
    return {**client, "may_check": shared, "asked": _rows(cursor)}


def held(cursor: Cursor, organ: str) -> list[dict[str, Any]]:
    """Return what the hub holds of an organ's own feeds: counts by stream, and how far each is complete."""
    cursor.execute(_HELD, (organ,))
    return _rows(cursor)


def _rows(cursor: Cursor) -> list[dict[str, Any]]:
    names = [column.name for column in cursor.description or ()]
    return [
        {name: _plain(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
