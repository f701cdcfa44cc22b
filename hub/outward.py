"""One request to a program outside: over a connection of its own, never redirected, within seconds and kilobytes.

What a caller must know of a failure is whether the request can have arrived: before its first byte was written it
cannot, after that nobody can say.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import h11

LARGEST_HEAD: Final = 16 * 1024
LARGEST_BODY: Final = 64 * 1024
"""So much of an answer is read; what is longer is cut off, and said to be."""
HEAD_ONLY: Final = 0
"""Of an answer its status is read, and nothing else."""
_PIECE: Final = 16 * 1024


class NoAddress(ValueError):
    """An address cannot be asked."""


class NoAnswer(Exception):
    """There was no answer; `fault` is a stable word, `begun` says whether the request can have arrived."""

    def __init__(self, fault: str, *, begun: bool) -> None:
        self.fault, self.begun = fault, begun
        super().__init__(fault)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `whole` is False where the body was longer than is read, or broke off."""

    status: int
    body: bytes
    whole: bool


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of whom."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


async def ask(request: Request, *, seconds: float, largest: int = LARGEST_BODY, address: str | None = None) -> Answer:
    """Send a request once and return its answer, of the body at most `largest` bytes.

    With `address` that one is connected to, whatever the host's name leads to now: the caller has judged it. The
    certificate is still asked for the name.

    Raises:
        NoAddress: the address is none of http or https.
        NoAnswer: none came in time, or none that is HTTP.
    """
    line = _Line(request, largest, address)
    try:
        async with asyncio.timeout(seconds):
            return await line.asked()
    except TimeoutError:
        raise NoAnswer("too_slow", begun=line.begun) from None
    except ssl.SSLError:
        raise NoAnswer("certificate_refused", begun=line.begun) from None
    except OSError:
        raise NoAnswer("not_reached", begun=line.begun) from None
    except h11.ProtocolError:
        raise NoAnswer("not_http", begun=line.begun) from None


class _Line:
    """One connection and what became of it."""

    def __init__(self, request: Request, largest: int, address: str | None) -> None:
        self.begun = False
        self._largest, self._address = largest, address
        try:
            parts = urlsplit(request.url)
            self._host, self._tls = parts.hostname or "", parts.scheme == "https"
            self._port = parts.port or (443 if self._tls else 80)
            self._host.encode("idna")
        except ValueError:
            raise NoAddress("the address cannot be read") from None
        if parts.scheme not in ("http", "https") or not self._host:
            raise NoAddress("the address is none of http:// or https://")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = f"[{self._host}]" if ":" in self._host else self._host
        headers = {
            "Host": f"{host}:{self._port}", "User-Agent": "approval-exchange-hub", "Accept": "*/*",
            **request.headers, "Content-Length": str(len(request.body)), "Connection": "close",
        }  # fmt: skip
        try:
            head = h11.Request(method=request.method, target=target, headers=list(headers.items()))
        except (h11.LocalProtocolError, UnicodeEncodeError):
            raise NoAddress("the address or a header cannot be written in HTTP") from None
        self._whole = (head, h11.Data(data=request.body), h11.EndOfMessage())
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)

    async def asked(self) -> Answer:
        context = ssl.create_default_context() if self._tls else None
        reader, writer = await asyncio.open_connection(
            self._address or self._host, self._port, ssl=context, server_hostname=self._host if self._tls else None
        )
        try:
            self.begun = True
            writer.write(b"".join(self._http.send(event) or b"" for event in self._whole))
            await writer.drain()
            return await self._answer(reader)
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        status, size = 0, 0
        pieces: list[bytes] = []
        while not (status and self._largest == HEAD_ONLY):
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                if not status:
                    raise
                return Answer(status, b"".join(pieces), whole=False)
            if event is h11.NEED_DATA:
                self._http.receive_data(await reader.read(_PIECE))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
                size += len(event.data)
                if size > self._largest:
                    return Answer(status, b"".join(pieces)[: self._largest], whole=False)
            elif isinstance(event, h11.EndOfMessage):
                return Answer(status, b"".join(pieces), whole=True)
            elif not isinstance(event, h11.InformationalResponse):
                raise NoAnswer("not_http", begun=True)
        return Answer(status, b"", whole=False)
