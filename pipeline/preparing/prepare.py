"""Turns a slice as received into rows ready for the repository: judged, translated, judged again, protected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from hub import jsontext
from hub.findings import Finding
from hub.mends import Mend
from hub.records import Record, Slice
from hub.table import chosen, lines_of
from normalization.apply import Identity, Occurrences, TableRows, identify, translate
from pipeline.preparing.archived import MENDED
from pipeline.preparing.desk import Desk
from pipeline.preparing.mended import told_of
from pipeline.preparing.protecting import content_hashes, protect
from pipeline.preparing.replacing import put_right
from sharedrepo.archive.envelope import Packed, pack
from sharedrepo.staging import stage
from sharedrepo.staging.incoming import INSTANT, UNREADABLE, Incoming, Prior, Rows
from sharedrepo.writing.known import Register
from validation.rules import judge_meaning


@dataclass(frozen=True, slots=True)
class Prepared:
    """A slice ready to be loaded: its keys, and its fresh records as the archive keeps them.

    `fresh` are the places in the slice of the records that go on; the others are known exactly as they came.
    """

    incoming: Incoming
    packed: Packed
    keys: frozenset[str]
    fresh: list[int]


def prepare(
    desk: Desk,
    piece: Slice,
    register: Register,
    *,
    drop_known: bool,
    in_flight: frozenset[str] = frozenset(),
    known_keys: Sequence[str] | None = None,
) -> Prepared:
    """Prepare one slice; with `drop_known`, records whose hash as received is known are counted and go no further.

    `register` is what the ledger knows of the stream. Keys `in_flight` are being written just now: what the
    ledger knows of them may be overtaken, so their records are never dropped. `known_keys` are the keys under which the
    records were first received: a fingerprint counts its equals, and a part of them would be counted anew.
    """
    raws = lines_of(piece.records)
    received = desk.protector.content_hashes(raws)
    for index, mend in piece.mends.items():
        received[index] = mend.received
    records, mended = put_right(desk, piece.records)
    if mended:
        piece = replace(piece, records=records)  # what was received lies in `raws`
    identity = identify(desk.mapping, piece.records, desk.context, desk.seen if known_keys is None else Occurrences())
    keys = _keys(identity.keys, received)
    if known_keys is not None:
        keys = [new if old.startswith(UNREADABLE) else old for old, new in zip(known_keys, keys, strict=True)]
    broken = _broken_keys(desk, piece)
    if drop_known:
        fresh, prior = _fresh(register, keys, received, broken, in_flight)
    else:
        fresh, prior = list(range(len(keys))), register.look_up([*keys, *broken])
    kept = [raws[index] for index in fresh]
    mended += told_of(desk, piece.mends)
    incoming = _judged(desk, piece, _Raw(received, keys, identity, mended), fresh, kept)
    incoming.known_unchanged = len(keys) - len(fresh)
    incoming.prior = prior
    _add_broken(desk, piece, broken, incoming)
    rows = [piece.rows[index] for index in fresh]
    mends = [piece.mends.get(index) for index in fresh] if piece.mends else ()
    packed = pack(_lines(piece, [keys[index] for index in fresh], kept, rows, mends))
    return Prepared(incoming, packed, frozenset(keys).union(broken), fresh)


def absent(desk: Desk, keys: Sequence[str]) -> Prepared:
    """Prepare deletions of records that no longer come: they have no order and nothing to read but their keys."""
    size = len(keys)
    mark = desk.protector.content_hash(b"deleted")
    incoming = Incoming(
        keys=list(keys), rows=[0] * size, orders=[None] * size,
        received=desk.protector.content_hashes([b"absent\x1f" + key.encode() for key in keys]),
        canonical=[mark] * size, deleted=[True] * size, excluded=[False] * size, refused=[False] * size,
        cases=[None] * size, reported_at=pa.nulls(size, INSTANT), tables={}, findings=[],
        payload=lambda index: desk.lock(keys[index].encode()),
        seal_value=lambda value: desk.protector.seal(value.encode(), context="finding"),
    )  # fmt: skip
    lines = [b"0\t%b\t{}" % text for text in jsontext.dumps_many(list(keys))]
    return Prepared(incoming, pack(lines), frozenset(keys), list(range(size)))


def archive_lines(piece: Slice) -> list[bytes]:
    """Write a slice's records as lines for the archive: `row TAB key TAB record`, or `!` and what could not be read."""
    written = lines_of(piece.records)
    return _lines(piece, [UNREADABLE] * len(written), written, piece.rows)


