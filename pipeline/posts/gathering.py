"""Gathers posts for a short while, so that many small ones are one batch; each waits until its batch is committed.

Each source has a line of its own, in which its posts wait and are taken in one batch after the other, parents' streams
first. What is under way and comes again, because a client lost patience, waits for the first one's answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from connectors.source import Source
from hub.errors import ConfigError, SourceBusy, SourceTrouble
from hub.refusals import Contradicted, Unavailable
from pipeline.posts.pushing import Answer, Intake, Outcome, Post, reused
from pipeline.runtime import Runtime

log = logging.getLogger("hub.push")

LOCK_SECONDS = 10.0
"""Seconds that another process which holds the source is waited for."""
IDLE_SECONDS = 30.0
"""After so many seconds without a post a source's connection to the repository is given back."""
AGAIN_SECONDS = 2.0
"""What a client is told to wait where the repository or the source's lock cannot be had."""
ANSWER_SECONDS = 120.0
"""So long a request is kept waiting for its batch."""
GOODBYE_SECONDS = 30.0
"""So long what waits is taken in after the process was told to stop."""
_LOOK = 0.01
_KEPT = 4
"""Sources that keep their connection between two batches: with those under work, fewer than the pool has."""
_WORKERS = 8
"""Sources whose batches are taken in at once, in this process."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How posts are gathered: seconds that the first waits for others, records of one batch, days that answers keep."""

    linger: float = 0.5
    most: int = 20_000
    keep_days: int = 7


@dataclass(slots=True, eq=False)
class _Waiting:
    """A post that waits for its batch."""

    post: Post
    since: float
    done: asyncio.Future[Answer]


@dataclass(slots=True)
class _Line:
    """The posts of one source."""

    source: Source
    intake: Intake
    task: asyncio.Task[None] = field(init=False)
    """Takes in what waits."""
    came: asyncio.Event = field(default_factory=asyncio.Event)
    full: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[str, deque[_Waiting]] = field(default_factory=dict)
    under_way: dict[tuple[int, bytes], _Waiting] = field(default_factory=dict)
    records: int = 0
    """Records that wait."""
    busy: bool = False
    """Whether a batch is being taken in."""
    coming: Source | None = None
    """How the source is declared now, where that has changed; the next batch is judged by it."""

    @property
    def first(self) -> float | None:
        """Return when the first of those that wait came; None where none waits."""
        return min((queue[0].since for queue in self.waiting.values() if queue), default=None)


