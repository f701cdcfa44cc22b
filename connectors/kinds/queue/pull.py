"""Gathers messages into slices: each waits at most a moment for others, and the pull ends when the queue is empty."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.envelopes import Expected
from connectors.kinds.queue.answers import answer
from connectors.kinds.queue.body import BodyReader, Held
from connectors.kinds.queue.deliveries import Message, Settled, Token
from connectors.kinds.queue.enveloped import proven
from connectors.kinds.queue.options import QueueOptions
from connectors.kinds.queue.session import Session
from connectors.limits import MIB
from connectors.seam import KeyedHash
from hub.records import BrokenRecord, Record, Slice

_SLICE_BYTES = 32 * MIB
_UNHEARD = 60.0
"""Seconds that a pull waits for room, where as many messages as may be are under way; the next pull goes on."""


@dataclass(slots=True)
class _Run:
    """What becomes one slice."""

    records: list[Record] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    broken: list[BrokenRecord] = field(default_factory=list)
    broken_tokens: list[str] = field(default_factory=list)
    messages: int = 0
    bytes: int = 0
    closes: float | None = None

    def __len__(self) -> int:
        return len(self.tokens) + len(self.broken_tokens)

    def add(self, place: int, held: Held, token: str) -> None:
        """Take one record in."""
        if isinstance(held, BrokenRecord):
            self.broken.append(held)
            self.broken_tokens.append(token)
        else:
            self.records.append(held)
            self.rows.append(place)
            self.tokens.append(token)


@dataclass(slots=True)
class Pull:
    """One pull of one stream, over one session. `most` is the number of messages that it takes at most."""

    stream: str
    options: QueueOptions
    session: Session
    state: Record
    most: int
    expected: Expected | None = None
    keyed_hash: KeyedHash | None = None

    def slices(self, size: int) -> Iterator[Slice]:
        """Yield slices of at most `size` records, the last of which says so.

        Raises:
            RetrySource: the connection broke off; what was not acknowledged comes again.
        """
        reader, run, taken = BodyReader(self.options), _Run(), 0
        ends = time.monotonic() + self.options.stay
        while True:
            message = None if taken == self.most else self._next(run)
            if message is None:
                over = taken == self.most or self._over(ends)
                if len(run) or over:
                    yield self._slice(run, last=over)
                if over:
                    return
                run = _Run()
                continue
            taken += 1
            if self.expected is not None and (self.expected.policy.required or message.envelope is not None):
                if len(run):
                    yield self._slice(run)
                    run = _Run()
                yield from self._enveloped(reader, message, self.expected, size)
                continue
            for place, held, token in self._pieces(reader, message):
                if len(run) == size:
                    yield self._slice(run)
                    run = _Run()
                run.add(place, held, token)
            self._count(run, message)
            if self._full(run, size):
                yield self._slice(run)
                run = _Run()

    def _next(self, run: _Run) -> Message | None:
        """Return the next message; None when the run has waited long enough for it."""
        now = time.monotonic()
        return self.session.take((run.closes or now + self.options.linger) - now)

    def _count(self, run: _Run, message: Message) -> None:
        """Count a message into the run that holds its last record; the first one starts the run's wait."""
        run.messages += 1
        run.bytes += message.size
        if run.closes is None:
            run.closes = time.monotonic() + self.options.linger

    def _full(self, run: _Run, size: int) -> bool:
        return len(run) > 0 and (len(run) >= size or run.messages >= self.options.share or run.bytes >= _SLICE_BYTES)

    def _pieces(self, reader: BodyReader, message: Message) -> Iterator[tuple[int, Held, str]]:
        """Yield the records of a message with their tokens; one that holds none is acknowledged at once."""
        pieces = reader.read(message)
        self.session.outstanding.holds(message.tag, len(pieces))
        if not pieces:
            self._pass_over(message)
        for place, held in pieces:
            token = Token(self.session.name, message.tag, place, message.message_id, message.correlation_id)
            yield place, held, str(token)

    def _pass_over(self, message: Message) -> None:
        """Acknowledge a message that holds no record: there is nothing to wait for."""
        nothing = Settled(Token(self.session.name, message.tag, 0, message.message_id, message.correlation_id), {})
        answers = [answer(nothing, self.options.queue)] if self.options.receipts else []
        self.session.settle([message.tag], answers)

    def _enveloped(self, reader: BodyReader, message: Message, expected: Expected, size: int) -> Iterator[Slice]:
        """Yield the slices of a message that is a whole delivery: nothing of it if its envelope does not hold."""
        held, unit = proven(reader, message, expected, self.keyed_hash)
        self.session.outstanding.holds(message.tag, len(held) or 1)
        runs = [held[start : start + size] for start in range(0, len(held), size)] or [[]]
        for count, part in enumerate(runs, 1):
            run = _Run()
            for place, one in part:
                token = Token(self.session.name, message.tag, place, message.message_id, message.correlation_id, True)
                run.add(place, one, str(token))
            piece = self._slice(run)
            piece.unit, piece.unit_ends = unit, count == len(runs)
            yield piece
        if not held:
            self._pass_over(message)

    def _over(self, ends: float) -> bool:
        """Say whether the pull is over: nothing came for a moment, nothing lies there, and it need not stay on."""
        now = time.monotonic()
        crowded = len(self.session.outstanding) >= self.options.prefetch
        if crowded and now - self.session.heard_at > _UNHEARD:
            return True
        return now >= ends and self.session.waiting() == 0

    def _slice(self, run: _Run, *, last: bool = False) -> Slice:
        """Make a slice. It has no unit: what is wrong with one pull's messages is not mended by the next ones."""
        tokens = [*run.tokens, *run.broken_tokens]
        return Slice(self.stream, run.records, run.rows, dict(self.state), broken=run.broken, last=last, tokens=tokens)
