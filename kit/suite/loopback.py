"""Serves HTTP on loopback for as long as something is tried: on a free port, quiet, and gone afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Quiet(BaseHTTPRequestHandler):
    """A handler of requests that logs nothing: addresses and secrets have no place in a log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits for an acknowledgement

    def say(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Answer; length and date are those of the body and of now, unless a header says otherwise."""
        self.send_response_only(status)
        usual = {"Date": self.date_time_string(), "Content-Length": str(len(body))}
        for name, value in {**usual, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@contextmanager
def serving(handler_at: Callable[[str], type[BaseHTTPRequestHandler]]) -> Iterator[str]:
    """Serve while the body runs; gives the host and port, which `handler_at` is given too.

    Requests that still wait at the end are not waited for.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    own = f"127.0.0.1:{server.server_address[1]}"
    server.RequestHandlerClass = handler_at(own)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield own
    finally:
        server.shutdown()
        server.server_close()