def _lines(
    piece: Slice, keys: list[str], raws: list[bytes], rows: Sequence[int], mends: Sequence[Mend | None] = ()
) -> list[bytes]:
    written = jsontext.dumps_many(keys)
    lines = [b"%d\t%b\t%b" % said for said in zip(rows, written, raws, strict=True)]
    if mends:
        told = (
            (line, None if mend is None else MENDED + mend.dumps()) for line, mend in zip(lines, mends, strict=True)
        )
        lines = [part for both in told for part in both if part is not None]
    lines += [b"!" + jsontext.dumps([one.row, one.rule, one.message, one.raw]) for one in piece.broken]
    return lines


@dataclass(frozen=True, slots=True)
class _Raw:
    """The slice as received: what identifies each record, and what was mended in it."""

    received: list[bytes]
    keys: list[str]
    identity: Identity
    mended: list[Finding]


def _keys(keys: Sequence[str | None], received: Sequence[bytes]) -> list[str]:
    """Give a record without a readable key one of its content, so that it is known again."""
    return [f"{UNREADABLE}{mark.hex()}" if key is None else key for key, mark in zip(keys, received, strict=True)]


def _broken_keys(desk: Desk, piece: Slice) -> list[str]:
    return [
        f"{UNREADABLE}{desk.protector.content_hash(one.raw.encode('utf-8', 'surrogatepass')).hex()}"
        for one in piece.broken
    ]


def _fresh(
    register: Register, keys: list[str], received: list[bytes], broken: list[str], in_flight: frozenset[str]
) -> tuple[list[int], Prior]:
    """Return the indices of the records that are not known exactly as they came, and what is known of their keys.

    A key that stands more than once in the slice, or is in flight, is never dropped: its records speak in turn.
    """
    stands = register.seen(keys, received)
    if stands is None:
        return list(range(len(keys))), register.look_up(broken)
    speaking = in_flight | _repeated(keys)
    fresh = [
        index for index, known in enumerate(stands.tolist()) if not known or (speaking and keys[index] in speaking)
    ]
    prior = register.look_up([*(keys[index] for index in fresh), *broken])
    waits = {
        index
        for index in fresh
        if (found := prior.known.get(keys[index])) and found.has_seen(received[index]) and keys[index] not in speaking
    }
    return [index for index in fresh if index not in waits] if waits else fresh, prior


def _repeated(keys: list[str]) -> frozenset[str]:
    """Return the keys that stand more than once."""
    if len(set(keys)) == len(keys):
        return frozenset()
    return frozenset(key for key, count in Counter(keys).items() if count > 1)


def _judged(desk: Desk, piece: Slice, raw: _Raw, fresh: list[int], written: list[bytes]) -> Incoming:
    """Judge and translate the records at `fresh`, which are `written` as JSON."""
    whole = len(fresh) == len(raw.keys)
    records = piece.records if whole else chosen(piece.records, fresh)
    deleted = [bool(raw.identity.deleted[i]) for i in fresh]
    findings = _moved([*raw.identity.findings, *raw.mended], fresh, whole=whole)
    findings += _shape(desk, records, deleted)
    refused = _refused(findings, len(fresh))
    tables, excluded, more = _translated(
        desk, records, [raw.keys[i] for i in fresh], [gone or bad for gone, bad in zip(deleted, refused, strict=True)]
    )
    findings += more
    refused = _refused(findings, len(fresh))
    rows, hashes = _protected(desk, tables, [raw.identity.cases[i] for i in fresh])
    received = [raw.received[i] for i in fresh]
    return Incoming(
        keys=[raw.keys[i] for i in fresh],
        rows=[piece.rows[i] for i in fresh],
        orders=[raw.identity.orders[i] for i in fresh],
        received=received,
        canonical=_canonical(desk, rows, hashes, received, deleted, excluded, refused),
        deleted=deleted,
        excluded=excluded,
        refused=refused,
        cases=[raw.identity.cases[i] for i in fresh],
        organs=[raw.identity.organs[i] for i in fresh],
        reported_at=_instants(raw.identity.reported_at, fresh),
        tables=rows,
        findings=findings,
        payload=_payload(desk.lock, written),
        seal_value=lambda value: desk.protector.seal(value.encode("utf-8", "surrogatepass"), context="finding"),
        unit=piece.unit.name if piece.unit else None,
        mends={
            new: partial(_locked, desk.lock, piece.mends[old]) for new, old in enumerate(fresh) if old in piece.mends
        },
    )


