"""Delivered units that cannot be published: held when far too small, refused when they cannot be read as a whole."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hub.findings import Finding
from hub.records import Enveloped, Slice, Unit
from pipeline.fates import Fate
from pipeline.preparing.prepare import archive_lines
from pipeline.work import Line, Refused, Work, transaction
from pipeline.writing import batches, envelopes, receipts, settling
from sharedrepo.feeds import streams, units
from sharedrepo.staging import stage
from sharedrepo.writing import findings, load
from validation.volume import judge_volume


def hold(work: Work, line: Line, piece: Slice, *, dry_run: bool, why: Sequence[Finding] = ()) -> None:
    """Set a slice of a held unit aside: it is archived, counted as quarantined, and nothing of it is published.

    `why` says all that is wrong; without it the unit is smaller than the stream expects.
    """
    unit = piece.unit or Unit("")
    volume = None if why else judge_volume(line.spec.expect, unit.rows or 0)
    found = list(why) or ([volume] if volume is not None else [])
    facts: dict[str, Any] = {}
    if why:
        facts["held"] = {"rule": why[0].rule, "findings": [[one.rule, dict(one.detail)] for one in why]}
    with transaction(work, dry_run=dry_run) as cursor:
        loaded = load.Loaded(load.next_batch(cursor), piece.read, Counter(quarantined=piece.read))
        work.note(loaded.batch_id)
        seq = streams.next_seq(cursor, work.source_system_id)
        lines = archive_lines(piece)
        key = batches.put_in_archive(work, line, piece, lines, seq=seq, kind="pull", status="held", **facts)
        streams.advance(cursor, line.stream_id, state=piece.state)
        batches.register(cursor, work, line, loaded, seq=seq, kind="pull", piece=piece, archive_key=key, status="held")
        settling.write(cursor, line, batch_id=loaded.batch_id, unit=unit.name, found=found)
        envelopes.hold(cursor, line, piece, loaded.batch_id, found)
        receipts.owe_alike(cursor, line, piece, loaded.batch_id, "quarantined", found)
    batches.count(line, loaded)
    if unit.name not in line.refused_units:
        line.refused_units.append(unit.name)
    line.state = piece.state


def refuse(work: Work, line: Line, refused: Refused, *, dry_run: bool) -> None:
    """Set a unit aside that cannot be read as a whole: its bytes are archived, its finding says why.

    One that is left at its source is told once, not at every pull until its department has mended it.
    """
    refusal = refused.refusal
    unit = refusal.unit or ""
    if dry_run or (refusal.left_waiting and stands_aside(work, line, unit)):
        line.refused_units.append(unit)
        line.state = refused.state
        return
    piece = Slice(stream=line.spec.name, records=[], rows=[], state=refused.state, unit=Unit(unit))
    found = [replace(one, pointer=unit) for one in refusal.findings]
    facts = {
        "rule": refusal.rule, "got": refusal.got, "known": refusal.known,
        "findings": [[one.rule, dict(one.detail)] for one in found],
    }  # fmt: skip
    set_aside(work, line, piece, found, raw=refused.raw, facts=facts, said=refusal.envelope)


def stands_aside(work: Work, line: Line, unit: str) -> bool:
    """Say whether a delivery of this unit is held or refused now."""
    with transaction(work) as cursor:
        return units.is_held(cursor, line.stream_id, unit)


def set_aside(
    work: Work, line: Line, piece: Slice, found: list[Finding], *,
    raw: Iterable[bytes] = (), facts: dict[str, Any] | None = None, archive_key: str | None = None,
    said: Enveloped | None = None,
) -> None:  # fmt: skip
    """Write down that a unit was refused whole; its raw bytes go to the archive unless they lie there already."""
    unit = piece.unit.name if piece.unit else ""
    with transaction(work) as cursor:
        loaded = load.Loaded(load.next_batch(cursor), 0)
        work.note(loaded.batch_id)
        seq = streams.next_seq(cursor, work.source_system_id)
        key = archive_key or batches.archive_key(work, line, seq)
        if archive_key is None:
            header = batches.archive_header(
                work, line, piece, seq=seq, kind="pull", status="held", reason=None, known_unchanged=0, refused=facts
            )
            work.runtime.archive.put(key, header, (base64.b64encode(part) for part in raw))
        streams.advance(cursor, line.stream_id, state=piece.state)
        batches.register(cursor, work, line, loaded, seq=seq, kind="pull", piece=piece, archive_key=key, status="held")
        settling.write(cursor, line, batch_id=loaded.batch_id, unit=unit, found=found)
        envelopes.refuse(cursor, line, unit, said, loaded.batch_id, found)
    batches.count(line, loaded)
    line.refused_units.append(unit)
    line.state = piece.state


def pass_over(work: Work, line: Line, piece: Slice, fate: Fate, *, dry_run: bool = False) -> None:
    """Let a delivery pass that need not be read, by its number: only the cursor moves on."""
    bare = replace(piece, records=[], rows=[], broken=[], tokens=())
    with transaction(work, dry_run=dry_run) as cursor:
        loaded = load.Loaded(load.next_batch(cursor), 0)
        work.note(loaded.batch_id)
        seq = streams.next_seq(cursor, work.source_system_id)
        key = batches.put_in_archive(work, line, bare, [], seq=seq, kind="pull", passed=str(fate))
        streams.advance(cursor, line.stream_id, state=piece.state)
        batches.register(cursor, work, line, loaded, seq=seq, kind="pull", piece=bare, archive_key=key)
        envelopes.passed(cursor, line, piece, loaded.batch_id, fate)
        receipts.owe_alike(cursor, line, piece, loaded.batch_id, "unchanged")
    batches.count(line, loaded)
    line.state, line.snapshot_unit = piece.state, None


def finish(work: Work, line: Line) -> None:
    """At the end of a pull: write down that it went through, whether it was silent, which children wait too long.

    A pull of a source that posts brings nothing, and says nothing of the department: it is no success.
    """
    if work.last_batch_id is None:
        return
    expect = line.spec.expect
    must_speak = expect is not None and bool(expect.least) and not line.in_units
    silent = line.read == line.counts["unchanged"]  # a lookback reads again what is known: that is no speaking
    with transaction(work) as cursor:
        if work.source.kind != "push":
            streams.succeeded(cursor, line.stream_id, datetime.now(UTC))
        units.silence(cursor, line.stream_id, batch_id=work.last_batch_id, silent=must_speak and silent)
        overdue(cursor, work, line, work.last_batch_id)


def overdue(cursor: stage.Cursor, work: Work, line: Line, batch_id: int) -> None:
    """Raise a finding on each child that has waited for its case longer than its stream allows."""
    waits = units.overdue_children(cursor, line.stream_id, work.read_at - line.spec.parking)
    found = [findings.Placed(Finding(0, "parent_missing"), one.record_id, one.unit, one.row, None) for one in waits]
    findings.write(cursor, stream_id=line.stream_id, batch_id=batch_id, judged=[], placed=found)
