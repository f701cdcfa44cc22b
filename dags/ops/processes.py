"""What this machine says of its processes (from /proc; where there is none, less is known and less is ended)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

PROC = Path("/proc")


def exists(pid: int) -> bool:
    """Say whether a process of this number runs (a dead one whose parent has not asked for it does not)."""
    stat = _stat(pid)
    if stat is not None:
        return stat[0] not in {"Z", "X"}
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not PROC.is_dir()


def birth(pid: int) -> str | None:
    """Return what tells this process from a later one of the same number: its start time since boot."""
    stat = _stat(pid)
    return stat[19] if stat else None


def members(session: int) -> list[int]:
    """Return the running processes of a session, ourselves left out."""
    found = []
    for entry in PROC.glob("[0-9]*"):
        pid = int(entry.name)
        stat = _stat(pid)
        if pid != os.getpid() and stat and int(stat[3]) == session and stat[0] not in {"Z", "X"}:
            found.append(pid)
    return found


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is gone already is no trouble."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _stat(pid: int) -> list[str] | None:
    """Return /proc/PID/stat from the third field (the state) on; the second may hold blanks and brackets."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
