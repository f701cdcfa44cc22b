"""Takes posts of one source in: gathered posts of one stream become one batch, judged and merged as a pull's slice is.

A post that came before under its idempotency key is answered as it was then: the answers lie in the transaction of
their batch, so that a client who was not told can ask again, whenever the process died.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg2

from connectors.source import Source
from hub import jsontext
from hub.findings import Finding
from hub.records import BrokenRecord, Enveloped, Record, Slice, Unit
from hub.refusals import Contradicted, KeyReused
from pipeline.posts.answers import answer
from pipeline.preparing.prepare import prepare
from pipeline.pulls import snapshots
from pipeline.pulls.exchange import opened
from pipeline.pulls.mapped import mapping_of
from pipeline.runtime import Connection, Runtime
from pipeline.work import Line, Work, transaction
from pipeline.writing import batches, contract, envelopes, receipts, units
from sharedrepo.feeds import envelopes as numbers
from sharedrepo.feeds import posts, streams
from sharedrepo.feeds.receipts import Owed
from sharedrepo.staging import stage
from sharedrepo.writing.known import Register

Held = Record | BrokenRecord


@dataclass(frozen=True, slots=True)
class Post:
    """What one request brought: its records in their order, and what it says of them.

    `key` is a keyed hash of the idempotency key, `mark` one of all that was sent under it; `complete_through` is the
    instant up to which the department vouches to have sent everything. `envelope` is the batch envelope, proven.
    """

    client_id: int
    held: Sequence[Held]
    mark: bytes
    key: bytes | None = None
    complete_through: datetime | None = None
    envelope: Enveloped | None = None

    @property
    def named(self) -> posts.Key | None:
        """Return the key under which the post is known; None where its client gave it none."""
        return None if self.key is None else (self.client_id, self.key)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a post, as JSON; `replayed` says that it was given before."""

    text: str
    replayed: bool = False


Outcome = Answer | KeyReused


class _Frozen(Exception):
    """What was posted changes the shape of its stream, which freezes at that: nothing of the batch is kept."""

    def __init__(self, piece: Slice, found: Sequence[Finding]) -> None:
        super().__init__()
        self.piece, self.found = piece, found


class Intake:
    """Takes the posts of one source in, a batch at a time, over a connection that it keeps between them."""

    def __init__(self, runtime: Runtime, source: Source, *, wait: float, keep_days: int) -> None:
        """Read the source's mapping; `wait` is how many seconds others who hold the source are waited for.

        Raises:
            ConfigError: the mapping is wrong.
        """
        self._runtime, self._source, self._wait, self._keep_days = runtime, source, wait, keep_days
        self._mapping = mapping_of(runtime, source)
        self._stack = ExitStack()
        self._connection: Connection | None = None

    def one_by_one(self, stream: str) -> bool:
        """Say whether each post of a stream is a batch of its own: it bears a number, or equal fingerprints, which are
        counted within a delivery."""
        enveloped = self._source.stream(stream).envelope is not None
        return enveloped or self._mapping.streams[stream].key.fingerprint

    def take(self, stream: str, gathered: Sequence[Post]) -> list[Outcome]:
        """Take posts in and commit; return what each is answered. They are one batch: all of it is kept, or nothing.

        Raises:
            SourceBusy: another process holds the source.
            ContractBroken: a post changes the shape of its stream, which freezes at that; the steward is told.
            HubError, psycopg2.Error: nothing was kept.
        """
        kept = self.connected
        try:
            return self._committed(stream, gathered)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            if not kept:
                raise
        # The server ended a connection that was kept for long. Had the batch been committed, it would be known now.
        return self._committed(stream, gathered)

    def _committed(self, stream: str, gathered: Sequence[Post]) -> list[Outcome]:
        try:
            with opened(self._runtime, self._source, self._mapping, on=self._connected(), wait=self._wait) as work:
                return self._taken(work, work.lines[stream], gathered)
        except BaseException:
            self.close()
            raise

    def _taken(self, work: Work, line: Line, gathered: Sequence[Post]) -> list[Outcome]:
        try:
            with transaction(work) as cursor:
                return self._take(cursor, work, line, gathered)
        except _Frozen as frozen:
            contract.stop(work, line, frozen.piece, frozen.found, dry_run=False)
            raise

    @property
    def connected(self) -> bool:
        """Say whether a connection is kept."""
        return self._connection is not None

    def close(self) -> None:
        """Give the connection back."""
        self._connection = None
        self._stack.close()

    def _connected(self) -> Connection:
        if self._connection is None:
            snapshots.keep(self._runtime, self._mapping, self._source.mapping)
            self._connection = self._stack.enter_context(self._runtime.connection())
        return self._connection

    def _take(self, cursor: stage.Cursor, work: Work, line: Line, gathered: Sequence[Post]) -> list[Outcome]:
        known = posts.stored(cursor, work.source_system_id, [one.named for one in gathered if one.named is not None])
        fresh: dict[posts.Key | int, Post] = {}
        for place, one in enumerate(gathered):
            if one.named not in known:
                fresh.setdefault(place if one.named is None else one.named, one)
        answered = dict(zip(fresh, self._load(cursor, work, line, list(fresh.values())), strict=True)) if fresh else {}
        outcomes: list[Outcome] = []
        for place, one in enumerate(gathered):
            name = place if one.named is None else one.named
            before = known.get(name) if isinstance(name, tuple) else None
            mark = before.body if before is not None else fresh[name].mark
            text = before.answer if before is not None else answered[name]
            replayed = before is not None or fresh[name] is not one
            outcomes.append(Answer(text, replayed) if mark == one.mark else reused())
        return outcomes

    def _load(self, cursor: stage.Cursor, work: Work, line: Line, fresh: Sequence[Post]) -> list[str]:
        """Load posts as one batch, and keep their answers; return them."""
        piece, places = together(line, fresh)
        _mind_number(cursor, line, piece)
        prepared = prepare(line.desk, piece, Register(cursor, line.stream_id), drop_known=True)
        if found := contract.frozen(prepared):
            raise _Frozen(piece, found)
        loaded = batches.write(cursor, work, line, piece, prepared, kind="pull")
        streams.succeeded(cursor, line.stream_id, datetime.now(UTC))
        units.overdue(cursor, work, line, loaded.batch_id)
        told = receipts.told(cursor, line, piece, prepared, loaded)
        texts = [
            answer(
                source=work.source.code, stream=line.spec.name, batch_id=loaded.batch_id,
                told=[told[place] for place in mine], numbered=_numbered(cursor, work, line, piece),
            )
            for mine in places
        ]  # fmt: skip
        posts.forget(cursor, self._keep_days)
        posts.store(
            cursor, work.source_system_id, loaded.batch_id,
            [
                posts.Stored(one.named, one.mark, text)
                for one, text in zip(fresh, texts, strict=True) if one.named is not None
            ],
        )  # fmt: skip
        return texts


