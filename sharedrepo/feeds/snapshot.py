"""Which records of a stream a whole snapshot holds: its keys gather in a table of this session."""

from __future__ import annotations

from collections.abc import Iterable

from sharedrepo.staging import stage


def begin(cursor: stage.Cursor) -> None:
    """Begin a snapshot: nothing was seen of it yet."""
    cursor.execute("CREATE TEMP TABLE IF NOT EXISTS snapshot_seen (source_key text) ON COMMIT PRESERVE ROWS")
    cursor.execute("TRUNCATE snapshot_seen")


def saw(cursor: stage.Cursor, keys: Iterable[str]) -> None:
    """Note the keys of records that the snapshot holds."""
    stage.copy(cursor, "snapshot_seen", {"source_key": stage.texts(sorted(keys))})


def absent(cursor: stage.Cursor, stream_id: int) -> tuple[list[str], int]:
    """Return the keys of living records that the snapshot does not hold, in order, and how many records live."""
    cursor.execute("ANALYZE snapshot_seen")
    cursor.execute(
        """SELECT array_agg(source_key ORDER BY source_key)
                      FILTER (WHERE NOT EXISTS (SELECT FROM snapshot_seen AS s WHERE s.source_key = r.source_key)),
                  count(*)
           FROM ledger.source_record AS r WHERE stream_id = %s AND state <> 'deleted'""",
        (stream_id,),
    )
    found = cursor.fetchone()
    gone, live = found if found is not None else (None, 0)
    return list(gone or ()), int(live)


def overtaken(cursor: stage.Cursor, stream_id: int, batch_id: int) -> bool:
    """Say whether a pull of the stream was committed after the one that this batch belongs to."""
    cursor.execute(
        "SELECT EXISTS (SELECT FROM ledger.batch WHERE stream_id = %s AND kind = 'pull' AND batch_id > %s)",
        (stream_id, batch_id),
    )
    return bool(stage.scalar(cursor))
