"""Reads hostile inputs, each in a process of its own with little memory, and tells what came of it.

The processes are forked from one that has the readers imported already: what a case is judged by is what it takes
itself, and the seconds of importing are paid once. The kernel starts a forked process with no seconds of the processor
and with what it holds at that moment as its peak; so each case still has bounds of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from connectors.source import StreamSpec
from hub.errors import HubError
from tests.connectors.parts import opened

ADDRESS_SPACE = 2 << 30
PROCESSOR_SECONDS = 60
PATIENCE = 120.0
"""Seconds after which a process that tells nothing hangs."""
READERS = (
    "connectors.kinds.files", "connectors.kinds.queue", "connectors.kinds.soap.connector", "connectors.kinds.xes",
    "tests.hostile.probe", "pytest",
)  # fmt: skip
"""What is imported before the fork; each process looks at the program that started the tests, which is pytest."""

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(list(READERS))


def read_apart(
    kind: str, url: str, one: StreamSpec, state: dict[str, Any] | None = None, *, size: int = 20_000
) -> dict[str, Any]:
    """Pull from `url`, and return what came of it: also what was `printed`, the MiB at the peak, and the seconds.

    They are of the processor, so that a busy machine does not fail a test.
    """
    ours, theirs = _FORKING.Pipe(duplex=False)
    with ours, tempfile.NamedTemporaryFile() as printed:
        asked = (theirs, printed.name, kind, url, one, state or {}, size)
        reader = _FORKING.Process(target=_read, args=asked, daemon=True)
        reader.start()
        theirs.close()
        try:
            found: dict[str, Any] = ours.recv() if ours.poll(PATIENCE) else {}
        except EOFError:
            found = {}
        if not found:
            reader.kill()
        reader.join()
        found["printed"] = printed.read().decode()
    assert reader.exitcode == 0, (reader.exitcode, found["printed"][-2000:])
    return found


def _read(
    told: Connection, printed: str, kind: str, url: str, one: StreamSpec, state: dict[str, Any], size: int
) -> None:  # fmt: skip
    for stream in (1, 2):
        os.dup2(os.open(printed, os.O_WRONLY | os.O_APPEND), stream)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    connector = opened(kind, url, one, folder=Path(url) if kind in {"files", "xes"} else Path())
    began, error, words, slices, read, broken = time.process_time(), "", "", 0, 0, 0
    try:
        for piece in connector.read(one, state, slice_size=size, full=False):
            slices += 1
            read += len(piece.records)
            broken += len(piece.broken)
    except HubError as refusal:
        error, words = type(refusal).__name__, str(refusal)
    seconds = time.process_time() - began
    # Not ru_maxrss: that one remembers the process that this one was forked from.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    found = {"error": error, "words": words, "slices": slices, "read": read, "broken": broken}
    told.send({**found, "peak_mib": peak, "seconds": seconds})