class Gatherer:
    """Takes the posts of all sources; lives in one event loop."""

    def __init__(self, runtime: Runtime, manner: Manner) -> None:
        self._runtime, self._manner = runtime, manner
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="hub-push")
        self._lines: dict[str, _Line] = {}

    async def take(self, source: Source, stream: str, post: Post) -> Answer:
        """Have a post taken in, and return its answer once it is committed.

        Raises:
            RequestRefused: it is refused as a whole, or cannot be taken just now; nothing of it was kept.
        """
        line = self._line(source)
        before = line.under_way.get(post.named) if post.named is not None else None
        if before is not None and before.post.mark != post.mark:
            raise reused()
        waiting = before or self._enqueue(line, stream, post)
        try:
            # A client that goes away leaves its post: it is taken in, and told when it comes again.
            answer = await asyncio.wait_for(asyncio.shield(waiting.done), ANSWER_SECONDS)
        except TimeoutError:
            hint = "It may be kept yet. Send the same again, with the same Idempotency-Key."
            raise Unavailable("the batch is not committed yet", hint=hint, after_seconds=AGAIN_SECONDS) from None
        return answer if before is None else Answer(answer.text, replayed=True)

    def renew(self, sources: Mapping[str, Source]) -> None:
        """Judge what comes from now on by these declarations: a post is never judged by two."""
        for code, line in self._lines.items():
            if code in sources and sources[code] is not line.source:
                line.coming = sources[code]

    async def close(self) -> None:
        """Take in what waits, as far as that goes in bearable time, then stop."""
        loop = asyncio.get_running_loop()
        ends, lines = loop.time() + GOODBYE_SECONDS, list(self._lines.values())
        while any(one.first is not None or one.busy for one in lines) and loop.time() < ends:
            await asyncio.sleep(_LOOK)
        for line in lines:
            line.task.cancel()
        await asyncio.gather(*(line.task for line in lines), return_exceptions=True)
        for line in lines:
            if not line.busy:
                await asyncio.to_thread(line.intake.close)
        self._pool.shutdown(wait=False)

    def _line(self, source: Source) -> _Line:
        line = self._lines.get(source.code)
        if line is None or line.task.done():
            line = self._lines[source.code] = _Line(source, self._intake(source))
            line.task = asyncio.get_running_loop().create_task(self._serve(line), name=f"push {source.code}")
        return line

    def _intake(self, source: Source) -> Intake:
        return Intake(self._runtime, source, wait=LOCK_SECONDS, keep_days=self._manner.keep_days)

    def _enqueue(self, line: _Line, stream: str, post: Post) -> _Waiting:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(post, loop.time(), loop.create_future())
        line.waiting.setdefault(stream, deque()).append(waiting)
        line.records += len(post.held)
        if post.named is not None:
            line.under_way[post.named] = waiting
        line.came.set()
        if line.records >= self._manner.most:
            line.full.set()
        return waiting

    # --- one source's line ---

    async def _serve(self, line: _Line) -> None:
        """Take in what waits, as long as the application lives."""
        while True:
            if line.first is None:
                await self._idle(line)
            await self._linger(line)
            line.came.clear()
            line.full.clear()
            if line.coming is not None:
                await self._renew(line, line.coming)
            for stream in line.source.streams:  # parents before children, as in a pull
                for batch in self._batches(line, stream):
                    line.busy = True
                    await self._take(line, stream, batch)
                    line.busy = False
            if sum(one.intake.connected for one in self._lines.values()) > _KEPT:
                await asyncio.to_thread(line.intake.close)

    async def _renew(self, line: _Line, source: Source) -> None:
        """Take in by another declaration from now on; what waits on a stream that it has not is told so."""
        line.coming = None
        try:
            intake = await asyncio.to_thread(self._intake, source)
        except ConfigError as error:  # its folder was broken since it was read
            log.error("source %s is taken in as it was declared before: %s", source.code, error)  # noqa: TRY400  # the words say it all
            return
        await asyncio.to_thread(line.intake.close)
        line.source, line.intake = source, intake
        for stream in [one for one in line.waiting if one not in source.streams]:
            for waiting in line.waiting.pop(stream):
                line.records -= len(waiting.post.held)
                _tell(line, waiting, Contradicted(f"source {source.code} has no stream {stream} any more"))

    async def _idle(self, line: _Line) -> None:
        """Wait for a post; give the connection back where none comes for a while."""
        try:
            await asyncio.wait_for(line.came.wait(), IDLE_SECONDS)
        except TimeoutError:
            await asyncio.to_thread(line.intake.close)
            await line.came.wait()

    async def _linger(self, line: _Line) -> None:
        """Wait for others until the first post has waited long enough, or there is enough for a batch."""
        loop, first = asyncio.get_running_loop(), line.first
        left = 0.0 if first is None else first + self._manner.linger - loop.time()
        if left > 0 and line.records < self._manner.most:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(line.full.wait(), left)

    def _batches(self, line: _Line, stream: str) -> Iterator[list[_Waiting]]:
        """Yield what waits on a stream now, in batches of no more records than one may have, or of one larger post."""
        queue = line.waiting.get(stream, deque())
        left, most = len(queue), self._manner.most
        alone = bool(queue) and line.intake.one_by_one(stream)
        while left > 0:
            batch = [queue.popleft()]
            records = len(batch[0].post.held)
            while queue and not alone and len(batch) < left and records + len(queue[0].post.held) <= most:
                batch.append(queue.popleft())
                records += len(batch[-1].post.held)
            left -= len(batch)
            line.records -= records
            yield batch

    async def _take(self, line: _Line, stream: str, batch: Sequence[_Waiting]) -> None:
        """Take a batch in, and tell all who wait for it.

        A post that brings the whole batch down must not take the others with it: then each is tried by itself.
        """
        try:
            outcomes: Sequence[Outcome | Exception] = await self._outcomes(line, stream, batch)
        except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must be told
            if len(batch) > 1:
                for one in batch:
                    await self._take(line, stream, [one])
                return
            outcomes = [error]
        for one, outcome in zip(batch, outcomes, strict=True):
            _tell(line, one, outcome)

    async def _outcomes(self, line: _Line, stream: str, batch: Sequence[_Waiting]) -> Sequence[Outcome | Exception]:
        """Have a batch taken in by a thread; what will pass by itself is told to all of it.

        Raises:
            Exception: a fault, which perhaps one of the posts brought.
        """
        loop, gathered = asyncio.get_running_loop(), [one.post for one in batch]
        try:
            return await loop.run_in_executor(self._pool, line.intake.take, stream, gathered)
        except SourceTrouble as error:
            raise Contradicted(error.got, hint=error.hint or error.next_step) from None
        except SourceBusy:
            got = f"source {line.source.code} is held by another process"
        except (psycopg2.OperationalError, psycopg2.InterfaceError, SQLAlchemyError) as error:
            log.warning("source %s: the repository does not take a batch (%s)", line.source.code, type(error).__name__)
            got = "the repository does not answer"
        hint = "Nothing was kept. Send the same again, with the same Idempotency-Key."
        return [Unavailable(got, hint=hint, after_seconds=AGAIN_SECONDS)] * len(batch)


def _tell(line: _Line, one: _Waiting, outcome: Outcome | Exception) -> None:
    """Tell whoever waits for a post what became of it."""
    if one.post.named is not None and line.under_way.get(one.post.named) is one:
        del line.under_way[one.post.named]
    if isinstance(outcome, Answer):
        one.done.set_result(outcome)
    else:
        one.done.set_exception(outcome)
        one.done.exception()  # whoever waited may have gone: then nobody else takes it
