"""One slice of a pull, written and committed: the batch, its receipts, and what a snapshot no longer holds."""

from __future__ import annotations

from hub.records import Slice
from pipeline.preparing.prepare import Prepared
from pipeline.work import Line, Work, transaction
from pipeline.writing import absence, batches
from sharedrepo.staging import stage
from sharedrepo.writing import load
from sharedrepo.writing.known import look_up


def run(work: Work, line: Line, piece: Slice, prepared: Prepared, *, dry_run: bool = False) -> load.Loaded:
    """Write one slice of a pull and commit it."""
    with transaction(work, dry_run=dry_run) as cursor:
        _bring_up_to_date(cursor, work, line, prepared)
        loaded = batches.write(cursor, work, line, piece, prepared, kind="pull")
        absence.note(cursor, line, piece, prepared)
        absence.settle(cursor, work, line, piece)
    work.written = prepared.keys
    batches.count(line, loaded)
    line.state = piece.state
    return loaded


def _bring_up_to_date(cursor: stage.Cursor, work: Work, line: Line, prepared: Prepared) -> None:
    """Ask the ledger again for keys that the batch before wrote while this slice was being prepared."""
    prior, keys = prepared.incoming.prior, prepared.incoming.keys
    if prior is None or not (work.released or not work.written.isdisjoint(keys)):
        return
    unsure = keys if work.released else [key for key in keys if key in work.written]
    prior.known |= look_up(cursor, line.stream_id, unsure).known
