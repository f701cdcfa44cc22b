"""What becomes of each record that was read, and the register of source records written anew."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from hub.findings import Finding
from sharedrepo.models import TABLES
from sharedrepo.models.ledger import source_record
from sharedrepo.staging import binarycopy, stage
from sharedrepo.staging.incoming import Incoming, Known, Prior
from sharedrepo.writing import merge
from sharedrepo.writing.known import later


@dataclass(slots=True)
class Fate:
    """What becomes of the records of one slice.

    `outcome[i]` counts record i; `winner` maps each key that changes to the index of the record that now stands for
    it; `refused` and `parked` are the records that go and wait, `conflicts` those of the refused that wait beside
    others of their key; `touched` are records whose content is unchanged but whose order or hash as received moved on.
    `last_refused` and `overtaken` remember, by key, the refused record and the accepted ones that a later one replaces.
    """

    outcome: list[str]
    record_id: list[int]
    winner: dict[str, int] = field(default_factory=dict)
    refused: dict[int, None] = field(default_factory=dict)
    parked: list[int] = field(default_factory=list)
    conflicts: set[int] = field(default_factory=set)
    last_refused: dict[str, int] = field(default_factory=dict)
    overtaken: dict[str, list[int]] = field(default_factory=dict)
    touched: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """Count the outcomes."""
        return Counter(self.outcome)

    def refuse(self, key: str, index: int) -> None:
        """Let a record wait in quarantine; an earlier one of its key in this slice is overtaken by it."""
        self.outcome[index] = "quarantined"
        self.refused.pop(self.last_refused.get(key, -1), None)
        self.refused[index] = None
        self.last_refused[key] = index

    def let_conflict(self, index: int) -> None:
        """Let a conflicting version wait in quarantine, beside what waits already."""
        self.outcome[index] = "quarantined"
        self.refused[index] = None
        self.conflicts.add(index)


def decide(incoming: Incoming, prior: Prior, *, again: bool = False) -> Fate:
    """Decide each record's outcome in the order of arrival.

    `again` is set where the hub itself takes a record a second time (replay, release, retranslation): a record that is
    known is then not unchanged, and equal versions do not conflict.
    """
    size = len(incoming)
    if not prior.known and len(set(incoming.keys)) == size:
        return _all_first(incoming)
    fate = Fate([""] * size, [0] * size)
    now = {key: _copy(found) for key, found in prior.known.items()}
    for index, key in enumerate(incoming.keys):
        found = now.get(key)
        if found is None:
            now[key] = _first(incoming, index, fate)
        else:
            fate.record_id[index] = found.record_id
            _next(incoming, index, found, fate, again=again)
    return fate


def _all_first(incoming: Incoming) -> Fate:
    """Decide a slice of keys that are all new and stand once: the same as one by one."""
    outcomes = [
        "quarantined" if refused else "deleted" if deleted else "excluded" if excluded else "new"
        for refused, deleted, excluded in zip(incoming.refused, incoming.deleted, incoming.excluded, strict=True)
    ]
    fate = Fate(outcomes, [0] * len(outcomes), winner={key: index for index, key in enumerate(incoming.keys)})
    for index in [index for index, refused in enumerate(incoming.refused) if refused]:
        fate.refuse(incoming.keys[index], index)
    return fate


def _copy(found: Known) -> Known:
    return Known(
        found.record_id, found.order, found.received, found.canonical, found.state, found.waiting, found.refused_order,
        found.mended,
    )  # fmt: skip


def _first(incoming: Incoming, index: int, fate: Fate) -> Known:
    """Take the first record of a key."""
    key, order = incoming.keys[index], incoming.orders[index]
    found = Known(0, order, incoming.received[index], incoming.canonical[index], "quarantined")
    fate.winner[key] = index
    if incoming.refused[index]:
        fate.refuse(key, index)
        found.refused_order = order
    else:
        fate.outcome[index], found.state = _accepted(incoming, index)
    return found


def _accepted(incoming: Incoming, index: int) -> tuple[str, str]:
    if incoming.deleted[index]:
        return "deleted", "deleted"
    if incoming.excluded[index]:
        return "excluded", "excluded"
    return "new", "kept"


def _next(incoming: Incoming, index: int, found: Known, fate: Fate, *, again: bool) -> None:
    """Take a further record of a known key."""
    key, order, received = incoming.keys[index], incoming.orders[index], incoming.received[index]
    if not again and found.has_seen(received):
        fate.outcome[index] = "unchanged"
    elif _is_older(order, found, refused=incoming.refused[index]):
        fate.outcome[index] = "stale"
        if not again:
            fate.findings.append(Finding(index, "stale_version", detail={"kept": str(found.order)}))
    elif incoming.refused[index]:
        _refuse(incoming, index, found, fate)
    elif not again and _conflicts(incoming, index, found):
        detail = {"version": str(order)}
        fate.findings.append(Finding(index, "version_conflict", detail=detail))
        fate.let_conflict(index)
        found.waiting |= {received}
    elif _same_content(incoming, index, found):
        fate.outcome[index] = "unchanged"
        found.order, found.received = order, received
        if key in fate.winner:
            _win(fate, key, index)
        else:
            fate.touched[key] = index
    else:
        _accept(incoming, index, found, fate)


def _is_older(order: int | None, found: Known, *, refused: bool) -> bool:
    """Say whether a later version spoke already; a refused one is no word against an earlier that can be read."""
    spoke = found.order if refused or found.state != "quarantined" else None
    if refused:
        spoke = later(spoke, found.refused_order)
    return order is not None and spoke is not None and order < spoke


def _conflicts(incoming: Incoming, index: int, found: Known) -> bool:
    order = incoming.orders[index]
    if order is None or order != found.order or found.state == "quarantined" or found.mended:
        return False
    return incoming.canonical[index] != found.canonical or incoming.deleted[index] != (found.state == "deleted")


def _same_content(incoming: Incoming, index: int, found: Known) -> bool:
    if incoming.deleted[index]:
        return found.state == "deleted"
    return found.state in ("kept", "excluded") and incoming.canonical[index] == found.canonical


def _refuse(incoming: Incoming, index: int, found: Known, fate: Fate) -> None:
    """Let a refused record wait; what is kept stays as it is."""
    key, order, received = incoming.keys[index], incoming.orders[index], incoming.received[index]
    fate.refuse(key, index)
    found.waiting |= {received}
    found.refused_order = order
    if found.state == "quarantined":
        found.order, found.received = order, received
        fate.winner[key] = index


def _win(fate: Fate, key: str, index: int) -> None:
    """Let a record stand for its key; what it overtakes in this slice is remembered with what it counted as."""
    earlier = fate.winner.get(key)
    if earlier is not None and fate.outcome[earlier] in ("new", "updated"):
        fate.overtaken.setdefault(key, []).append(earlier)
    fate.winner[key] = index


def _accept(incoming: Incoming, index: int, found: Known, fate: Fate) -> None:
    key = incoming.keys[index]
    outcome, state = _accepted(incoming, index)
    if outcome == "new" and found.state in ("kept", "deleted"):
        outcome = "updated"
    fate.outcome[index] = outcome
    _win(fate, key, index)
    fate.touched.pop(key, None)
    found.order, found.received = incoming.orders[index], incoming.received[index]
    found.canonical, found.state = incoming.canonical[index], state


BLOCK = 1_000
"""Record ids are handed out in blocks of so many: the sequence's own step."""