def _locked(lock: Callable[[bytes], bytes], mend: Mend) -> bytes:
    return lock(mend.dumps())


def _moved(findings: list[Finding], fresh: list[int], *, whole: bool) -> list[Finding]:
    """Point findings at the records that are left, and drop those on records that are not."""
    if whole:
        return list(findings)
    place = {old: new for new, old in enumerate(fresh)}
    return [
        one if one.record < 0 else replace(one, record=place[one.record])
        for one in findings
        if one.record < 0 or one.record in place
    ]


def _shape(desk: Desk, records: Sequence[Record], deleted: list[bool]) -> list[Finding]:
    """Judge the shape of all records but deletion marks, which need say no more than their key."""
    if not any(deleted):
        return desk.judge.judge(records)
    living = [index for index, gone in enumerate(deleted) if not gone]
    found = desk.judge.judge(chosen(records, living))
    return [one if one.record < 0 else replace(one, record=living[one.record]) for one in found]


def _refused(findings: list[Finding], size: int) -> list[bool]:
    refused = [False] * size
    for one in findings:
        if one.record >= 0 and one.refuses:
            refused[one.record] = True
    return refused


def _translated(
    desk: Desk, records: Sequence[Record], keys: list[str], skip: list[bool]
) -> tuple[dict[str, TableRows], list[bool], list[Finding]]:
    """Translate the records that are not skipped; row and finding indices are those of `records`."""
    living = [index for index, left_out in enumerate(skip) if not left_out]
    excluded = [False] * len(records)
    if not living:
        return {}, excluded, []
    whole = len(living) == len(records)
    if not whole:
        records, keys = chosen(records, living), [keys[i] for i in living]
    done = translate(desk.mapping, records, desk.context, keys)
    tables, findings = done.tables, list(done.findings)
    for table, rows in tables.items():
        findings += _meaning(desk, table, rows)
    for index, left_out in zip(living, done.excluded.tolist(), strict=True):
        excluded[index] = left_out
    if not whole:
        back = np.array(living, dtype="int64")
        tables = {name: replace(rows, record=back[rows.record]) for name, rows in tables.items()}
        findings = [one if one.record < 0 else replace(one, record=living[one.record]) for one in findings]
    return tables, excluded, findings


def _meaning(desk: Desk, table: str, rows: TableRows) -> list[Finding]:
    """Judge the rows of one table, yield by yield, and find the source's own pointer back through the mapping."""
    out: list[Finding] = []
    parts = np.unique(rows.part).tolist()
    for part in parts:
        mine = slice(None) if len(parts) == 1 else rows.part == part
        found = judge_meaning(
            table, rows.frame[mine], rows.record[mine],
            documents=desk.documents, read_at=desk.context.read_at, context=desk.context,
        )  # fmt: skip
        pointers = {
            column.column.name: ", ".join(one.pointer for one in column.fields)
            for column in desk.mapping.yields[part].columns
        }
        out += [replace(one, pointer=pointers.get(one.field or "") or None) for one in found]
    return out


