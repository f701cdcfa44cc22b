"""Waives records that were refused: they leave quarantine as excluded, with a reason, and nobody waits for them."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hub import jsontext
from hub.records import Slice
from pipeline.work import Line, Work
from pipeline.writing import batches
from sharedrepo.feeds import streams
from sharedrepo.staging import stage
from sharedrepo.worklist import waiting
from sharedrepo.writing import findings, load

KIND = "waive"


def waive(
    cursor: stage.Cursor, work: Work, line: Line, entries: Sequence[waiting.Released], *, reason: str
) -> load.Loaded:
    """Waive open quarantine entries of one stream inside the present transaction.

    The archive names them by key and hash as received, so that a rebuild waives the same.
    """
    lines = [
        b"%d\t%b\t%b"
        % (one.row, jsontext.dumps(one.key), jsontext.dumps({"received": base64.b64encode(one.received).decode()}))
        for one in entries
    ]
    return _write(cursor, work, line, [one.waiting_id for one in entries], lines, reason)


def again(cursor: stage.Cursor, work: Work, line: Line, lines: Iterable[bytes], reason: str | None) -> load.Loaded:
    """Waive what an archived batch waived."""
    ids = waiting.named(cursor, line.stream_id, list(_marks(lines)))
    return _write(cursor, work, line, ids, [], reason)


def _marks(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    for text in lines:
        _row, key, said = text.split(b"\t", 2)
        yield jsontext.loads(key), base64.b64decode(jsontext.loads(said)["received"])


def _write(
    cursor: stage.Cursor, work: Work, line: Line, ids: Sequence[int], lines: list[bytes], reason: str | None
) -> load.Loaded:
    stage.reset(cursor)
    batch_id = load.next_batch(cursor)
    gone = waiting.waive(cursor, ids=ids, batch_id=batch_id)
    findings.close_settled(cursor, batch_id=batch_id, record_ids=gone)
    loaded = load.Loaded(batch_id, len(ids), Counter(excluded=len(ids)), record_ids=gone)
    piece = Slice(stream=line.spec.name, records=[], rows=[], state=line.state)
    seq = streams.next_seq(cursor, work.source_system_id)
    archived = batches.put_in_archive(work, line, piece, lines, seq=seq, kind=KIND, reason=reason)
    batches.register(
        cursor, work, line, loaded, seq=seq, kind=KIND, reason=reason, piece=piece, archive_key=archived
    )  # fmt: skip
    work.note(batch_id)
    return loaded
