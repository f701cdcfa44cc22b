"""Runs pulls in child processes that kill themselves (SIGKILL), or their server, or wait, at a numbered boundary.

`python -m tests.crash.driver` reads one JSON order a line from its standard input and answers each with one JSON line.
It loads the hub once and forks for each order, so that a thousand deaths cost seconds. Nothing of the product knows of
it: the connections, cursors, archive and file calls are wrapped here.

A boundary is a point before or after a statement, a COPY, a commit, an archive object and its file's sync and rename.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions

import pipeline.pulls.exchange
import pipeline.runtime
from connectors.loading import load_sources
from hub.documents import Documents
from hub.errors import ContractBroken, SourceBusy
from hub.settings import Settings
from normalization.mapping import load_mapping
from pipeline.runtime import Runtime
from quality.worklist import service as worklist
from sharedrepo.archive import Archive

Order = dict[str, Any]
BUSY = 75


class Boundaries:
    """Counts the boundaries that this process passes, and does what was ordered at one of them.

    Orders: `kill_at` kills this process there; with `kill_pid`, that process instead. `wait_at` writes the file
    `reached` there and goes on when the file `go` is there. With `only`, statements
    that hold this text are counted alone.
    """

    def __init__(self, order: Order) -> None:
        self.order, self.passed = order, 0

    def pass_one(self, statement: object = None) -> None:
        """Count one boundary."""
        only = self.order.get("only")
        if only is not None and only not in str(statement):
            return
        self.passed += 1
        if self.passed == self.order.get("kill_at"):
            os.kill(self.order.get("kill_pid") or os.getpid(), signal.SIGKILL)
        if self.passed == self.order.get("wait_at"):
            Path(self.order["reached"]).touch()
            while not Path(self.order["go"]).exists():
                time.sleep(0.02)


def watch(boundaries: Boundaries) -> None:
    """Wrap what touches the world: the database driver, the archive, and the calls that make its files durable."""
    step = boundaries.pass_one

    class Cursor(psycopg2.extensions.cursor):
        def execute(self, query: Any, *args: Any, **more: Any) -> None:
            step(query)
            super().execute(query, *args, **more)

        def copy_expert(self, *args: Any, **more: Any) -> None:
            step(args[0])
            super().copy_expert(*args, **more)

    class Connection(psycopg2.extensions.connection):
        def cursor(self, *args: Any, **more: Any) -> Any:
            return super().cursor(*args, **({"cursor_factory": Cursor} | more))

        def commit(self) -> None:
            step()
            super().commit()
            step()

    connect = psycopg2.connect
    psycopg2.connect = lambda *args, **more: connect(*args, **({"connection_factory": Connection} | more))
    Archive.put = _around(Archive.put, step)  # type: ignore[method-assign]  # the wrapper takes what it takes
    os.fsync = _around(os.fsync, step)
    os.replace = _around(os.replace, step)


def _around(call: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*args: Any, **more: Any) -> Any:
        step()
        result = call(*args, **more)
        step()
        return result

    return wrapped


def obey(order: Order) -> Order:
    """Pull once in this process, as ordered; return what was counted, and the number of boundaries."""
    boundaries = Boundaries(order)
    settings = Settings(
        home=Path(order["home"]),
        database_url=order["database"],
        keys=order["keys"],
        sources=(Path(order["sources"]),),
        slice_size=order["slice_size"],
    )
    if order.get("upgrade"):
        watch(boundaries)
        Runtime.open(settings).engine.dispose()
    else:
        pipeline.runtime.upgrade = lambda _engine: ""  # done already: it need not be repeated a thousand times
    if order.get("upgrade") == "only":
        return {"boundaries": boundaries.passed}
    runtime = Runtime.open(settings)
    if not order.get("upgrade"):
        runtime.engine.dispose()  # connections that are made from here on are watched
        watch(boundaries)
    if "deed" in order:
        report = do(runtime, **order["deed"])
        return {"boundaries": boundaries.passed, "report": report}
    source = next(one for one in load_sources(list(settings.sources)) if one.code == order["code"])
    try:
        done = pipeline.pulls.exchange.exchange(
            source, runtime=runtime, connections=lambda _id: str(order["url"]), full=order.get("full", False)
        )
    except ContractBroken as error:
        if not order.get("freezes"):
            raise
        return {"boundaries": boundaries.passed, "report": {"balanced": True, "told": str(error)}}
    if order.get("freezes"):
        raise AssertionError("the stream went on, though it freezes at a change")
    return {"boundaries": boundaries.passed, "report": done.as_dict()}


def do(runtime: Runtime, what: str, number: int) -> Order:
    """Do a deed on the work list instead of a pull; done already, it is not done twice."""
    try:
        if what == "approve":
            worklist.approve(runtime, number, actor="account:bernd")
        else:
            worklist.waive(runtime, number, actor="account:bernd", reason="a test record")
    except worklist.NotDone as error:
        return {"balanced": True, "told": str(error)}
    return {"balanced": True}


def _child(order: Order, out: int) -> int:
    try:
        answer, status = obey(order), 0
    except SourceBusy as error:
        answer, status = {"error": str(error)}, BUSY
    except BaseException:
        answer, status = {"error": traceback.format_exc()}, 1
    os.write(out, json.dumps(answer).encode())
    return status


@cache
def _mapping(file: Path, _changed: float) -> Any:
    return load_mapping(file, Documents.load())


def _prepare(order: Order) -> None:
    """Read what does not change between orders before the fork, so that each child need not."""
    pipeline.pulls.exchange.load_mapping = lambda file, _documents: _mapping(file, file.stat().st_mtime)
    for source in load_sources([Path(order["sources"])]):
        _mapping(source.mapping, source.mapping.stat().st_mtime)


def run(order: Order) -> Order:
    """Run one order in a fork of this process and wait for it."""
    _prepare(order)
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(receive)
        os._exit(_child(order, send))
    os.close(send)
    with os.fdopen(receive, "rb") as answers:
        text = answers.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return {"status": status, **(json.loads(text) if text else {})}


def main() -> None:
    """Obey orders until the input ends."""
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
