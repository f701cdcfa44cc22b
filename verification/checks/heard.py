"""What was said and heard of a check of prerequisites so far, read back when it is answered anew.

What officers said stands in their inquiries; what departments' systems brought live, in the newest answer itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import orjson
import psycopg2.extensions

from verification.checks import inquiring
from verification.rules.words import Heard, Place, Words

Cursor = psycopg2.extensions.cursor
_NEWEST: Final = """SELECT e.answer, count(*) OVER () FROM audit.entry AS e
    WHERE e.check_id = %s AND e.kind = 'prerequisites' ORDER BY e.entry_id DESC LIMIT 1"""
_STREAMS: Final = """SELECT ss.code || '/' || st.name, st.stream_id FROM ledger.stream AS st
    JOIN core.source_system AS ss USING (source_system_id) WHERE ss.code || '/' || st.name = ANY(%s)"""


def words(cursor: Cursor, check_id: str) -> Words:
    """Return what officers have said of the options of a check, and what systems have brought for them."""
    cursor.execute(_NEWEST, (check_id,))
    row = cursor.fetchone()
    # Read before what officers said: whoever answers in between is noticed by the count.
    said = inquiring.words(cursor, check_id)
    if row is None:
        return said
    answer = orjson.loads(row[0])
    told = {
        (at, place): option["live"]
        for at, group in enumerate(answer["groups"])
        for place, option in enumerate(group["options"]) if "live" in option
    }  # fmt: skip
    return replace(said, answers=row[1], version=answer["item_version"], heard=_heard(cursor, told))


def _heard(cursor: Cursor, told: Mapping[Place, list[dict[str, Any]]]) -> dict[Place, tuple[Heard, ...]]:
    if not told:
        return {}
    cursor.execute(_STREAMS, (sorted({one["source"] for live in told.values() for one in live}),))
    streams = dict(cursor.fetchall())
    return {
        place: tuple(
            Heard(
                one["source"], streams.get(one["source"]), one["organ"], one["basis"], one["found"],
                datetime.fromisoformat(one["asked_at"]), datetime.fromisoformat(one["answered_at"]),
                frozenset(one["evidence"]),
            )
            for one in live
        )
        for place, live in told.items()
    }  # fmt: skip
