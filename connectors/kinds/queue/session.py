"""One session with a broker: a connection that its own thread drives, whatever the pipeline's threads do meanwhile.

The client library is no friend of threads, and a connection that nobody serves dies of a missed heartbeat. So one
thread owns it: it takes deliveries in while the pipeline loads, acknowledges at once though the reader waits for the
next message, and answers heartbeats during the longest load. All others hand it their wishes and wait.
"""

from __future__ import annotations

import contextlib
import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

import pika  # type: ignore[import-untyped]  # it has types, but does not say that it has

from connectors.kinds.queue.answers import TYPE, Answer
from connectors.kinds.queue.channels import Channels
from connectors.kinds.queue.deliveries import Message, Outstanding
from connectors.kinds.queue.enveloped import HEADER
from connectors.kinds.queue.look import parameters
from connectors.kinds.queue.options import QueueOptions
from connectors.kinds.queue.trouble import RAISED, Place, trouble
from connectors.limits import MIB
from hub.errors import RetrySource, SourceTrouble

T = TypeVar("T")
Wish = Callable[["Future[Any]"], None]
"""What the session's thread is asked to begin; it answers by the future."""

_PAUSE, _SHORT_PAUSE = 1.0, 0.02
"""Seconds between two looks at the network while there is no room; the short one while somebody waits for an answer."""
_WAITING_BYTES = 64 * MIB
"""So much may wait to be read; then the thread takes no more than a little from the network until there is room."""
_HELD = 600.0
"""Seconds that a session whose reading is over waits to hear of its messages; then the broker has them again."""
_JOIN = 10.0
_ANSWER = 300.0
"""Seconds that the broker has for whatever it is asked; a broker that only beats its heart is as good as gone."""


