"""A loopback proxy in front of a broker that stalls, cuts, halves and lies, frame by frame."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_HEADER, _BODY = 2, 3
"""Frames that begin a message's content, and that hold it."""
_HEAD = 7
_SIZE = slice(4, 12)
"""Where a content header says how long its body is."""
_WAIT, _DIAL, _CHUNK = 30, 10, 1 << 16


class Cut(Exception):
    """The line is cut here."""


@dataclass(slots=True)
class Line:
    """What a fault may look at: how many messages have begun, and the event that ends all waiting."""

    messages: int = 0
    over: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class Frame:
    """A frame on its way to the reader."""

    kind: int
    channel: bytes
    payload: bytes

    def __bytes__(self) -> bytes:
        return bytes([self.kind]) + self.channel + len(self.payload).to_bytes(4, "big") + self.payload + b"\xce"


Fault = Callable[[Frame, Line], bytes]
"""Returns what goes out instead of a frame.

Raises:
    Cut: the line is cut.
"""


def silent(one: Frame, line: Line) -> bytes:
    """Let the reader wait from the first word on."""
    line.over.wait(_WAIT)
    return bytes(one)


def cut(one: Frame, line: Line) -> bytes:
    """Cut the line in the middle of the first message."""
    del line
    if one.kind == _BODY:
        raise Cut(bytes(one)[: len(one.payload) // 2])
    return bytes(one)


def too_long(one: Frame, line: Line) -> bytes:
    """Say of each message that it is longer than it is."""
    del line
    if one.kind == _HEADER:
        one.payload = _sized(one.payload, int.from_bytes(one.payload[_SIZE], "big") + 1000)
    return bytes(one)


def half(one: Frame, line: Line) -> bytes:
    """Send half of each message as if it were whole."""
    del line
    if one.kind == _HEADER:
        one.payload = _sized(one.payload, int.from_bytes(one.payload[_SIZE], "big") // 2)
    if one.kind == _BODY:
        one.payload = one.payload[: len(one.payload) // 2]
    return bytes(one)


def _sized(payload: bytes, size: int) -> bytes:
    return payload[: _SIZE.start] + size.to_bytes(8, "big") + payload[_SIZE.stop :]


@contextmanager
def proxied(url: str, fault: Fault) -> Iterator[str]:
    """Stand between a reader and the broker at `url` while the body runs; yields the address to read instead."""
    upstream = urlsplit(url)
    line = Line()
    listener = socket.create_server(("127.0.0.1", 0))
    there = (upstream.hostname or "127.0.0.1", upstream.port or 5672)
    threading.Thread(target=_accept, args=(listener, there, fault, line), daemon=True).start()
    user = upstream.netloc.rpartition("@")[0]
    own = f"127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield urlunsplit(upstream._replace(netloc=f"{user}@{own}" if user else own))
    finally:
        line.over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _accept(listener: socket.socket, there: tuple[str, int], fault: Fault, line: Line) -> None:
    with contextlib.suppress(OSError):  # the proxy is over, or the broker is
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(there, timeout=_DIAL)
            far.settimeout(None)
            threading.Thread(target=_up, args=(near, far), daemon=True).start()
            threading.Thread(target=_down, args=(far, near, fault, line), daemon=True).start()


def _up(near: socket.socket, far: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := near.recv(_CHUNK):
            far.sendall(data)
    _end(near, far)


def _down(far: socket.socket, near: socket.socket, fault: Fault, line: Line) -> None:
    with contextlib.suppress(OSError, EOFError), far.makefile("rb") as frames:
        while True:
            head = _exactly(frames.read(_HEAD), _HEAD)
            size = int.from_bytes(head[3:], "big")
            payload = _exactly(frames.read(size + 1), size + 1)[:-1]
            line.messages += head[0] == _HEADER
            try:
                near.sendall(fault(Frame(head[0], head[1:3], payload), line))
            except Cut as where:
                near.sendall(where.args[0])
                break
    _end(near, far)


def _exactly(data: bytes, count: int) -> bytes:
    if len(data) < count:
        raise EOFError
    return data


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
