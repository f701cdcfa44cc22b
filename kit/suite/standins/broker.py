"""A small broker on loopback for queues of examples: as much of AMQP 0-9-1 as looking at them needs, and no more.

It is no RabbitMQ: a machine that proves a source folder may have none. Frames are read and written by the client
library that the connector uses, too. Nobody publishes through it; a message that was taken and not acknowledged lies
where it lay when its channel is over.
"""

from __future__ import annotations

import hmac
import socketserver
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pika import frame, spec  # type: ignore[import-untyped]  # it has types, but does not say that it has

_HEAD, _END = 7, 1
_FRAME_MAX, _HEARTBEAT = 131_072, 60
_ABOUT = {"product": "examples", "capabilities": {"basic.nack": True, "authentication_failure_close": True}}


@dataclass(order=True, slots=True)
class Message:
    """One message: its place in the queue, its body, its headers, and whether it was delivered before."""

    place: int
    body: bytes = field(compare=False)
    headers: Mapping[str, Any] = field(compare=False, default_factory=dict)
    before: bool = field(compare=False, default=False)


class Broker(socketserver.ThreadingTCPServer):
    """Holds the queues that it is made with; `serve_forever` and `shutdown` as of every server."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, queues: Iterable[str], *, user: str, secret: str) -> None:
        self.ready: dict[str, list[Message]] = {name: [] for name in queues}
        self.login = f"\0{user}\0{secret}".encode()
        self.lock = threading.Lock()
        self._count = 0
        super().__init__(("127.0.0.1", 0), _Conversation)

    @property
    def address(self) -> str:
        """Return host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def put(self, queue: str, body: bytes, headers: Mapping[str, Any] | None = None) -> None:
        """Put a message behind the others of its queue."""
        with self.lock:
            self._count += 1
            self.ready[queue].append(Message(self._count, body, headers or {}))

    def take(self, queue: str, most: int) -> list[Message]:
        """Take messages out, at most so many."""
        with self.lock:
            lying = self.ready[queue]
            taken, self.ready[queue] = lying[:most], lying[most:]
        return taken

    def back(self, queue: str, messages: Iterable[Message]) -> None:
        """Put messages back where they lay."""
        with self.lock:
            for one in messages:
                one.before = True
                self.ready[queue].append(one)
            self.ready[queue].sort()


@dataclass(slots=True)
class _Channel:
    """One channel: what it takes from, and what it has not acknowledged."""

    number: int
    prefetch: int = 0
    queue: str | None = None
    consumer: str = ""
    tag: int = 0
    open: dict[int, tuple[str, Message]] = field(default_factory=dict)


class _Refused(Exception):
    """A wish that is not met; the code is AMQP's, `whole` ends the connection instead of the channel."""

    def __init__(self, code: int, text: str, *, whole: bool = False) -> None:
        super().__init__(text)
        self.code, self.text, self.whole = code, text, whole


