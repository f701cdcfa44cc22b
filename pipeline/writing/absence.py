"""Deletion by absence: what a whole snapshot no longer holds is gone at its source, and is closed here.

Nothing is guessed. A snapshot in which something could not be read may hold what seems absent, and one that lacks more
than the stream allows is taken for a broken export: then nothing is closed, and a finding says so. What was held back
may be published by a person with a reason (`hub batch accept`) until the next snapshot has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub import jsontext
from hub.errors import RepositoryError
from hub.findings import UNIT, Finding
from hub.records import Slice, Unit
from hub.sentences import sentence
from pipeline.preparing.prepare import Prepared, absent
from pipeline.work import Line, Work
from pipeline.writing import batches, settling
from sharedrepo.feeds import snapshot, streams
from sharedrepo.staging import stage
from sharedrepo.staging.incoming import UNREADABLE
from sharedrepo.writing import load

KIND = "absence"


def note(cursor: stage.Cursor, line: Line, piece: Slice, prepared: Prepared) -> None:
    """Remember the keys of a slice of a snapshot, and whether everything in it could be read."""
    if not line.snapshot:
        return
    if line.snapshot_unit is None:
        snapshot.begin(cursor)
        line.snapshot_unit, line.snapshot_unsure = piece.unit.name if piece.unit else "", 0
    snapshot.saw(cursor, prepared.keys)
    line.snapshot_unsure += sum(key.startswith(UNREADABLE) for key in prepared.keys)


def settle(cursor: stage.Cursor, work: Work, line: Line, piece: Slice) -> None:
    """At the end of a snapshot, close what it no longer holds, in the same transaction."""
    if not line.snapshot or not piece.unit_ends:
        return
    line.snapshot_unit = None
    gone, live = snapshot.absent(cursor, line.stream_id)
    detail = {"absent": str(len(gone)), "kept": str(live), "allowed": f"{line.spec.vanish:g} %"}
    if gone and line.snapshot_unsure:
        unsure = Finding(UNIT, "snapshot_unsure", detail={**detail, "unreadable": str(line.snapshot_unsure)})
        _hold(cursor, work, line, piece, gone, unsure)
    elif len(gone) * 100 > live * line.spec.vanish:
        _hold(cursor, work, line, piece, gone, Finding(UNIT, "snapshot_shrunk", detail=detail))
    elif gone:
        _close(cursor, work, line, piece, gone)


def must_be_newest(cursor: stage.Cursor, line: Line, batch_id: int) -> None:
    """Refuse to close what an older snapshot lacked: a newer one has spoken.

    Raises:
        RepositoryError: a later pull of the stream was committed.
    """
    if snapshot.overtaken(cursor, line.stream_id, batch_id):
        raise RepositoryError(
            sentence(
                "batch {batch} holds what a snapshot of stream {stream} lacked, and a later pull has come since: that "
                "one decides. Pull again; what is still absent is held again.",
                batch=batch_id, stream=line.spec.name,
            )
        )  # fmt: skip


def _close(cursor: stage.Cursor, work: Work, line: Line, piece: Slice, gone: list[str]) -> None:
    size = work.runtime.settings.slice_size
    for start in range(0, len(gone), size):
        some = gone[start : start + size]
        stage.reset(cursor)
        done = batches.write(cursor, work, line, _piece(line, piece, len(some)), absent(line.desk, some), kind=KIND)
        line.absent += done.read
        work.released = True  # the next slice was prepared while these still stood


def _hold(cursor: stage.Cursor, work: Work, line: Line, piece: Slice, gone: list[str], finding: Finding) -> None:
    """Keep the keys of what is absent in the archive, for a person to decide."""
    facts = {"rule": finding.rule, "detail": dict(finding.detail)}
    lines = [b"0\t%b\t{}" % jsontext.dumps(key) for key in gone]
    hold(cursor, work, line, _piece(line, piece, 0), lines, facts)


def hold(
    cursor: stage.Cursor, work: Work, line: Line, piece: Slice, lines: list[bytes], facts: Mapping[str, Any]
) -> None:
    """Register a held batch of absent records with its finding; `facts` stand in its archive object."""
    loaded = load.Loaded(load.next_batch(cursor), 0)
    work.note(loaded.batch_id)
    seq = streams.next_seq(cursor, work.source_system_id)
    key = batches.put_in_archive(work, line, piece, lines, seq=seq, kind=KIND, status="held", absence=facts)
    batches.register(cursor, work, line, loaded, seq=seq, kind=KIND, piece=piece, archive_key=key, status="held")
    finding = Finding(UNIT, facts["rule"], detail=facts["detail"])
    settling.write(cursor, line, batch_id=loaded.batch_id, unit=piece.unit.name if piece.unit else "", found=[finding])


def _piece(line: Line, piece: Slice, size: int) -> Slice:
    unit = Unit(piece.unit.name) if piece.unit else None
    return Slice(line.spec.name, [{}] * size, [0] * size, piece.state, unit)
