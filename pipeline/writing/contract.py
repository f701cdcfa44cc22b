"""The contract of a stream at work: over a change that it freezes at, the stream stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.errors import ContractBroken
from hub.findings import Finding
from hub.records import Slice
from pipeline.preparing.prepare import Prepared
from pipeline.work import Line, Work, transaction
from pipeline.writing import batches
from sharedrepo.feeds import drift, streams
from sharedrepo.staging import stage
from sharedrepo.writing import load


def frozen(prepared: Prepared) -> list[Finding]:
    """Return the changes in a slice over which its stream must stop."""
    return [one for one in prepared.incoming.changes if one.detail.get("contract") == "freeze"]


def stop(work: Work, line: Line, piece: Slice, found: Sequence[Finding], *, dry_run: bool) -> None:
    """Stop a stream: its changes are told, nothing of the slice is kept, and the cursor stays.

    Raises:
        ContractBroken: always.
    """
    if not dry_run:
        with transaction(work) as cursor:
            if drift.is_news(cursor, line.stream_id, found):
                told = [{"rule": one.rule, "field": one.field, "pointer": one.pointer, "detail": dict(one.detail)}
                        for one in found]  # fmt: skip
                write_down(cursor, work, line, piece, found, frozen=told)
    raise ContractBroken(
        source=work.source.code,
        stream=line.spec.name,
        unit=piece.unit.name if piece.unit and piece.unit.name else None,
        got="; ".join(_words(one) for one in found),
        known=f"contract {line.spec.contract}",
    )


def write_down(
    cursor: stage.Cursor, work: Work, line: Line, piece: Slice, found: Sequence[Finding], **facts: Any
) -> None:
    """Write a batch without records that tells why the stream stopped, so that a rebuild tells it too."""
    empty = Slice(line.spec.name, [], [], state=line.state, unit=piece.unit, unit_ends=False)
    loaded = load.Loaded(load.next_batch(cursor), 0)
    work.note(loaded.batch_id)
    seq = streams.next_seq(cursor, work.source_system_id)
    key = batches.put_in_archive(work, line, empty, (), seq=seq, kind="pull", **facts)
    drift.note(cursor, stream_id=line.stream_id, batch_id=loaded.batch_id, found=found, again=True)
    drift.end(cursor, line.stream_id)
    batches.register(cursor, work, line, loaded, seq=seq, kind="pull", piece=empty, archive_key=key)


def _words(one: Finding) -> str:
    told, count = dict(one.detail), one.detail.get("count")
    of = f" in {count} of {told.get('records')} records" if count else ""
    match one.rule:
        case "unknown_field" if one.field is None:
            return f"{told.get('fields')} more fields are not declared"
        case "unknown_field":
            return f"field {one.field} ({told.get('types', 'null')}) is not declared and came{of}"
        case "missing_field":
            return f"field {one.field} is declared and came in none of {told.get('records')} records"
        case _:
            place = f"field {one.field} ({one.pointer})"
            return f"{place} is declared as {told.get('declared')} and came as {told.get('types')}{of}"