class _Conversation(socketserver.StreamRequestHandler):
    """One client's connection."""

    server: Broker
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Talk until the client leaves."""
        self._channels: dict[int, _Channel] = {}
        self._goes_on = True
        with suppress(OSError, EOFError):
            if self._exactly(8) != frame.ProtocolHeader().marshal():
                self.wfile.write(frame.ProtocolHeader().marshal())
                return
            self._say(0, spec.Connection.Start(0, 9, _ABOUT, "PLAIN", "en_US"))
            while self._goes_on:
                self._take(self._frame())
        for channel in self._channels.values():
            self._give_back(channel)

    def _exactly(self, count: int) -> bytes:
        data = self.rfile.read(count)
        if len(data) < count:
            raise EOFError
        return bytes(data)

    def _frame(self) -> Any:
        head = self._exactly(_HEAD)
        size = int.from_bytes(head[3:], "big")
        if size > _FRAME_MAX:
            raise EOFError
        return frame.decode_frame(head + self._exactly(size + _END))[1]

    def _take(self, got: Any) -> None:
        if isinstance(got, frame.Heartbeat):
            self.wfile.write(frame.Heartbeat().marshal())
        if not isinstance(got, frame.Method):
            return
        try:
            self._method(got.channel_number, got.method)
        except _Refused as refused:
            close = spec.Connection.Close if refused.whole else spec.Channel.Close
            self._say(0 if refused.whole else got.channel_number, close(refused.code, refused.text, 0, 0))
            if not refused.whole:
                self._give_back(self._channels.pop(got.channel_number))

    def _method(self, number: int, method: Any) -> None:
        own, of_channel = self._OF_CONNECTION.get(method.NAME), self._OF_CHANNEL.get(method.NAME)
        if own is not None:
            own(self, method)
        elif isinstance(method, spec.Channel.Open):
            self._channels[number] = _Channel(number)
            self._say(number, spec.Channel.OpenOk())
        elif of_channel is None:
            raise _Refused(540, f"{method.NAME} is not for queues of examples", whole=True)
        elif number in self._channels:
            of_channel(self, self._channels[number], method)

    # --- the connection

    def _start_ok(self, method: Any) -> None:
        said = method.response.encode() if isinstance(method.response, str) else bytes(method.response or b"")
        if method.mechanism != "PLAIN" or not hmac.compare_digest(said, self.server.login):
            raise _Refused(403, "ACCESS_REFUSED - login was refused", whole=True)
        self._say(0, spec.Connection.Tune(16, _FRAME_MAX, _HEARTBEAT))

    def _tune_ok(self, method: Any) -> None:
        """Take the client's limits, which are not larger than ours."""

    def _open_host(self, method: Any) -> None:
        del method  # there is one virtual host, whatever it is called
        self._say(0, spec.Connection.OpenOk())

    def _leave(self, method: Any) -> None:
        for channel in self._channels.values():
            self._give_back(channel)  # before the answer: who comes next finds all where it lay
        if isinstance(method, spec.Connection.Close):
            self._say(0, spec.Connection.CloseOk())
        self._goes_on = False

    # --- a channel

    def _close_channel(self, channel: _Channel, method: Any) -> None:
        del method
        self._give_back(self._channels.pop(channel.number))
        self._say(channel.number, spec.Channel.CloseOk())

    def _declare(self, channel: _Channel, method: Any) -> None:
        if not method.passive:
            raise _Refused(403, "ACCESS_REFUSED - queues are the department's")
        if method.queue not in self.server.ready:
            raise _Refused(404, f"NOT_FOUND - no queue '{method.queue}'")
        takers = sum(one.queue == method.queue for one in self._channels.values())
        self._say(channel.number, spec.Queue.DeclareOk(method.queue, len(self.server.ready[method.queue]), takers))

    def _qos(self, channel: _Channel, method: Any) -> None:
        channel.prefetch = method.prefetch_count
        self._say(channel.number, spec.Basic.QosOk())

    def _consume(self, channel: _Channel, method: Any) -> None:
        if method.queue not in self.server.ready:
            raise _Refused(404, f"NOT_FOUND - no queue '{method.queue}'")
        channel.queue, channel.consumer = method.queue, method.consumer_tag or f"c{channel.number}"
        self._say(channel.number, spec.Basic.ConsumeOk(channel.consumer))
        self._deliver(channel)

    def _deliver(self, channel: _Channel) -> None:
        """Deliver what lies ready, as far as the client has room for it."""
        if channel.queue is None:
            return
        room = channel.prefetch - len(channel.open) if channel.prefetch else _FRAME_MAX
        taken = dict(enumerate(self.server.take(channel.queue, max(0, room)), channel.tag + 1))
        channel.open |= {tag: (channel.queue, one) for tag, one in taken.items()}  # before the line can break
        channel.tag += len(taken)
        for tag, one in taken.items():
            self._say(channel.number, spec.Basic.Deliver(channel.consumer, tag, one.before, "", channel.queue))
            about = spec.BasicProperties(
                content_type="application/json", message_id=f"{one.place}", headers=dict(one.headers) or None
            )
            self.wfile.write(frame.Header(channel.number, len(one.body), about).marshal())
            step = _FRAME_MAX - _HEAD - _END
            for start in range(0, len(one.body), step):
                self.wfile.write(frame.Body(channel.number, one.body[start : start + step]).marshal())

    def _settle(self, channel: _Channel, method: Any) -> None:
        """Forget messages that were acknowledged, or put them back: one, or all up to one."""
        told, several = method.delivery_tag, getattr(method, "multiple", False)  # a rejection is of one message
        tags = [tag for tag in channel.open if tag == told or (several and (not told or tag < told))]
        if not tags:
            raise _Refused(406, f"PRECONDITION_FAILED - unknown delivery tag {told}")
        for tag in tags:
            queue, message = channel.open.pop(tag)
            if getattr(method, "requeue", False):
                self.server.back(queue, [message])
        if isinstance(method, spec.Basic.Ack):
            self._deliver(channel)

    def _cancel(self, channel: _Channel, method: Any) -> None:
        channel.queue = None
        self._say(channel.number, spec.Basic.CancelOk(method.consumer_tag))

    def _tx_select(self, channel: _Channel, method: Any) -> None:
        del method
        self._say(channel.number, spec.Tx.SelectOk())

    def _give_back(self, channel: _Channel) -> None:
        """Put back what a channel took and did not acknowledge."""
        for queue, message in channel.open.values():
            self.server.back(queue, [message])
        channel.open.clear()

    def _say(self, channel: int, method: Any) -> None:
        self.wfile.write(frame.Method(channel, method).marshal())

    _OF_CONNECTION: Mapping[str, Callable[[_Conversation, Any], None]] = MappingProxyType({
        "Connection.StartOk": _start_ok, "Connection.TuneOk": _tune_ok, "Connection.Open": _open_host,
        "Connection.Close": _leave, "Connection.CloseOk": _leave,
    })  # fmt: skip
    _OF_CHANNEL: Mapping[str, Callable[[_Conversation, _Channel, Any], None]] = MappingProxyType({
        "Channel.Close": _close_channel, "Queue.Declare": _declare, "Basic.Qos": _qos, "Basic.Consume": _consume,
        "Basic.Ack": _settle, "Basic.Nack": _settle, "Basic.Reject": _settle, "Basic.Cancel": _cancel,
        "Tx.Select": _tx_select,
    })  # fmt: skip