class Session:
    """Takes messages of one queue, and acknowledges them when it is told to."""

    def __init__(self, url: str, place: Place, options: QueueOptions, *, look_only: bool = False) -> None:
        self.name = secrets.token_hex(8)
        self.outstanding = Outstanding()
        self.heard_at = time.monotonic()
        self._place, self._options, self._look_only = place, options, look_only
        self._arrived: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._waiting_bytes = self._moving = 0
        self._counting: Callable[[Any], None] | None = None
        self._room = threading.Event()
        self._lock = threading.Lock()
        self._wishes: deque[tuple[Wish, Future[Any]]] = deque()
        self._granted: set[Future[Any]] = set()
        self._ending = self._finished = self._ended = False
        self._failure: SourceTrouble | None = None
        self._channels = Channels(parameters(url, place.source), place, options, self._delivered)
        self._thread = threading.Thread(target=self._run, name=f"hub-queue-{self.name}", daemon=True)

    def open(self) -> Session:
        """Connect and begin to take messages.

        Raises:
            SourceTrouble: the broker cannot be reached, or a queue is missing.
        """
        self._begin(lambda future: future.set_result(None))
        return self

    def tell(self, answers: Sequence[Answer]) -> None:
        """Connect, only to send answers that are owed for messages of an earlier session.

        Raises:
            SourceTrouble: they could not be sent.
        """
        self._finished = True
        self._begin(lambda future: self._answer(answers, future.set_result))

    def _begin(self, first: Wish) -> None:
        future: Future[None] = Future()
        self._wishes.append((first, future))
        self._thread.start()
        self._await(future)

    @property
    def alive(self) -> bool:
        """Say whether the broker still waits to hear of this session's messages."""
        return not (self._ended or self._ending)

    def take(self, seconds: float) -> Message | None:
        """Return the next message, or None where none comes in time.

        Raises:
            RetrySource: the connection broke off.
        """
        try:
            message = self._arrived.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        if message is None:
            raise self._trouble()
        with self._lock:
            self._waiting_bytes -= len(message.body)
        self._room.set()
        return message

    def waiting(self) -> int:
        """Return how many messages wait, at the broker and here; that one is on its way is known when it comes."""
        ready: int = self._wish(self._count)
        return ready + self._arrived.qsize() + self._moving

    def settle(self, tags: Sequence[int], answers: Sequence[Answer] = ()) -> None:
        """Send answers, then acknowledge messages; return when the broker has the answers.

        Raises:
            SourceTrouble: it could not be told.
        """
        if not self._look_only:
            self._wish(lambda done: self._answer(answers, lambda _: self._acknowledge(tags, done)))

    def finish(self) -> None:
        """Take nothing more; the session ends by itself when all of its messages are acknowledged.

        Raises:
            RetrySource: the connection broke off.
        """
        self._wish(self._finish)

    def close(self) -> None:
        """End the session: what is not acknowledged is the broker's again. Any thread may ask, any number of times."""
        self._ending = True
        self._wake()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_JOIN)

    # --- what other threads ask for ---

    def _wish(self, begin: Callable[[Callable[[Any], None]], None]) -> Any:
        """Have the thread begin something, and return what it is answered with."""
        future: Future[Any] = Future()
        with self._lock:
            if self._ended:
                raise self._trouble()
            self._wishes.append((lambda made: begin(made.set_result), future))
        self._wake()
        return self._await(future)

    def _await(self, future: Future[T]) -> T:
        try:
            return future.result(_ANSWER)
        except FutureTimeout:
            self._ending = True
            raise self._place.error(RetrySource, f"the broker did not answer within {_ANSWER:g} s") from None

    def _wake(self) -> None:
        self._room.set()
        with self._lock:
            if not self._ended:
                self._channels.wake(_nothing)

    def _trouble(self) -> SourceTrouble:
        """Return the trouble that ended the session, as an exception of its own for each who asks."""
        found = self._failure
        if found is None:
            return self._place.error(RetrySource, "the session with the broker is over")
        return type(found)(source=found.source, stream=found.stream, got=found.got, known=found.known, hint=found.hint)

    # --- the session's own thread ---

    def _run(self) -> None:
        try:
            self._channels.open(take=not self._finished)
            self._serve()
        except SourceTrouble as error:
            self._failure = error
        except RAISED as error:
            self._failure = trouble(error, self._place)
        finally:
            self._end()

    def _serve(self) -> None:
        """Drive the connection until the session ends."""
        while True:
            while self._wishes:
                wish, future = self._wishes.popleft()
                self._granted.add(future)
                wish(future)
            self._granted = {future for future in self._granted if not future.done()}
            if self._over():
                return
            if self._waiting_bytes > _WAITING_BYTES:
                self._room.wait(_SHORT_PAUSE if self._granted else _PAUSE)
                self._room.clear()
                self._channels.wake(_nothing)  # look at the network, but do not wait for it
            self._channels.turn()

    def _over(self) -> bool:
        if self._ending:
            return True
        waits = len(self.outstanding) > 0 and time.monotonic() - self.heard_at < _HELD
        return self._finished and not (waits or self._wishes or self._granted)

    def _end(self) -> None:
        """Let go of the connection, and tell all who wait."""
        with self._lock:
            if self._failure is None and not (self._finished or self._ending):
                self._failure = self._place.error(RetrySource, "the session with the broker ended unexpectedly")
            self._ended = True
        for future in [*self._granted, *(future for _, future in self._wishes)]:
            if not future.done():
                future.set_exception(self._trouble())
        self._arrived.put(None)
        self._channels.close()

    def _delivered(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        tag = int(method.delivery_tag)
        self.outstanding.came(tag)
        target = self._options.reject_to if len(body) > self._options.limits.body_bytes else None
        message = Message(
            tag=tag, body=b"" if target else body, size=len(body), moved=target,
            content_type=properties.content_type, content_encoding=properties.content_encoding,
            message_id=properties.message_id, correlation_id=properties.correlation_id,
            envelope=(properties.headers or {}).get(HEADER),
        )  # fmt: skip
        if target is None or self._look_only:
            self._arrive(message)
            return
        self._moving += 1
        self._channels.send(target, [(body, properties)], lambda _: self._moved(message))

    def _moved(self, message: Message) -> None:
        self._moving -= 1
        self._arrive(message)

    def _arrive(self, message: Message) -> None:
        if self._finished:  # its reader is gone
            self.outstanding.close([message.tag])
            self._channels.give_back([message.tag])
            return
        with self._lock:
            self._waiting_bytes += len(message.body)
        self._arrived.put(message)
        self._counted(0)

    def _count(self, done: Callable[[Any], None]) -> None:
        self._counting = done
        self._channels.ready(self._counted)

    def _counted(self, ready: int) -> None:
        """Answer who asks how many messages wait: with the broker's count, or as soon as one has come."""
        done, self._counting = self._counting, None
        if done is not None:
            done(ready)

    def _answer(self, answers: Sequence[Answer], done: Callable[[Any], None]) -> None:
        """Send answers to where the stream wants them."""
        if not answers or self._options.receipts is None:
            done(None)
            return
        messages = [
            (one.body, pika.BasicProperties(
                content_type="application/json", type=TYPE, correlation_id=one.correlation_id, delivery_mode=2,
            ))
            for one in answers
        ]  # fmt: skip
        self._channels.send(self._options.receipts, messages, done)

    def _acknowledge(self, tags: Sequence[int], done: Callable[[Any], None]) -> None:
        self.heard_at = time.monotonic()
        if self._channels.failure is None:  # else the answers found no queue
            self._channels.acknowledge(*self.outstanding.close(tags))
            done(None)

    def _finish(self, done: Callable[[Any], None]) -> None:
        self._finished = True
        self.heard_at = time.monotonic()
        left = []
        with contextlib.suppress(queue.Empty):
            while (message := self._arrived.get_nowait()) is not None:
                left.append(message.tag)
        self.outstanding.close(left)
        self._channels.give_back(left)
        self._channels.stop(done)


def _nothing() -> None:
    """Wake the session's thread."""
