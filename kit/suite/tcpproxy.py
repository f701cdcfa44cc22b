"""A loopback proxy in front of a server that cuts the connection after so many bytes of answers, or falls silent."""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

_PORTS = {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mariadb": 3306}
_CHUNK = 1 << 12


@dataclass(slots=True)
class Cutter:
    """Counts the bytes that the server said, and cuts every connection once there are more than `after`.

    Where it is `silent`, the connection is kept, and nothing more comes through.
    """

    after: int | None = None
    said: int = 0
    silent: bool = False
    lines: list[socket.socket] = field(default_factory=list)
    """Both ends of each connection that goes through it."""


def can_stand_before(url: str) -> bool:
    """Say whether the address is that of a database server."""
    return sa.make_url(url).get_backend_name() in _PORTS


@contextmanager
def proxied(url: str, cutter: Cutter) -> Iterator[str]:
    """Stand between a reader and a database server while the body runs; yields the address to read instead."""
    parsed = sa.make_url(url)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, functools.partial(_dial, parsed), cutter), daemon=True).start()
    query = {name: value for name, value in parsed.query.items() if name not in {"host", "port"}}
    there = parsed.set(host="127.0.0.1", port=listener.getsockname()[1], query=query)
    try:
        yield there.render_as_string(hide_password=False)
    finally:
        _close(listener, *cutter.lines)


@contextmanager
def piped(host: str, port: int, cutter: Cutter) -> Iterator[int]:
    """Stand between a reader and any server while the body runs; yields the port to read instead."""
    listener = socket.create_server(("127.0.0.1", 0))
    upstream = functools.partial(socket.create_connection, (host, port), timeout=10)
    threading.Thread(target=_accept, args=(listener, upstream, cutter), daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        _close(listener, *cutter.lines)


def _close(*sockets: socket.socket) -> None:
    """Close sockets under whoever waits at them: a reader that waits for ever is let go."""
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


def _accept(listener: socket.socket, dial: Callable[[], socket.socket], cutter: Cutter) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return  # the proxy is over
        try:
            far = dial()
        except OSError:
            near.close()
            continue
        cutter.lines += [near, far]
        threading.Thread(target=_pump, args=(near, far, None), daemon=True).start()
        threading.Thread(target=_pump, args=(far, near, cutter), daemon=True).start()


def _dial(upstream: URL) -> socket.socket:
    """Connect to the server, by its socket file where the address names one."""
    name = upstream.get_backend_name()
    host: Any = upstream.query.get("host") or upstream.host or "127.0.0.1"
    port = upstream.port or int(str(upstream.query.get("port") or _PORTS[name]))
    if str(host).startswith("/"):
        far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        far.connect(f"{host}/.s.PGSQL.{port}" if name.startswith("postgres") else str(host))
        return far
    return socket.create_connection((str(host), port), timeout=10)


def _pump(source: socket.socket, target: socket.socket, cutter: Cutter | None) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(_CHUNK):
            if cutter is not None:
                cutter.said += len(chunk)
                if cutter.after is not None and cutter.said > cutter.after:
                    if cutter.silent:
                        continue
                    break
            target.sendall(chunk)
    _close(source, target)
