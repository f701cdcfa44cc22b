"""The application on a real server, in a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from fastapi import FastAPI

import supervision.opened
from pipeline.runtime import Runtime
from web.app import create
from web.server import Server, _listen, configuration


@contextmanager
def served(app: FastAPI, within: float = 30) -> Iterator[str]:
    """Serve an application on loopback and give its address; the server is gone at the end."""
    with closing(_listen("127.0.0.1", 0)) as listener:
        ready = threading.Event()
        server = Server(configuration(app), ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + within
        while not ready.wait(0.05):
            assert thread.is_alive(), "the server ended before it was ready"
            assert time.monotonic() < deadline, "the server is not ready in time"
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(within)
            assert not thread.is_alive(), "the server does not end"


class _Application:
    """The whole application, made once: what it holds of a hub it opens when it begins to serve."""

    def __init__(self) -> None:
        self.opening: Callable[[], Runtime] = Runtime.open
        self.app = create(self._open)

    def _open(self) -> Runtime:
        return self.opening()


_idle: list[_Application] = []


@contextmanager
def serving(opening: Callable[[], Runtime], *, supervised: bool = False) -> Iterator[str]:
    """Serve a hub, by an application that served another before: laying out its routes takes a fifth of a second.

    Supervision looks at what batches touch only where that is wanted: elsewhere it would be half of the work.
    """
    one = _idle.pop() if _idle else _Application()
    one.opening = opening
    try:
        with pytest.MonkeyPatch.context() as patch:
            if not supervised:
                patch.setattr(supervision.opened, "_round", lambda _engine, _protector: None)
            with served(one.app) as url:
                yield url
    finally:
        one.app.state._state.clear()
        _idle.append(one)
