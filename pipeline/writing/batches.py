"""A batch: one slice, one transaction. Data, history, cursor, findings and ledger commit together or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.compute as pc

from hub import jsontext
from hub.mends import Mend
from hub.records import BrokenRecord, Enveloped, Record, Slice, Unit
from normalization.apply import Occurrences
from pipeline.preparing import archived
from pipeline.preparing.prepare import Prepared, absent, prepare
from pipeline.runtime import Connection
from pipeline.work import Line, Refused, Work, facts_of
from pipeline.writing import drifting, envelopes, receipts, settling, states
from sharedrepo.archive.envelope import Packed
from sharedrepo.archive.names import object_key
from sharedrepo.feeds import envelopes as numbers
from sharedrepo.feeds import streams
from sharedrepo.staging import stage
from sharedrepo.worklist import waiting
from sharedrepo.writing import load, records
from sharedrepo.writing.known import Register
from validation.cases import case_rules

Mind = Callable[[load.Loaded], None]
"""Looks at what was loaded, before it is archived."""


class Preparer:
    """Prepares the slices of one stream, one after the other, in a thread of its own with a connection of its own.

    It looks one batch behind: the slice before is still being written when it asks the ledger.
    """

    def __init__(self, work: Work, line: Line, reader: Connection) -> None:
        self._work, self._line, self._reader = work, line, reader
        self._in_flight: frozenset[str] = frozenset()
        self._unit: str | None = None
        self._before_unit = line.state

    def __call__(self, piece: Slice | Refused) -> tuple[Slice | Refused, Prepared | None]:
        """Prepare a slice; what is refused or held is not prepared."""
        if not isinstance(piece, Slice) or settling.holds(self._line, piece):
            return piece, None
        begins = self._mind_unit(piece)
        # Where the snapshot before closes what it lacked, just now, nothing is known for certain.
        sure = not (begins and self._line.snapshot)
        try:
            with self._reader.cursor() as cursor:
                register = Register(cursor, self._line.stream_id)
                prepared = prepare(self._line.desk, piece, register, drop_known=sure, in_flight=self._in_flight)
        finally:
            self._reader.rollback()
        self._in_flight = prepared.keys
        return piece, prepared

    def _mind_unit(self, piece: Slice) -> bool:
        """Count equal fingerprints within one unit, and let a unit that was cut off be read again from its start.

        Say whether a unit begins with this slice.
        """
        desk, unit = self._line.desk, piece.unit.name if piece.unit else None
        begins = unit != self._unit
        if unit is not None and begins:
            desk.seen = Occurrences()
        self._unit = None if piece.unit_ends else unit
        if desk.mapping.key.fingerprint and unit is not None and not piece.unit_ends:
            piece.state = self._before_unit
        else:
            self._before_unit = piece.state
        return begins


def again(
    cursor: stage.Cursor, work: Work, line: Line, piece: Slice, *, kind: str, reason: str | None = None,
    waiters: Sequence[waiting.Released] = (), status: str = "replayed", known_unchanged: int = 0,
    keys: Sequence[str] | None = None, mind: Mind | None = None,
) -> load.Loaded:  # fmt: skip
    """Prepare and write a slice that the hub makes itself, inside the present transaction.

    `waiters` are the waiting records that it was made of; they are closed with `status`. `known_unchanged` counts
    records that were read with it and left out since they are known (a rebuild's slices); `keys` are the keys under
    which its records were first received. `mind` looks at what became of the records before anything is archived; it
    may raise, and then its caller's transaction keeps nothing.
    """
    if kind == "absence":
        prepared = absent(line.desk, keys or ())
    else:
        prepared = prepare(
            line.desk, piece, Register(cursor, line.stream_id),
            drop_known=kind not in load.AGAIN, known_keys=keys,
        )  # fmt: skip
    prepared.incoming.known_unchanged += known_unchanged
    return write(
        cursor, work, line, piece, prepared, kind=kind, reason=reason, waiters=waiters, status=status, mind=mind
    )


def write(
    cursor: stage.Cursor, work: Work, line: Line, piece: Slice, prepared: Prepared, *, kind: str,
    reason: str | None = None, waiters: Sequence[waiting.Released] = (), status: str = "replayed",
    mind: Mind | None = None,
) -> load.Loaded:  # fmt: skip
    """Load, archive and register one prepared slice inside the present transaction."""
    job = _job(work, line, kind, reason)
    loaded = _load(cursor, work, job, prepared)
    if mind is not None:
        mind(loaded)
    if line.backfill:  # what was picked out says nothing of how far the feed has come
        loaded.newest_report = None
    work.note(loaded.batch_id)
    waiting.close(cursor, waiting_ids=[one.waiting_id for one in waiters], batch_id=loaded.batch_id, status=status)
    seq = streams.next_seq(cursor, work.source_system_id)
    archived = put_in_archive(
        work, line, piece, prepared.packed, seq=seq, kind=kind, reason=reason,
        known_unchanged=prepared.incoming.known_unchanged,
    )  # fmt: skip
    if kind == "pull":
        if not line.backfill:
            _advance(cursor, line, piece, prepared)
        settling.settle(cursor, work, line, piece, loaded.batch_id)
    if kind in ("pull", "accept"):
        receipts.owe(cursor, line, piece, prepared, loaded)
    drifting.settle(cursor, line, piece, prepared, loaded, kind=kind)
    register(cursor, work, line, loaded, seq=seq, kind=kind, reason=reason, piece=piece, archive_key=archived)
    _release(cursor, work, loaded.new_cases)
    return loaded


def register(
    cursor: stage.Cursor, work: Work, line: Line, loaded: load.Loaded, *, seq: int, kind: str, piece: Slice,
    archive_key: str | None, reason: str | None = None, status: str = "committed",
) -> None:  # fmt: skip
    """Write the batch's own row."""
    unit = piece.unit.name if piece.unit else None
    job = _job(work, line, kind, reason)
    load.register(cursor, job, loaded, seq=seq, unit=unit, archive_key=archive_key, status=status)


def _job(work: Work, line: Line, kind: str, reason: str | None) -> load.Job:
    return load.Job(
        source_system_id=work.source_system_id,
        stream_id=line.stream_id,
        kind=kind,
        mapping_version=work.mapping_version,
        read_at=work.read_at,
        zone=work.source.time_zone,
        five_stages=work.five_stages,
        case_rules=case_rules(),
        first_batch_id=work.first_batch_id,
        reason=reason,
        actor=work.actor if reason else None,
    )


def _load(cursor: stage.Cursor, work: Work, job: load.Job, prepared: Prepared) -> load.Loaded:
    """Load; where a case goes whose children stay, take the children back first."""
    prior = prepared.incoming.prior
    if prior is not None and not prior.known:  # nothing stood before, so that no case can go
        return load.load(cursor, job, prepared.incoming)
    cursor.execute("SAVEPOINT before_load")
    loaded = load.load(cursor, job, prepared.incoming)
    if loaded.lost_cases:
        cursor.execute("ROLLBACK TO SAVEPOINT before_load")
        take_back(cursor, work, loaded.lost_cases)
        stage.reset(cursor)
        prepared.incoming.prior = None  # the children may stand in this very slice: what is known of them has changed
        loaded = load.load(cursor, job, prepared.incoming)
    cursor.execute("RELEASE SAVEPOINT before_load")
    return loaded


def archive_key(work: Work, line: Line, seq: int) -> str:
    """Name the archive object of a batch; a batch that never committed leaves its name to the next."""
    return object_key(work.source.code, f"{work.read_at:%Y-%m}", seq, line.spec.name)


def archive_header(work: Work, line: Line, piece: Slice, *, seq: int, kind: str, **more: Any) -> dict[str, Any]:
    """Say in plain words what an archive object holds, so that it can be replayed alone: never a personal value."""
    expect, unit = line.spec.expect, piece.unit
    return {
        "format": 1, "source": work.source.code, "month": f"{work.read_at:%Y-%m}", "stream": line.spec.name, "seq": seq,
        "kind": kind, "mapping": work.mapping_version, "read_at": work.read_at.isoformat(),
        "unit": None if unit is None else unit_facts(unit), "envelopes": envelope_facts(line),
        "counted": settling.counted(work, line, piece), "in_units": line.in_units,
        "unit_ends": piece.unit_ends, "last": piece.last, **states.kept(line.state, piece.state),
        "complete_through": piece.complete_through, "zone": work.source.time_zone,
        "contract": line.spec.contract.as_dict(),
        "expect": None if expect is None else [expect.least, expect.most], "parking": line.spec.parking.total_seconds(),
        "lookback": _lookback(line).total_seconds(), "backfill": line.backfill,
        "streams": list(work.lines), "facts": facts_of(work.source).as_dict(),
        **({"actor": work.actor} if work.actor else {}), **more,
    }  # fmt: skip


def unit_facts(unit: Unit) -> dict[str, Any]:
    """Say what a delivered unit is; the digest of its bytes stays out, since it is made without a key."""
    said = None if unit.refusal else unit.envelope
    facts: dict[str, Any] = {"name": unit.name, "declared": dict(unit.declared), "rows": unit.rows}
    if said is not None:
        facts["goes_on"] = unit.goes_on
        facts["envelope"] = {
            "number": said.number, "mark": said.mark, "records": said.records, "organs": dict(said.organs),
            "complete_through": said.complete_through,
        }  # fmt: skip
    return facts


def unit_of(facts: Mapping[str, Any] | None) -> Unit | None:
    """Return the unit that `unit_facts` described."""
    if facts is None:
        return None
    said = facts.get("envelope")
    return Unit(
        facts["name"], declared=facts["declared"], rows=facts["rows"], goes_on=bool(facts.get("goes_on")),
        envelope=None if said is None else Enveloped(**said),
    )  # fmt: skip


def envelope_facts(line: Line) -> dict[str, Any] | None:
    """Say what of a stream's declaration decides what its numbers mean."""
    policy = line.spec.envelope
    return None if policy is None else {"required": policy.required, "first": policy.first}


def put_in_archive(
    work: Work, line: Line, piece: Slice, lines: Iterable[bytes] | Packed, *, seq: int, kind: str,
    reason: str | None = None, status: str = "committed", known_unchanged: int = 0, **facts: Any,
) -> str | None:  # fmt: skip
    """Put the records as received into the archive, synced, before anything is committed or acknowledged.

    Releases and take-backs are not archived: they follow from the batches that are, and a rebuild makes them again.
    """
    if kind in ("release", "take_back"):
        return None
    if not work.archiving:
        return work.replayed_key
    header = archive_header(
        work, line, piece, seq=seq, kind=kind, status=status, reason=reason, known_unchanged=known_unchanged, **facts
    )
    key = archive_key(work, line, seq)
    work.runtime.archive.put(key, header, lines)
    return key


def _advance(cursor: stage.Cursor, line: Line, piece: Slice, prepared: Prepared) -> None:
    """Move the cursor, and the time up to which the source vouches for completeness.

    What is inferred moves at the end of a unit only: what lies further back in it may be older than what was read.
    """
    basis = "inferred" if piece.complete_through is None else "declared"
    through: datetime | None = None
    newest = _newest(line, piece, prepared)
    if piece.complete_through is not None:
        through = datetime.fromisoformat(piece.complete_through)
        through = through if through.tzinfo else through.replace(tzinfo=UTC)
    elif piece.unit_ends and newest is not None and not _vouched(cursor, line, piece):
        through = min(newest, line.desk.context.read_at) - _lookback(line)
    streams.advance(cursor, line.stream_id, state=piece.state, complete_through=through, basis=basis)


def _newest(line: Line, piece: Slice, prepared: Prepared) -> datetime | None:
    """Return the newest report of the slice's unit as far as it was read in this pull."""
    unit = piece.unit.name if piece.unit else None
    before = line.newest[1] if line.newest[0] == unit else None
    found: list[datetime] = [one for one in (before, pc.max(prepared.incoming.reported_at).as_py()) if one is not None]
    newest = max(found, default=None)
    line.newest = (None, None) if piece.unit_ends else (unit, newest)
    return newest


def _vouched(cursor: stage.Cursor, line: Line, piece: Slice) -> bool:
    """Say whether a stream's envelopes say how far it is complete, so that nothing is inferred past a gap."""
    policy = line.spec.envelope
    if policy is None:
        return False
    return policy.required or envelopes.said_by(line, piece) is not None or numbers.any_kept(cursor, line.stream_id)


def _lookback(line: Line) -> timedelta:
    lookback = line.spec.cursor.lookback if line.spec.cursor else None
    return lookback if isinstance(lookback, timedelta) else timedelta(0)


def count(line: Line, loaded: load.Loaded) -> None:
    """Add a committed batch to the report of this pull."""
    line.counts += loaded.counts
    line.read += loaded.read
    line.batches += 1


def _release(cursor: stage.Cursor, work: Work, new_cases: list[str]) -> None:
    """Take in the parked children of cases that have come, in the same transaction, as batches of their own."""
    released = waiting.children_of(cursor, work.source_system_id, new_cases)
    for stream_id in dict.fromkeys(one.stream_id for one in released):
        mine = [one for one in released if one.stream_id == stream_id]
        line = work.line_of(stream_id)
        stage.reset(cursor)
        piece, keys = slice_of(work, line, mine)
        again(cursor, work, line, piece, kind="release", waiters=mine, status="released", keys=keys)
        work.released = True


def slice_of(work: Work, line: Line, waiters: Iterable[waiting.Released]) -> tuple[Slice, list[str]]:
    """Make a slice of waiting records from their locked payloads, with their keys; what was no record is none now."""
    piece = Slice(stream=line.spec.name, records=[], rows=[], state=line.state)
    found: list[Record] = []
    rows: list[int] = []
    keys: list[str] = []
    for one in waiters:
        payload = work.runtime.archive.data_keys.unlock(work.source.code, one.payload)
        try:
            found.append(jsontext.loads(payload))
            rows.append(one.row)
            keys.append(one.key)
            if one.mend is not None:
                mend = work.runtime.archive.data_keys.unlock(work.source.code, one.mend)
                piece.mends[len(found) - 1] = Mend.loads(mend)
        except ValueError:
            message = "the text that was received is no record"
            piece.broken.append(BrokenRecord(one.row, "unreadable_record", message, payload.decode("utf-8", "replace")))
    piece.records, piece.rows = found, rows
    return piece, keys


def take_back(cursor: stage.Cursor, work: Work, cases: Sequence[int]) -> None:
    """Park again the records whose case goes: their rows are closed into history, the records wait for the case."""
    children = records.children(cursor, cases)
    work.released = True
    for stream_id in dict.fromkeys(one.stream_id for one in children):
        line = work.line_of(stream_id)
        mine = [one for one in children if one.stream_id == stream_id]
        lines = _from_archive(work, mine)
        batch_id = load.next_batch(cursor)
        records.park(cursor, mine, batch_id=batch_id)
        waiting.add(
            cursor, stream_id=stream_id, batch_id=batch_id, read_at=work.read_at,
            waiters=[
                waiting.Waiter(
                    one.record_id, "parked", one.case_number, one.order, one.received, (), None, one.row,
                    line.desk.lock(lines[one.record_id].body),
                    None if (mend := lines[one.record_id].mend) is None else line.desk.lock(mend.dumps()),
                    one.organ,
                )
                for one in mine
            ],
        )  # fmt: skip
        loaded = load.Loaded(batch_id, len(mine), Counter(parked=len(mine)))
        piece = Slice(stream=line.spec.name, records=[], rows=[], state=line.state)
        seq = streams.next_seq(cursor, work.source_system_id)
        register(cursor, work, line, loaded, seq=seq, kind="take_back", piece=piece, archive_key=None)


def _from_archive(work: Work, children: Iterable[records.Child]) -> dict[int, archived.Line]:
    """Read the records as received, from the archive objects of the batches that brought them."""
    out: dict[int, archived.Line] = {}
    wanted: dict[str, dict[archived.Place, int]] = {}
    for one in children:
        wanted.setdefault(one.archive_key, {})[one.row, one.source_key] = one.record_id
    for key, places in wanted.items():
        _header, lines = work.runtime.archive.open(key)
        for line in archived.records(lines):
            if line.place in places:
                out[places[line.place]] = line
    return out
