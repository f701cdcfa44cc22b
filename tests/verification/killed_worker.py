"""A worker of check jobs that is killed: a program that forks a worker for each line it reads.

A line is a number and `before` or `after`: the worker is killed (SIGKILL) before or after that statement of its own to
the server. What it prints is `killed`, or `done` where the worker came to its end first.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import psycopg2.extensions

from hub.protect import Protector
from hub.settings import Settings
from sharedrepo.connect import engine
from sharedrepo.keyring.signing import Ed25519Signer
from verification.audit.watch import Watch
from verification.checks import jobs
from verification.checks.service import Checker
from verification.evidence.sessions import Sessions


def worker(settings: Settings, protector: Protector, at: int, when: str) -> None:
    count = 0

    class Cursor(psycopg2.extensions.cursor):
        def execute(self, *words: Any) -> None:
            nonlocal count
            count += 1
            if (count, when) == (at, "before"):
                os.kill(os.getpid(), signal.SIGKILL)
            super().execute(*words)
            if (count, when) == (at, "after"):
                os.kill(os.getpid(), signal.SIGKILL)

    sessions = Sessions(engine(settings, application="killed worker"))
    sessions.connection().cursor_factory = Cursor
    jobs.work(Checker(sessions, protector, Ed25519Signer.of(protector.ring), Watch(0)))


def main() -> None:
    settings = Settings.load()
    protector = Protector.from_settings(settings)
    for line in sys.stdin:
        at, when = line.split()
        child = os.fork()
        if child == 0:
            worker(settings, protector, int(at), when)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        told = "killed" if os.WIFSIGNALED(status) else f"done {os.WEXITSTATUS(status)}"
        sys.stdout.write(f"{told}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
