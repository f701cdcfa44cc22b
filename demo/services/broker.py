"""The demonstration's own message broker: as much of AMQP 0-9-1 as a department's queues need, and no more.

It is no RabbitMQ: a fresh machine has none. Frames are read and written by the client library that the hub uses, too.
A virtual host is a department's store (`demo.shapes.queue`), so that messages outlive the broker; one that was
delivered and not acknowledged is delivered again, and says so. Queues are made by their department only.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pika import frame, spec  # type: ignore[import-untyped]  # it has types, but does not say that it has

from demo.services.settings import USER, settings_of
from demo.services.virtualhost import Publishing, VirtualHost
from demo.shapes.layout import department_place
from demo.shapes.queue import QUEUES

_HEAD, _END = 7, 1
_FRAME_MAX, _LARGEST_MESSAGE, _HEARTBEAT = 131_072, 1 << 24, 60
_ABOUT = {
    "product": "approval-exchange-hub demonstration",
    "capabilities": {"publisher_confirms": True, "basic.nack": True, "authentication_failure_close": True},
}
_AGAIN = 0.3
"""Seconds after which a queue is looked at again: a department publishes from a process of its own."""

logging.getLogger("pika").setLevel(logging.CRITICAL)


class Broker:
    """Serves all departments that have queues; `close` may be called from any thread."""

    def __init__(self, home: Path) -> None:
        known = settings_of(home)
        self.home, self.token, self.port = home, known.token, known.amqp
        self._hosts: dict[str, VirtualHost] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None

    def serve_forever(self) -> None:
        """Serve until `close` is called."""
        asyncio.run(self._serve())

    def close(self) -> None:
        """End the service."""
        if self._loop is not None and self._over is not None:
            with suppress(RuntimeError):  # the loop is over already
                self._loop.call_soon_threadsafe(self._over.set)

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        async with server:
            await self._over.wait()
        for host in self._hosts.values():
            host.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await Connection(self, reader, writer).talk()
        writer.close()

    def host(self, name: str) -> VirtualHost | None:
        """Return a virtual host; None where no department has one of this name."""
        file = department_place(self.home, name) / QUEUES
        if name not in self._hosts and name.isalnum() and file.is_file():
            self._hosts[name] = VirtualHost(file)
        return self._hosts.get(name)


@dataclass(slots=True)
class Channel:
    """One channel: what it takes from, what it has not acknowledged, what it is sending."""

    number: int
    prefetch: int = 0
    queue: str | None = None
    consumer: str = ""
    tag: int = 0
    unacknowledged: dict[int, tuple[str, int]] = field(default_factory=dict)
    coming: Publishing | None = None
    confirms: bool = False
    published: int = 0
    transaction: list[Publishing] | None = None


class _Refused(Exception):
    """A wish that is not met; the code is AMQP's, `whole` ends the connection instead of the channel."""

    def __init__(self, code: int, text: str, *, whole: bool = False) -> None:
        super().__init__(text)
        self.code, self.text, self.whole = code, text, whole