def reserve(cursor: stage.Cursor, count: int) -> list[int]:
    """Take `count` fresh record ids, in ascending order; what is left of the last block is given to nobody."""
    cursor.execute(
        "SELECT array_agg(nextval('ledger.source_record_record_id_seq')) FROM generate_series(1, %s)",
        (-(-count // BLOCK),),
    )
    starts: list[int] = stage.scalar(cursor) or []
    return list(itertools.chain.from_iterable(range(start, start + BLOCK) for start in starts))[:count]


def write(
    cursor: stage.Cursor,
    *,
    stream_id: int,
    batch_id: int,
    incoming: Incoming,
    fate: Fate,
    prior: Prior,
    state: Sequence[str],
    keep_batch: bool = False,
) -> None:
    """Write the winners and the touched into `ledger.source_record`; `state[i]` is the state of record i.

    `keep_batch` leaves the batch and row of known records as they are: the hub released them, nobody sent them anew.
    """
    chosen = [*fate.winner.values(), *fate.touched.values()]
    new = [i for i in chosen if incoming.keys[i] not in prior.known]
    if new:
        columns = _columns(incoming, fate, state, new)
        columns["source_key"] = stage.texts([incoming.keys[i] for i in new])
        for name, value in (("stream_id", stream_id), ("first_batch_id", batch_id), ("batch_id", batch_id)):
            columns[name] = pa.repeat(value, len(new))
        binarycopy.copy(cursor, "ledger.source_record", source_record, columns)
    known = [i for i in chosen if incoming.keys[i] in prior.known]
    if known:
        _update(cursor, _columns(incoming, fate, state, known), batch_id=batch_id, keep_batch=keep_batch)


def _columns(incoming: Incoming, fate: Fate, state: Sequence[str], chosen: Sequence[int]) -> dict[str, Any]:
    return {
        "record_id": stage.integers([fate.record_id[i] for i in chosen]),
        "order_value": stage.integers([incoming.orders[i] for i in chosen]),
        "received_hash": stage.bytea([incoming.received[i] for i in chosen]),
        "canonical_hash": stage.bytea([incoming.canonical[i] for i in chosen]),
        "state": stage.texts([state[i] for i in chosen]),
        "row": stage.integers([incoming.rows[i] for i in chosen]),
    }


def _update(cursor: stage.Cursor, columns: dict[str, Any], *, batch_id: int, keep_batch: bool) -> None:
    stage.fresh(
        cursor,
        "stage_record",
        "record_id bigint, order_value bigint, received_hash bytea, canonical_hash bytea, state text, row integer",
    )
    stage.copy(cursor, "stage_record", columns)
    cursor.execute(
        """
        UPDATE ledger.source_record AS r
        SET order_value = s.order_value, received_hash = s.received_hash, canonical_hash = s.canonical_hash,
            state = s.state,
            batch_id = CASE WHEN %(keep)s THEN r.batch_id ELSE %(batch)s END,
            row = CASE WHEN %(keep)s THEN r.row ELSE s.row END
        FROM stage_record AS s WHERE r.record_id = s.record_id
        """,
        {"batch": batch_id, "keep": keep_batch},
    )


@dataclass(frozen=True, slots=True)
class Child:
    """A record that hangs on a case of another record, and where it lies in the archive."""

    record_id: int
    stream_id: int
    case_number: str
    order: int | None
    received: bytes
    row: int
    source_key: str
    archive_key: str
    organ: str | None


def children(cursor: stage.Cursor, cases: Sequence[int]) -> list[Child]:
    """Read the records of other messages that hang on these cases."""
    of_case = [name for name, table in TABLES.items() if "case_id" in table.columns]
    rows = " UNION ".join(
        f"SELECT record_id, case_id FROM core.{name} WHERE case_id = ANY(%(cases)s)" for name in of_case
    )
    cursor.execute(
        f"""SELECT DISTINCT ON (r.record_id)
                r.record_id, r.stream_id, c.case_number, r.order_value, r.received_hash, r.row,
                r.source_key, b.archive_key, c.handling_organ
            FROM ({rows}) AS t
            JOIN core.approval_case AS c ON c.record_id = t.case_id
            JOIN ledger.source_record AS r ON r.record_id = t.record_id
            JOIN ledger.batch AS b ON b.batch_id = r.batch_id
            WHERE t.record_id <> t.case_id ORDER BY r.record_id""",
        {"cases": list(cases)},
    )
    return [
        Child(record_id, stream_id, number, order, bytes(received), row, key, archive, organ)
        for record_id, stream_id, number, order, received, row, key, archive, organ in cursor.fetchall()
    ]


def park(cursor: stage.Cursor, parked: Sequence[Child], *, batch_id: int) -> None:
    """Close the rows of these records into history and let the register say that they wait."""
    ids = [one.record_id for one in parked]
    stage.fresh(cursor, "stage_changed", "record_id bigint, batch_id bigint")
    stage.copy(cursor, "stage_changed", {"record_id": ids, "batch_id": [batch_id] * len(ids)})
    merge.replace(cursor)
    cursor.execute("TRUNCATE stage_changed")
    cursor.execute(
        "UPDATE ledger.source_record SET state = 'parked' WHERE record_id = ANY(%s)",
        (ids,),
    )
