"""Serves the application on one address, in this process."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import closing

import uvicorn
from fastapi import FastAPI

from hub.errors import HubError
from web.protocol import PatientProtocol

LONGEST_HEAD = 32 * 1024
MOST_CONNECTIONS = 1_000
GOODBYE_SECONDS = 30
"""Seconds for requests that are under way when the server is told to stop."""


class CannotListen(HubError):
    """The address cannot be listened on."""

    exit_status = 78


class Server(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()


def serve(app: FastAPI, *, host: str, port: int, ready: Callable[[str], None], workers: int = 1) -> bool:
    """Serve until the process is told to stop; `ready` is called with the address. Say whether it ever served.

    With several workers each is a process of its own that opens the hub for itself; where one ends, all do.

    Raises:
        CannotListen: the address is taken, or not of this machine.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    with closing(_listen(host, port)) as listener:
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{listener.getsockname()[1]}"
        _settle()
        if workers > 1:
            return _together(app, listener, workers, lambda: ready(url))
        server = Server(configuration(app), lambda: ready(url))
        server.run(sockets=[listener])
        return bool(server.started)


def _settle() -> None:
    """Take what is loaded out of the sight of Python's search for reference cycles: it stays as long as the process.

    Else a search walks all of it, some tens of milliseconds, in the middle of somebody's request; and the processes
    share no more of its memory after the first one.
    """
    gc.collect()
    gc.freeze()


def _together(app: FastAPI, listener: socket.socket, workers: int, ready: Callable[[], None]) -> bool:
    """Serve by several processes on one socket; forked before anything is opened, so that they share nothing else."""
    reading, writing = os.pipe()
    children = [_child(app, listener, reading, writing) for _ in range(workers)]
    os.close(writing)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _frame: _tell(children, number))
    with os.fdopen(reading, "rb") as said:
        started = len(said.read(workers)) == workers
    if started:
        ready()
    os.waitpid(-1, 0)
    _tell(children, signal.SIGTERM)
    with contextlib.suppress(ChildProcessError):  # all have been waited for
        while True:
            os.waitpid(-1, 0)
    return started


def _child(app: FastAPI, listener: socket.socket, reading: int, writing: int) -> int:
    made = os.fork()
    if made:
        return made
    status = 1
    try:
        os.close(reading)
        server = Server(configuration(app), lambda: _began(writing))
        server.run(sockets=[listener])
        status = 0 if server.started else 1
    finally:
        os._exit(status)


def _began(writing: int) -> None:
    os.write(writing, b".")
    os.close(writing)


def _tell(children: list[int], number: int) -> None:
    for one in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, number)


def configuration(app: FastAPI) -> uvicorn.Config:
    """Return how the server runs: no web sockets, nothing told of itself, everything bounded."""
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"{host} is no address of this machine ({error.strerror}). Choose another --host.") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise CannotListen(
            f"{host} port {port} cannot be listened on ({error.strerror}). Choose another --port; 0 takes a free one."
        ) from None
    return listener
