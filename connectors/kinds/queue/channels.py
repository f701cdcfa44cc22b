"""The channels of a session: what is asked of the broker and what it says, without ever waiting for an answer.

An answer comes behind all messages that are on their way. Whoever waited for one would have to take in every message
before it, however large: so answers are called back, messages are taken in as there is room for them, and what is sent
goes over a connection of its own.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from pika import SelectConnection  # type: ignore[import-untyped]  # it has types, but does not say that it has
from pika.adapters.select_connection import IOLoop  # type: ignore[import-untyped]  # see above

from connectors.kinds.queue.options import QueueOptions
from connectors.kinds.queue.trouble import NAMES, RAISED, Place, trouble
from hub.errors import SourceTrouble, StreamMissing

Done = Callable[[Any], None]

_GOODBYE = 5.0
"""Seconds for the broker to take leave."""


class Channels:
    """A channel to take messages and, where some are sent, one on a connection of its own; all belong to one thread.

    `failure` says why it is over, once it is.
    """

    def __init__(self, parameters: Any, place: Place, options: QueueOptions, on_message: Callable[..., None]) -> None:
        self._parameters, self._place, self._options, self._on_message = parameters, place, options, on_message
        self._loop = IOLoop()
        self._loop.activate_poller()
        self._connections: list[Any] = []
        self._taking: Any = None
        self._sending: Any = None
        self._consumer: str | None = None
        self._about = place
        self._closed = False
        self.failure: SourceTrouble | None = None

    # --- the loop ---

    def turn(self) -> None:
        """Take in and send what is to be, and wait for it at most some seconds; `wake` ends the wait.

        Raises:
            SourceTrouble: the connection is over.
        """
        try:
            self._loop.poll()
            self._loop.process_timeouts()
        except RAISED as error:
            self._fail(error, self._place)
        if self.failure is not None:
            raise self.failure

    def wake(self, call: Callable[[], None]) -> None:
        """Have the loop call something; any thread may ask."""
        self._loop.add_callback_threadsafe(call)

    def _ask(self, ask: Callable[[Done], Any]) -> Any:
        """Ask and wait for the answer: only while no messages come."""
        found: list[Any] = []
        ask(found.append)
        while not found:
            self.turn()
        return found[0]

    # --- coming and going ---

    def open(self, *, take: bool) -> None:
        """Connect, see that the queues are there, and begin to take messages.

        Raises:
            SourceTrouble: the broker cannot be reached, or a queue is missing.
        """
        self._taking = self._channel(self._connect())
        for name in (self._options.queue, *self._options.others):
            self._see(name)
        self._about = self._place
        if self._options.others:
            self._sending = self._channel(self._connect() if take else self._connections[0])
            self._sending.add_on_return_callback(self._returned)
            self._ask(self._sending.tx_select)
        if take:
            self._ask(lambda done: self._taking.basic_qos(prefetch_count=self._options.prefetch, callback=done))
            self._taking.add_on_cancel_callback(self._cancelled)
            self._consumer = self._taking.basic_consume(self._options.queue, self._on_message)

    def _connect(self) -> Any:
        made = self._ask(
            lambda done: SelectConnection.create_connection([self._parameters], done, custom_ioloop=self._loop)
        )
        if isinstance(made, BaseException):
            raise trouble(made, self._place)
        made.add_on_close_callback(lambda _, reason: self._fail(reason, self._place))
        self._connections.append(made)
        return made

    def _see(self, name: str) -> None:
        """See that a queue is there."""
        self._about = replace(self._place, queue=name)
        self._ask(lambda done: self._taking.queue_declare(name, passive=True, callback=done))

    def _channel(self, connection: Any) -> Any:
        channel = self._ask(lambda done: connection.channel(on_open_callback=done))
        channel.add_on_close_callback(lambda _, reason: self._fail(reason, self._about))
        return channel

    def close(self) -> None:
        """Take leave, after all that was said: what is not acknowledged is the broker's again."""
        self._closed, ends = True, time.monotonic() + _GOODBYE
        with contextlib.suppress(*RAISED):
            for connection in self._connections:
                if connection.is_open:
                    connection.close()
            while not all(one.is_closed for one in self._connections) and time.monotonic() < ends:
                self._loop.poll()
                self._loop.process_timeouts()
        self._loop.deactivate_poller()
        self._loop.close()

    def _fail(self, error: BaseException, place: Place) -> None:
        if self.failure is None and not self._closed:
            self.failure = trouble(error, place)

    def _cancelled(self, _frame: Any) -> None:
        got = f"{self._place.named} was deleted, or moved to another node, while it was read"
        self.failure = self.failure or self._place.error(StreamMissing, got, NAMES)

    def _returned(self, _channel: Any, method: Any, _properties: Any, _body: bytes) -> None:
        got = f"there is no queue {method.routing_key!r} any more"
        self.failure = self.failure or self._place.error(StreamMissing, got, NAMES)

    # --- what is asked ---

    def ready(self, done: Callable[[int], None]) -> None:
        """Ask how many messages lie ready; what was on its way before comes before the answer."""
        self._taking.queue_declare(
            self._options.queue, passive=True, callback=lambda frame: done(int(frame.method.message_count))
        )

    def send(self, target: str, messages: Iterable[tuple[bytes, Any]], done: Done) -> None:
        """Send messages to a queue as one transaction: they are the broker's when it is answered."""
        self._about = replace(self._place, queue=target)
        for body, properties in messages:
            self._sending.basic_publish("", target, body, properties, mandatory=True)
        self._sending.tx_commit(done)

    def acknowledge(self, through: int, others: Sequence[int]) -> None:
        """Acknowledge messages: all up to one, and others.

        It has no answer, and none is asked for: where an acknowledgement gets lost, the message comes once more, and
        that changes nothing.
        """
        if through:
            self._taking.basic_ack(through, multiple=True)
        for tag in others:
            self._taking.basic_ack(tag)

    def give_back(self, tags: Iterable[int]) -> None:
        """Let the broker have messages back, in their places."""
        for tag in tags:
            self._taking.basic_nack(tag, requeue=True)

    def stop(self, done: Done) -> None:
        """Take no more messages; what is on its way goes back by itself."""
        if self._consumer is None:
            done(None)
        else:
            self._taking.basic_cancel(self._consumer, done)
            self._consumer = None