class Connection:
    """One client's connection."""

    def __init__(self, broker: Broker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._broker, self._reader, self._writer = broker, reader, writer
        self._channels: dict[int, Channel] = {}
        self._host: VirtualHost | None = None
        self._open = True
        self._of_connection: Mapping[str, Callable[[Any], None]] = {
            "Connection.StartOk": self._start_ok,
            "Connection.TuneOk": self._tune_ok,
            "Connection.Open": self._open_host,
            "Connection.Close": self._leave,
            "Connection.CloseOk": self._left,
        }
        self._of_channel: Mapping[str, Callable[[Channel, Any], None]] = {
            "Channel.Close": self._close_channel,
            "Queue.Declare": self._declare,
            "Basic.Qos": self._qos,
            "Basic.Consume": self._consume,
            "Basic.Cancel": self._cancel,
            "Basic.Ack": self._ack,
            "Basic.Nack": self._nack,
            "Basic.Reject": self._nack,
            "Basic.Publish": self._publish,
            "Tx.Select": self._tx_select,
            "Tx.Commit": self._tx_commit,
            "Confirm.Select": self._confirm_select,
        }

    async def talk(self) -> None:
        """Answer until the client leaves; what it had not acknowledged is ready again."""
        if await self._reader.readexactly(8) != frame.ProtocolHeader().marshal():
            self._writer.write(frame.ProtocolHeader().marshal())
            return
        self._say(0, spec.Connection.Start(0, 9, _ABOUT, "PLAIN", "en_US"))
        again = asyncio.create_task(self._look_again())
        try:
            while self._open:
                await self._take(await self._frame())
        finally:
            again.cancel()
            for channel in self._channels.values():
                self._give_back(channel)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(_AGAIN)
            for channel in self._channels.values():
                self._deliver(channel)

    async def _frame(self) -> Any:
        head = await self._reader.readexactly(_HEAD)
        size = int.from_bytes(head[3:], "big")
        if size > _FRAME_MAX:
            raise ConnectionError("a frame is too large")
        rest = await self._reader.readexactly(size + _END)
        return frame.decode_frame(head + rest)[1]

    async def _take(self, got: Any) -> None:
        try:
            if isinstance(got, frame.Method):
                self._method(got.channel_number, got.method)
            elif isinstance(got, frame.Header | frame.Body):
                self._content(self._channels[got.channel_number], got)
            elif isinstance(got, frame.Heartbeat):
                self._writer.write(frame.Heartbeat().marshal())
        except _Refused as refused:
            close = spec.Connection.Close if refused.whole else spec.Channel.Close
            self._say(0 if refused.whole else got.channel_number, close(refused.code, refused.text, 0, 0))
            if not refused.whole:
                self._give_back(self._channels.pop(got.channel_number))
        await self._writer.drain()

    def _method(self, number: int, method: Any) -> None:
        of_connection, of_channel = self._of_connection.get(method.NAME), self._of_channel.get(method.NAME)
        if of_connection is not None:
            of_connection(method)
        elif isinstance(method, spec.Channel.Open):
            self._channels[number] = Channel(number)
            self._say(number, spec.Channel.OpenOk())
        elif of_channel is None:
            raise _Refused(540, f"{method.NAME} is not implemented by the demonstration's broker", whole=True)
        elif number in self._channels:
            of_channel(self._channels[number], method)

    # --- the connection

    def _start_ok(self, method: Any) -> None:
        response = method.response.encode() if isinstance(method.response, str) else bytes(method.response or b"")
        wanted = f"\0{USER}\0{self._broker.token}".encode()
        if method.mechanism != "PLAIN" or not hmac.compare_digest(response, wanted):
            raise _Refused(403, "ACCESS_REFUSED - login was refused", whole=True)
        self._say(0, spec.Connection.Tune(16, _FRAME_MAX, _HEARTBEAT))

    def _tune_ok(self, method: Any) -> None:
        """Take the client's limits, which are not larger than ours."""

    def _open_host(self, method: Any) -> None:
        self._host = self._broker.host(method.virtual_host)
        if self._host is None:
            raise _Refused(530, "NOT_ALLOWED - there is no such virtual host", whole=True)
        self._say(0, spec.Connection.OpenOk())

    def _leave(self, method: Any) -> None:
        del method
        self._say(0, spec.Connection.CloseOk())
        self._open = False

    def _left(self, method: Any) -> None:
        del method
        self._open = False

    # --- channels and queues

    def _close_channel(self, channel: Channel, method: Any) -> None:
        del method
        self._give_back(self._channels.pop(channel.number))
        self._say(channel.number, spec.Channel.CloseOk())

    def _declare(self, channel: Channel, method: Any) -> None:
        if not method.passive:
            raise _Refused(403, "ACCESS_REFUSED - queues are made by the department")
        self._known(method.queue)
        takers = sum(one.queue == method.queue for one in self._channels.values())
        self._say(channel.number, spec.Queue.DeclareOk(method.queue, len(self._vhost.ready(method.queue)), takers))

    @property
    def _vhost(self) -> VirtualHost:
        if self._host is None:
            raise _Refused(530, "NOT_ALLOWED - no virtual host is open", whole=True)
        return self._host

    def _known(self, queue: str) -> None:
        if not self._vhost.has(queue):
            raise _Refused(404, f"NOT_FOUND - no queue '{queue}'")

    # --- taking

    def _qos(self, channel: Channel, method: Any) -> None:
        channel.prefetch = method.prefetch_count
        self._say(channel.number, spec.Basic.QosOk())

    def _consume(self, channel: Channel, method: Any) -> None:
        self._known(method.queue)
        channel.queue, channel.consumer = method.queue, method.consumer_tag or f"c{channel.number}"
        self._say(channel.number, spec.Basic.ConsumeOk(channel.consumer))
        self._deliver(channel)

    def _cancel(self, channel: Channel, method: Any) -> None:
        channel.queue = None
        self._say(channel.number, spec.Basic.CancelOk(method.consumer_tag))

    def _deliver(self, channel: Channel) -> None:
        """Deliver what lies ready, as far as the client has room for it."""
        if channel.queue is None:
            return
        ready = self._vhost.ready(channel.queue)
        room = channel.prefetch - len(channel.unacknowledged) if channel.prefetch else len(ready)
        numbers = [ready.popleft() for _ in range(min(room, len(ready)))]
        for number, (name, before, body) in zip(numbers, self._vhost.take(numbers), strict=True):
            channel.tag += 1
            channel.unacknowledged[channel.tag] = (channel.queue, number)
            self._say(channel.number, spec.Basic.Deliver(channel.consumer, channel.tag, before, "", channel.queue))
            self._body(channel.number, spec.BasicProperties(content_type="application/json", message_id=name), body)

    def _ack(self, channel: Channel, method: Any) -> None:
        self._vhost.drop(number for _, number in self._settled(channel, method))
        self._deliver(channel)

    def _nack(self, channel: Channel, method: Any) -> None:
        for queue, number in self._settled(channel, method):
            if method.requeue:
                self._vhost.back(queue, [number])
            else:
                self._vhost.drop([number])

    def _settled(self, channel: Channel, method: Any) -> list[tuple[str, int]]:
        """Return what a client has told of: one message, or all up to one."""
        told, multiple = method.delivery_tag, getattr(method, "multiple", False)  # a rejection is of one message
        tags = [tag for tag in channel.unacknowledged if tag == told or (multiple and (not told or tag < told))]
        if not tags:
            raise _Refused(406, f"PRECONDITION_FAILED - unknown delivery tag {method.delivery_tag}")
        return [channel.unacknowledged.pop(tag) for tag in tags]

    def _give_back(self, channel: Channel) -> None:
        """Put back what a channel took and did not acknowledge."""
        for queue, number in channel.unacknowledged.values():
            self._vhost.back(queue, [number])
        channel.unacknowledged.clear()

    # --- sending

    def _tx_select(self, channel: Channel, method: Any) -> None:
        del method
        channel.transaction = []
        self._say(channel.number, spec.Tx.SelectOk())

    def _tx_commit(self, channel: Channel, method: Any) -> None:
        del method
        self._vhost.keep(channel.transaction or [])
        channel.transaction = []
        self._say(channel.number, spec.Tx.CommitOk())

    def _confirm_select(self, channel: Channel, method: Any) -> None:
        del method
        channel.confirms = True
        self._say(channel.number, spec.Confirm.SelectOk())

    def _publish(self, channel: Channel, method: Any) -> None:
        if method.exchange:
            raise _Refused(404, f"NOT_FOUND - no exchange '{method.exchange}'")
        channel.coming = Publishing(method.routing_key, method.mandatory)

    def _content(self, channel: Channel, got: Any) -> None:
        coming = channel.coming
        if coming is None:
            raise _Refused(505, "UNEXPECTED_FRAME - no message was begun", whole=True)
        if isinstance(got, frame.Header):
            coming.properties, coming.size = got.properties, got.body_size
            if coming.size > _LARGEST_MESSAGE:
                raise _Refused(311, "CONTENT_TOO_LARGE", whole=True)
        else:
            coming.body += got.fragment
        if len(coming.body) >= coming.size:
            channel.coming = None
            self._published(channel, coming)

    def _published(self, channel: Channel, message: Publishing) -> None:
        if not self._vhost.has(message.queue):
            if message.mandatory:
                self._say(channel.number, spec.Basic.Return(312, "NO_ROUTE", "", message.queue))
                self._body(channel.number, message.properties, message.body)
        elif channel.transaction is not None:
            channel.transaction.append(message)
        else:
            self._vhost.keep([message])
        if channel.confirms:
            channel.published += 1
            self._say(channel.number, spec.Basic.Ack(channel.published))

    # --- speaking

    def _say(self, channel: int, method: Any) -> None:
        self._writer.write(frame.Method(channel, method).marshal())

    def _body(self, channel: int, properties: Any, body: bytes) -> None:
        self._writer.write(frame.Header(channel, len(body), properties).marshal())
        step = _FRAME_MAX - _HEAD - _END
        for start in range(0, len(body), step):
            self._writer.write(frame.Body(channel, body[start : start + step]).marshal())
