"""Sources and streams as the repository knows them: their numbers, cursors, and how far they are complete."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from hub.errors import StateTooLarge
from sharedrepo.staging import stage

MOST_STATE = 4 << 20
"""So many bytes of state a stream may have at most.

The state is written with every batch. Of most kinds it is a few values, whatever was read; of files it names those that
lie in the folder, of which `limits.files` lets this many pass.
"""


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
    cursor: stage.Cursor, stream_id: int, *, state: Mapping[str, Any], complete_through: datetime | None = None,
    basis: str = "inferred",
) -> None:  # fmt: skip
    """Move a stream's cursor; the time up to which it is complete moves only forward, and not on an empty pull.

    `basis` says where that time is from: `declared`, `inferred` or `envelope`.

    Raises:
        StateTooLarge: the state has outgrown `MOST_STATE`; the present transaction is to be given up.
    """
    written = orjson.dumps(state)
    if len(written) > MOST_STATE:
        raise _too_large(cursor, stream_id, state, len(written))
    cursor.execute(
        """UPDATE ledger.stream SET state = %s,
               complete_through = greatest(complete_through, %s),
               complete_basis = CASE WHEN %s::timestamptz IS NULL THEN complete_basis ELSE %s END
           WHERE stream_id = %s""",
        (
            written.decode(), complete_through, complete_through, basis, stream_id,
        ),
    )  # fmt: skip


def _too_large(cursor: stage.Cursor, stream_id: int, state: Mapping[str, Any], size: int) -> StateTooLarge:
    cursor.execute(
        """SELECT ss.code, s.name FROM ledger.stream AS s JOIN core.source_system AS ss USING (source_system_id)
           WHERE s.stream_id = %s""",
        (stream_id,),
    )
    source, name = cursor.fetchone() or ("?", "?")
    parts = ", ".join(f"{part}: {len(value)}" for part, value in state.items() if isinstance(value, Sized))
    got = f"its state would take {size:,} bytes ({parts})"
    return StateTooLarge(source=source, stream=name, got=got, known=f"at most {MOST_STATE:,} bytes")


def complete(cursor: stage.Cursor, stream_id: int, through: datetime) -> None:
    """Move the time up to which a stream is complete, on the word of its envelopes; only forward."""
    cursor.execute(
        """UPDATE ledger.stream SET complete_through = %(through)s, complete_basis = 'envelope'
           WHERE stream_id = %(stream)s AND (complete_through IS NULL OR complete_through < %(through)s)""",
        {"stream": stream_id, "through": through},
    )


def complete_through(cursor: stage.Cursor, stream_id: int) -> datetime | None:
    """Return the time up to which a stream is complete."""
    cursor.execute("SELECT complete_through FROM ledger.stream WHERE stream_id = %s", (stream_id,))
    found: datetime | None = stage.scalar(cursor)
    return found


def succeeded(cursor: stage.Cursor, stream_id: int, at: datetime) -> None:
    """Write down that a pull of the stream went through, whether it brought anything or not."""
    cursor.execute("UPDATE ledger.stream SET last_success_at = %s WHERE stream_id = %s", (at, stream_id))


def last_successes(engine: sa.Engine) -> dict[tuple[str, str], datetime | None]:
    """Return when each (source, stream) last went through."""
    query = """SELECT ss.code, s.name, s.last_success_at FROM ledger.stream AS s
               JOIN core.source_system AS ss USING (source_system_id)"""
    with engine.connect() as connection:
        return {(code, name): at for code, name, at in connection.exec_driver_sql(query)}