def together(line: Line, gathered: Sequence[Post]) -> tuple[Slice, list[list[int]]]:
    """Make one slice of posts, and say for each at which places of the slice its records are.

    A slice has what could be read first, then what is broken. Records are numbered through the batch; a broken one
    keeps its place in its post: its finding names it, and that must not depend on who posted at the same time.
    """
    readable = sum(not isinstance(held, BrokenRecord) for one in gathered for held in one.held)
    records: list[Record] = []
    rows: list[int] = []
    broken: list[BrokenRecord] = []
    places: list[list[int]] = []
    for one in gathered:
        mine = []
        for held in one.held:
            if isinstance(held, BrokenRecord):
                mine.append(readable + len(broken))
                broken.append(held)
            else:
                mine.append(len(records))
                records.append(held)
                rows.append(len(records))
        places.append(mine)
    unit = next((_unit(one.envelope) for one in gathered if one.envelope is not None), None)  # such a post is alone
    through = max((one.complete_through for one in gathered if one.complete_through is not None), default=None)
    piece = Slice(
        line.spec.name, records, rows, line.state, broken=broken, last=False, unit=unit,
        complete_through=None if through is None else through.isoformat(),
    )  # fmt: skip
    return piece, places


def _unit(said: Enveloped) -> Unit:
    """Return the delivery that an enveloped post is."""
    return Unit(f"post {said.number}", envelope=said)


def _mind_number(cursor: stage.Cursor, line: Line, piece: Slice) -> None:
    """See that a number does not come a second time with other content; the same again is taken again.

    Raises:
        Contradicted: it does; the first content stands.
    """
    said = envelopes.said_by(line, piece)
    known = None if said is None else numbers.kept(cursor, line.stream_id, said.number)
    if said is not None and known is not None and known.mark != said.mark:
        hint = "The first content stands. Give this delivery the next number."
        raise Contradicted(f"number {said.number} was received before with other content", hint=hint)


def _numbered(cursor: stage.Cursor, work: Work, line: Line, piece: Slice) -> dict[str, Any] | None:
    """Say which number a post bore, and which ones before it are missing, with the signed receipt of its envelope."""
    said, policy = envelopes.said_by(line, piece), line.spec.envelope
    if said is None or policy is None:
        return None
    gaps = numbers.missing(cursor, line.stream_id, policy.first)
    unit = piece.unit.name if piece.unit is not None else ""
    receipt = receipts.receipt_document(work, line.spec.name, Owed(unit, "received", envelope=line.receipt))
    return {
        "number": said.number, "missing": [list(span) for span in gaps.spans], "missing_count": gaps.count,
        "receipt": jsontext.loads(receipt),
    }  # fmt: skip


def reused() -> KeyReused:
    """Return the refusal of a key that came before with something else."""
    return KeyReused(
        "this Idempotency-Key came before with another body, another stream or other words on it",
        hint="Take a new key for each new body; a repeat must be the same to the letter.",
    )
