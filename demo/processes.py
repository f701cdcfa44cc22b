"""How the demonstration runs `hub` commands: each a program of its own, none left behind."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


class Halted(Exception):
    """A step failed, so that the rest has no ground; carries the exit status to leave with."""

    def __init__(self, said: str, status: int) -> None:
        super().__init__(said)
        self.status = status


def command(words: Sequence[str]) -> list[str]:
    """Return the program and its words of a `hub` command."""
    return [str(Path(sys.executable).with_name("hub")), *words]


def die_with_parent() -> None:
    """Let the kernel end this child when its parent has died, whatever killed it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def answer(words: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """Run a `hub` command and return what it printed.

    Raises:
        Halted: it failed.
    """
    done = subprocess.run(command(words), env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Halted(f"`hub {' '.join(words)}`: {done.stderr.strip()}", done.returncode)
    return done.stdout