def _protected(
    desk: Desk, tables: dict[str, TableRows], cases: list[str | None]
) -> tuple[dict[str, Rows], dict[str, list[bytes]]]:
    """Hash each row in the clear, then protect what is personal; return the rows, and their hashes."""
    out: dict[str, Rows] = {}
    marks: dict[str, list[bytes]] = {}
    for name, rows in tables.items():
        document = desk.documents[name]
        frame = rows.frame.reset_index(drop=True)
        numbers = _case_numbers(frame, rows.record, cases)
        hashes = content_hashes(document, frame, numbers, desk.protector)
        if document.of_case and name != "approval_case" and "case_number" in frame:
            frame = frame.drop(columns="case_number")
        protected = protect(document, frame, desk.protector)
        ready = {str(column): pa.array(values, from_pandas=True) for column, values in protected.items()}
        out[name] = Rows(rows.record, rows.part, pa.table(ready | {"content_hash": stage.bytea(hashes)}), numbers)
        marks[name] = hashes
    return out, marks


def _case_numbers(
    frame: pd.DataFrame, record: np.ndarray[Any, np.dtype[np.int64]], cases: list[str | None]
) -> pa.Array:
    if "case_number" in frame:
        return pa.array(frame["case_number"], pa.large_string(), from_pandas=True)
    return pa.array(cases, pa.large_string()).take(pa.array(record))


def _canonical(
    desk: Desk,
    tables: dict[str, Rows],
    hashes: dict[str, list[bytes]],
    received: list[bytes],
    deleted: list[bool],
    excluded: list[bool],
    refused: list[bool],
) -> list[bytes]:
    """Hash what each record says in canonical values: over its rows, in table and part order.

    A refused record has said nothing that can be read: its hash as received stands for it. Where a record is one row
    of the first yield, as nearly all are, the row's hash is the record's.
    """
    size = len(received)
    lone = (sum((np.bincount(rows.record, minlength=size) for rows in tables.values()), np.zeros(size)) == 1).tolist()
    nothing, gone, left_out = desk.protector.content_hashes([b"", b"deleted", b"excluded"])
    out = [gone if dead else left_out if other else nothing for dead, other in zip(deleted, excluded, strict=True)]
    said: dict[int, list[bytes]] = {}
    for name in sorted(tables):
        rows = tables[name]
        for index, part, mark in zip(rows.record.tolist(), rows.part.tolist(), hashes[name], strict=True):
            if lone[index] and not part:
                out[index] = mark
            else:
                said.setdefault(index, []).append(part.to_bytes(2, "big") + mark)
    for index, mark in zip(said, desk.protector.content_hashes(map(b"".join, said.values())), strict=True):
        out[index] = mark
    return [mark if bad else other for mark, other, bad in zip(received, out, refused, strict=True)]


def _instants(column: pd.Series, fresh: list[int]) -> pa.Array:
    values = column.iloc[fresh] if len(fresh) != len(column) else column
    return pa.array(values, INSTANT, from_pandas=True)


def _payload(lock: Callable[[bytes], bytes], raws: list[bytes]) -> Callable[[int], bytes]:
    return lambda index: lock(raws[index])


def _add_broken(desk: Desk, piece: Slice, keys: list[str], incoming: Incoming) -> None:
    """Add the records that could not be read: they are refused with what the reader said."""
    if not piece.broken:
        return
    start = len(incoming.keys)
    raws = [one.raw.encode("utf-8", "surrogatepass") for one in piece.broken]
    marks = desk.protector.content_hashes(raws)
    readable = incoming.payload
    incoming.rows = [*incoming.rows, *(one.row for one in piece.broken)]
    for index, (one, key, mark) in enumerate(zip(piece.broken, keys, marks, strict=True), start):
        incoming.keys.append(key)
        incoming.orders.append(None)
        incoming.received.append(mark)
        incoming.canonical.append(mark)
        incoming.deleted.append(False)
        incoming.excluded.append(False)
        incoming.refused.append(True)
        incoming.cases.append(None)
        detail = {"message": one.message}
        incoming.findings.append(Finding(index, one.rule, pointer=f"row {one.row}", detail=detail, refuse=True))
    incoming.reported_at = pa.concat_arrays([incoming.reported_at, pa.nulls(len(piece.broken), INSTANT)])
    lock = desk.lock
    incoming.payload = lambda index: readable(index) if index < start else lock(raws[index - start])
