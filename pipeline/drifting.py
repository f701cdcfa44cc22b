"""What was told of a stream's shape, settled: a change that was mended, or is seen no more, is told no longer."""

from __future__ import annotations

from hub.records import Slice
from pipeline.work import Line
from sharedrepo import drift, load, stage


def settle(cursor: stage.Cursor, line: Line, piece: Slice, loaded: load.Loaded, *, kind: str) -> None:
    """Close what was mended in the declaration; at a pull's end, also what it saw no more."""
    batch_id, stream_id = loaded.batch_id, line.stream_id
    pulled = kind == "pull" and not line.backfill
    begun = drift.begin(cursor, stream_id, batch_id) if pulled else batch_id
    open_ = drift.told(cursor, stream_id)
    gone = [one.finding_id for one in open_ if line.desk.judge.settled(one.rule, one.field, one.pointer, one.types)]
    if pulled and piece.last:
        unseen = [one for one in open_ if one.last_batch_id < begun]
        # Of marks of deletion the shape is not looked at: a pull that brought nothing else saw no change end.
        looked = loaded.read > sum(loaded.counts[one] for one in ("unchanged", "stale", "deleted"))
        looked = looked or (bool(unseen) and drift.brought_anything(cursor, stream_id, begun))
        # A stream that was stopped runs again when a pull goes through, even if the records in question are gone.
        gone += [one.finding_id for one in unseen if looked or one.detail.get("contract") == "freeze"]
        drift.end(cursor, stream_id)
    drift.close(cursor, gone, batch_id=batch_id)
