"""Fills an empty repository from the archive: every batch again, in order, judged as it was judged."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from connectors.envelopes import EnvelopePolicy
from connectors.source import Cursor, Expect, Owner, Source, StreamSpec
from hub.contract import Contract
from hub.errors import RepositoryError
from hub.findings import UNIT, Finding
from hub.records import Slice, Unit
from normalization.mapping import Mapping
from pipeline.afterwards import deeds, mending, waiving
from pipeline.fates import Fate
from pipeline.preparing.archived import fill
from pipeline.pulls import snapshots
from pipeline.pulls.exchange import opened
from pipeline.runtime import Runtime
from pipeline.work import Line, Work, transaction
from pipeline.writing import absence, batches, contract, states, units
from sharedrepo.feeds import units as kept
from sharedrepo.staging import stage

Header = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild replayed."""

    sources: int
    batches: int
    records: int
    deeds: int
    """What people did with records: lines of the log, undecided proposals among them."""


def rebuild(runtime: Runtime, *, progress: Callable[[str, int], None] | None = None) -> Rebuilt:
    """Replay the whole archive into a repository that holds no batch.

    Raises:
        RepositoryError: the repository is not empty.
        ArchiveError: an object is missing, damaged or erased.
    """
    _must_be_empty(runtime)
    heads = [
        dict(runtime.archive.head(key), key=key)
        for key in runtime.archive.list()
        if not key.startswith((snapshots.SHELF, deeds.SHELF))
    ]
    done = Counter[str]()
    by_source = groupby(sorted(heads, key=_order), key=lambda head: str(head["source"]))
    for source, mine in by_source:
        latest = {
            int(head["seq"]): head for head in mine
        }  # an object that never committed gave its number to a later one
        for _pull, group in groupby(latest.values(), key=lambda head: (head["read_at"], head["mapping"], head["kind"])):
            done["records"] += _replay(runtime, list(group))
        done["sources"] += 1
        done["batches"] += len(latest)
        if progress is not None:
            progress(source, len(latest))
    return Rebuilt(done["sources"], done["batches"], done["records"], deeds.restore(runtime))


def _order(head: Header) -> tuple[str, int, str]:
    return str(head["source"]), int(head["seq"]), str(head["read_at"])


def _must_be_empty(runtime: Runtime) -> None:
    with runtime.engine.connect() as connection:
        held = connection.exec_driver_sql("SELECT count(*) FROM ledger.batch").scalar_one()
    if held:
        raise RepositoryError(
            f"the repository holds {held} batches. A rebuild fills an empty one: point HUB_DATABASE_URL (or HUB_HOME) "
            "to a new database and keep HUB_ARCHIVE_URL and the keys."
        )


def _replay(runtime: Runtime, heads: list[Header]) -> int:
    """Replay the batches of one pull (or one replay, or one acceptance) of a source."""
    first = heads[0]
    with ExitStack() as stack:
        mapping = stack.enter_context(snapshots.opened(runtime, str(first["mapping"])))
        source = _source(first, heads, mapping)
        read_at = datetime.fromisoformat(str(first["read_at"]))
        work = stack.enter_context(opened(runtime, source, mapping, read_at=read_at))
        read = sum(_batch(work, head) for head in heads)
        if first["kind"] == "pull":
            # A pull that was cut off, or stopped by a contract, had no end.
            ended = {str(head["stream"]): head for head in heads if head["last"] and not head.get("backfill")}
            for name in ended:
                units.finish(work, work.lines[name])
        return read


def _source(head: Header, heads: Iterable[Header], mapping: Mapping) -> Source:
    """Make the source as the archive describes it; it can be worked on, not read from."""
    facts = head["facts"]
    said = {str(one["stream"]): one for one in heads}
    names = [name for name in head["streams"] if name in mapping.streams]
    return Source(
        code=str(head["source"]),
        title={"en": facts["title"], "zh": facts["title_zh"] or facts["title"]},
        owner=Owner("", "", ""),
        legal_basis="",
        kind=facts["kind"],
        connection="",
        mapping=Path(),
        folder=Path(),
        streams={name: _spec(name, said.get(name, head)) for name in names},
        organ=facts["organ"],
        region=facts["region"],
        profile=facts["profile"],
        time_zone=str(head["zone"]),
    )


def _spec(name: str, head: Header) -> StreamSpec:
    expect = Expect(*head["expect"]) if head["expect"] else None
    parking = timedelta(seconds=head["parking"])
    cursor = Cursor("", timedelta(seconds=head.get("lookback", 0)))
    said, word = head.get("envelopes"), head["contract"]  # one word in archives of the first version
    agreed = Contract.read_first(word) if isinstance(word, str) else Contract.read(word)
    return StreamSpec(
        name, {}, cursor=cursor, contract=agreed, expect=expect, parking=parking,
        envelope=None if said is None else EnvelopePolicy(required=said["required"], first=said["first"]),
    )  # fmt: skip


