"""Sources and streams as the repository knows them: their numbers, cursors, and how far they are complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from sharedrepo import stage


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the repository keeps of a source: its code and what its folder says of it."""

    code: str
    title: str
    title_zh: str | None
    organ: str | None
    region: str | None
    kind: str
    profile: str | None

    def as_dict(self) -> dict[str, str | None]:
        """Return the facts by name."""
        return {name: getattr(self, name) for name in self.__slots__}


def source_system_id(cursor: stage.Cursor, facts: SourceFacts) -> int:
    """Return the number of a source, entering it or what has changed of it."""
    values = facts.as_dict()
    cursor.execute("SELECT * FROM core.source_system WHERE code = %(code)s", values)
    found = cursor.fetchone()
    if found is not None and tuple(found[1:]) == tuple(values.values()):
        return int(found[0])
    cursor.execute(
        """INSERT INTO core.source_system (code, title, title_zh, organ, region, kind, profile)
           VALUES (%(code)s, %(title)s, %(title_zh)s, %(organ)s, %(region)s, %(kind)s, %(profile)s)
           ON CONFLICT (code) DO UPDATE SET title = excluded.title, title_zh = excluded.title_zh,
               organ = excluded.organ, region = excluded.region, kind = excluded.kind, profile = excluded.profile
           RETURNING source_system_id""",
        values,
    )
    return int(stage.scalar(cursor))


def stream(cursor: stage.Cursor, source: int, name: str) -> tuple[int, dict[str, Any]]:
    """Return the number and the cursor of a stream, entering it where it is new."""
    cursor.execute(
        "SELECT stream_id, state FROM ledger.stream WHERE source_system_id = %s AND name = %s", (source, name)
    )
    found = cursor.fetchone()
    if found is not None:
        return int(found[0]), dict(found[1])
    cursor.execute(
        "INSERT INTO ledger.stream (source_system_id, name) VALUES (%s, %s) RETURNING stream_id", (source, name)
    )
    return int(stage.scalar(cursor)), {}


def next_seq(cursor: stage.Cursor, source: int) -> int:
    """Return the running number of the source's next batch."""
    cursor.execute("SELECT coalesce(max(seq), 0) + 1 FROM ledger.batch WHERE source_system_id = %s", (source,))
    return int(stage.scalar(cursor))


def advance(
    cursor: stage.Cursor, stream_id: int, *, state: Mapping[str, Any], complete_through: datetime | None, declared: bool
) -> None:
    """Move a stream's cursor; the time up to which it is complete moves only forward, and not on an empty pull."""
    cursor.execute(
        """UPDATE ledger.stream SET state = %s,
               complete_through = greatest(complete_through, %s),
               complete_basis = CASE WHEN %s::timestamptz IS NULL THEN complete_basis ELSE %s END
           WHERE stream_id = %s""",
        (
            orjson.dumps(state).decode(), complete_through, complete_through,
            "declared" if declared else "inferred", stream_id,
        ),
    )  # fmt: skip


def succeeded(cursor: stage.Cursor, stream_id: int, at: datetime) -> None:
    """Write down that a pull of the stream went through, whether it brought anything or not."""
    cursor.execute("UPDATE ledger.stream SET last_success_at = %s WHERE stream_id = %s", (at, stream_id))


def last_successes(engine: sa.Engine) -> dict[tuple[str, str], datetime | None]:
    """Return when each (source, stream) last went through."""
    query = """SELECT ss.code, s.name, s.last_success_at FROM ledger.stream AS s
               JOIN core.source_system AS ss USING (source_system_id)"""
    with engine.connect() as connection:
        return {(code, name): at for code, name, at in connection.exec_driver_sql(query)}
