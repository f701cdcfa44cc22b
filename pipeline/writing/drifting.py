"""What was told of a stream's shape, settled: a change that was mended, or is seen no more, is told no longer."""

from __future__ import annotations

from collections.abc import Sequence

from hub.records import Slice
from hub.table import Table, chosen
from pipeline.preparing.prepare import Prepared
from pipeline.work import Line
from sharedrepo.feeds import drift
from sharedrepo.staging import stage
from sharedrepo.writing import load
from validation.drift import fields_of
from validation.explain import show


def settle(
    cursor: stage.Cursor, line: Line, piece: Slice, prepared: Prepared, loaded: load.Loaded, *, kind: str
) -> None:  # fmt: skip
    """Close what was mended in the declaration; at a pull's end, also what it saw no more."""
    batch_id, stream_id = loaded.batch_id, line.stream_id
    pulled = kind == "pull" and not line.backfill
    begun = drift.begin(cursor, stream_id, batch_id) if pulled else batch_id
    open_ = drift.told(cursor, stream_id)
    gone = [one.finding_id for one in open_ if line.desk.judge.settled(one.rule, one.field, one.pointer, one.types)]
    if pulled:
        come = _come(piece, prepared, open_)
        if piece.last:
            # Of marks of deletion the shape is not looked at: a pull that brought nothing else saw no change end.
            looked = loaded.read > sum(loaded.counts[one] for one in ("unchanged", "stale", "deleted"))
            unseen = [one for one in open_ if one.last_batch_id < begun]
            looked = looked or (bool(unseen) and drift.brought_anything(cursor, stream_id, begun))
            gone += [one.finding_id for one in unseen if _is_over(one, looked=looked, come=come)]
            drift.end(cursor, stream_id)
        else:
            drift.came(cursor, sorted(come))
    drift.close(cursor, gone, batch_id=batch_id)


def _come(piece: Slice, prepared: Prepared, open_: Sequence[drift.Told]) -> frozenset[int]:
    """Return the findings on missing fields that a record of this slice has, or one before it in the same pull."""
    missing = [one for one in open_ if one.rule == "missing_field" and not one.came]
    found = {one.finding_id for one in open_ if one.came}
    if missing:
        fields = {show(name) for name in _fields(piece, prepared)}
        found |= {one.finding_id for one in missing if one.field in fields}
    return frozenset(found)


def _fields(piece: Slice, prepared: Prepared) -> set[str]:
    """Return the fields of the records whose shape was looked at: neither known as they came, nor marks of deletion."""
    deleted = prepared.incoming.deleted
    living = [index for place, index in enumerate(prepared.fresh) if not deleted[place]]
    if not living or isinstance(piece.records, Table):
        return fields_of(piece.records) if living else set()
    return fields_of(chosen(piece.records, living))


def _is_over(told: drift.Told, *, looked: bool, come: frozenset[int]) -> bool:
    """Say whether a change that a pull did not see is none any more.

    A field that was missing must come again: where records leave out what is empty, that a pull did not miss it may
    only mean that nothing could be said. A stream that was stopped runs again when a pull goes through, even if the
    records in question are gone.
    """
    if told.detail.get("contract") == "freeze":
        return True
    return looked and (told.rule != "missing_field" or told.finding_id in come)