def _batch(work: Work, head: Header) -> int:
    line = work.lines[str(head["stream"])]
    line.in_units, line.backfill = bool(head["in_units"]), bool(head.get("backfill"))
    work.archiving, work.replayed_key, work.actor = False, str(head["key"]), head.get("actor")
    if "refused" in head:
        _refused(work, line, head)
        return 0
    if "frozen" in head:
        _frozen(work, line, head)
        return 0
    if head["kind"] == waiving.KIND:
        return _waived(work, line, head)
    piece, keys = _slice(work, line, head)
    if "passed" in head:
        units.pass_over(work, line, piece, Fate(head["passed"]))
        return 0
    if head["status"] == "held" and head["kind"] == absence.KIND:
        with transaction(work) as cursor:
            absence.hold(cursor, work, line, piece, [], head["absence"])
    elif head["status"] == "held":
        units.hold(work, line, piece, dry_run=False, why=_reasons(head.get("held")))
    else:
        known = int(head["known_unchanged"])
        with transaction(work) as cursor:
            loaded = batches.again(
                cursor,
                work,
                line,
                piece,
                kind=str(head["kind"]),
                reason=head["reason"],
                known_unchanged=known,
                keys=keys,
            )
            if head["kind"] == "accept" or (head["kind"] == absence.KIND and head["reason"]):
                _accepted(cursor, line, piece, loaded.batch_id)
            if head["kind"] == mending.KIND:
                mending.note(cursor, line, piece, loaded)
        batches.count(line, loaded)
    line.state = piece.state
    return piece.read


def _waived(work: Work, line: Line, head: Header) -> int:
    """Waive again what a person waived."""
    _header, lines = work.runtime.archive.open(str(head["key"]))
    with transaction(work) as cursor:
        loaded = waiving.again(cursor, work, line, lines, head["reason"])
    batches.count(line, loaded)
    return loaded.read


def _reasons(held: Header | None) -> list[Finding]:
    """Return why a delivery was held; before there could be several reasons, an object names the one."""
    if held is None:
        return []
    told = held.get("findings") or [[held["rule"], held.get("detail", {})]]
    return [Finding(UNIT, rule, detail=detail) for rule, detail in told]


def _accepted(cursor: stage.Cursor, line: Line, piece: Slice, by: int) -> None:
    """Note that the held batch from which this one took its records was accepted: they were accepted in their order."""
    held = kept.first_held(cursor, line.stream_id, piece.unit.name) if piece.unit is not None else None
    if held is not None:
        kept.accepted(cursor, held, by)


def _slice(work: Work, line: Line, head: Header) -> tuple[Slice, list[str]]:
    piece = Slice(
        stream=str(head["stream"]),
        records=[],
        rows=[],
        state=states.restored(line.state, head),
        unit=batches.unit_of(head["unit"]),
        unit_ends=bool(head["unit_ends"]),
        complete_through=head["complete_through"],
        last=bool(head["last"]),
        counted=head["counted"],
    )
    _header, lines = work.runtime.archive.open(str(head["key"]))
    return piece, fill(piece, lines)


def _frozen(work: Work, line: Line, head: Header) -> None:
    """Tell again of the changes over which the stream stopped."""
    found = [
        Finding(UNIT, one["rule"], field=one["field"], pointer=one["pointer"], detail=one["detail"], refuse=True)
        for one in head["frozen"]
    ]
    piece = Slice(stream=line.spec.name, records=[], rows=[], state=line.state)
    with transaction(work) as cursor:
        contract.write_down(cursor, work, line, piece, found)


def _refused(work: Work, line: Line, head: Header) -> None:
    """Write down again that a unit was refused whole."""
    # Reading the object to its end proves that the refused bytes are still there.
    _header, lines = work.runtime.archive.open(str(head["key"]))
    for part in lines:
        base64.b64decode(part, validate=True)
    unit = str(head["unit"]["name"])
    state = states.restored(line.state, head)
    piece = Slice(stream=line.spec.name, records=[], rows=[], state=state, unit=Unit(unit))
    facts = head["refused"]
    told = facts.get("findings", [[facts["rule"], {"got": facts["got"], "known": facts["known"]}]])
    found = [Finding(UNIT, rule, pointer=unit, detail=detail) for rule, detail in told]
    units.set_aside(work, line, piece, found, archive_key=str(head["key"]))
