"""Receivers of notices, good and bad, on real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """A department's address: answers with `status`, and keeps what came."""

    at: str = ""
    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    got: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    held: threading.Event | None = None
    """Where one is set, nothing is answered before it is."""


@contextmanager
def receiving(**how: Any) -> Iterator[Receiver]:
    """Receive on loopback."""
    made = Receiver(**how)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            made.forms.append(self.headers["Content-Type"])
            made.came.set()
            if made.held is not None:
                made.held.wait(60)
            with suppress(ConnectionError):  # the hub reads no bodies, and may have been killed
                self.send_response(made.status)
                for name, value in {"Content-Length": str(len(made.body)), **made.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(made.body)

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    made.at = f"http://127.0.0.1:{server.server_address[1]}/notices"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def speaking(manner: Callable[[socket.socket], None]) -> Iterator[str]:
    """Let a socket do something with each connection, whatever HTTP says."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            held.append(line)
            with suppress(OSError):
                manner(line)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for one in held:
            one.close()
        thread.join(10)
