"""The operating system's view of an embedded server: which processes are its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

_PROC = Path("/proc")
_POLL_SECONDS = 0.05


def alive(pid: int) -> bool:
    """Say whether a process of this number runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return not _PROC.is_dir()
    return state not in {"Z", "X"}


def is_server(pid: int, data: Path) -> bool:
    """Say whether process `pid` belongs to the server of the cluster `data`.

    All of PostgreSQL's processes work inside their cluster. Where there is no /proc, being alive is taken as proof.
    """
    if not alive(pid):
        return False
    if not _PROC.is_dir():
        return True
    try:
        return (_PROC / str(pid) / "cwd").readlink() == data.resolve()
    except OSError:
        return False


def servers(data: Path) -> list[int]:
    """Return all processes of the cluster `data`, orphans of a killed server included."""
    if not _PROC.is_dir():
        return []
    return [
        pid for pid in (int(found.name) for found in _PROC.iterdir() if found.name.isdigit()) if is_postgres(pid, data)
    ]


def is_postgres(pid: int, data: Path) -> bool:
    """Say whether process `pid` is PostgreSQL's program, working inside the cluster `data`."""
    try:
        program = (_PROC / str(pid) / "exe").readlink().name
    except OSError:
        return False
    return program.startswith("postgres") and is_server(pid, data)


def wait(ready: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again whether something is ready; return False when the time is over."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_SECONDS)
    return True
