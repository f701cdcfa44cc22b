"""A real broker for tests: RabbitMQ with queues of the test's own, and a line to it to cut."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pika  # type: ignore[import-untyped]  # it has types, but does not say that it has

from tests.servers import amqp_url


class Broker:
    """What a department does with its queues; the hub's account is the same here."""

    def __init__(self) -> None:
        self.url = amqp_url()
        self._connection = pika.BlockingConnection(pika.URLParameters(f"{self.url}?heartbeat=0"))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._made: list[str] = []

    def queue(self, **arguments: Any) -> str:
        """Declare a queue of the test's own."""
        name = f"hub-test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._channel.queue_declare(name, **arguments)
        self._made.append(name)
        return name

    def send(self, queue: str, *bodies: Any, **properties: Any) -> None:
        """Send messages: bytes as they are, all else as JSON."""
        for body in bodies:
            data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            self._channel.basic_publish("", queue, data, pika.BasicProperties(**properties), mandatory=True)

    def ready(self, queue: str) -> int:
        """Count the messages that lie there for whoever asks."""
        return int(self._channel.queue_declare(queue, passive=True).method.message_count)

    def comes_to(self, queue: str, count: int, seconds: float = 10) -> bool:
        """Say whether so many messages lie there before the time is over: a connection's end takes effect soon."""
        return within(seconds, lambda: self.ready(queue) == count)

    def take(self, queue: str) -> list[tuple[Any, Any]]:
        """Take all messages, as properties and JSON."""
        taken = []
        while (got := self._channel.basic_get(queue, auto_ack=True))[0] is not None:
            taken.append((got[1], json.loads(got[2])))
        return taken

    def drop(self, queue: str) -> None:
        """Delete a queue."""
        self._channel.queue_delete(queue)

    def close(self) -> None:
        """Delete what the test declared."""
        for name in self._made:
            self._channel.queue_delete(name)
        self._connection.close()


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Say whether something comes to hold before the time is over."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


@contextlib.contextmanager
def broker_or_skip() -> Iterator[Broker]:
    """Give the broker; skip where there can be none."""
    made = Broker()
    try:
        yield made
    finally:
        made.close()


class Line:
    """A line to the broker that can be cut in the middle, as if the hub's machine had died."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        near, far = f"127.0.0.1:{self._server.getsockname()[1]}", urlsplit(amqp_url())
        self._far = (far.hostname or "", far.port or 5672)
        self.url = amqp_url().replace(f"{self._far[0]}:{self._far[1]}", near)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._server.accept()
                there = socket.create_connection(self._far)
                self._ends += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()

    def cut(self) -> None:
        """Cut every connection."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def close(self) -> None:
        """Cut, and take no more connections."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with one, contextlib.suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
        other.shutdown(socket.SHUT_RDWR)
