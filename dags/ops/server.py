"""Airflow's processes on this machine, as forks of one process that has imported Airflow once.

Started by `hub airflow start` as `python -m dags.ops.server`. Scheduler, DAG processor and API server are Airflow's
own commands; a fork saves each of them Airflow's import (seconds), and gives every task a scheduler's memory in which
pandas and the pipeline are already loaded. When one of them ends, all end; when this process dies, they get SIGTERM.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from types import FrameType

from dags.ops.processes import exists, members, send
from hub.settings import Settings

WARM = ("airflow.__main__", "airflow.jobs.scheduler_job_runner", "airflow.dag_processing.manager", "airflow.utils.db")
"""Imported before the first fork: what all components share."""

API = ("airflow.api_fastapi.core_api.app", "airflow.api_fastapi.execution_api.app")
"""Imported by the API server while another process migrates the metadata database."""

TASKS = (
    "pandas",
    "pyarrow.pandas_compat",
    "fsspec.implementations.local",
    "psycopg2.extras",
    "dags.connections",
    "pipeline.pulls.exchange",
    "connectors.loading",
    "connectors.kinds.database",
    "connectors.kinds.files",
    "connectors.kinds.rest",
    "connectors.kinds.xes",
)
"""Imported by the scheduler before its executor forks: tasks find them loaded."""

PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 5.0


class Component:
    """A forked child that runs one of Airflow's commands."""

    def __init__(self, name: str, deed: Callable[[], None]) -> None:
        self.name = name
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _child(name, deed, parent)
        self.status: int | None = None

    def ended(self) -> bool:
        """Say whether the process has ended; its exit status then stands in `status`."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None


def _child(name: str, deed: Callable[[], None], parent: int) -> None:
    """Run `deed` in a forked child and leave the process; signals are as in a fresh process."""
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            return
        deed()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # the last line of a forked child: whatever it is, it is printed and ends it
        sys.stderr.write(f"{name} ended:\n")
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def command(*words: str) -> None:
    """Run one of Airflow's commands in this process."""
    from airflow.__main__ import main  # noqa: PLC0415  # its import reads the configuration

    sys.argv = ["airflow", *words]
    main()  # type: ignore[no-untyped-call]  # Airflow leaves its own entry point untyped


def load(modules: Sequence[str]) -> None:
    """Import modules ahead of time; one that cannot be imported is left to whoever needs it, and said."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as error:
            sys.stderr.write(f"not loaded ahead: {name}: {error}\n")


def serve_api(ready: int) -> None:
    """Load the API server, wait until the database is migrated, then serve."""
    load(API)
    if os.read(ready, 1):
        command("api-server")


def schedule() -> None:
    """Load what tasks need, then run the scheduler; its log server is left out (the logs lie on this machine)."""
    from dags.headers import read_headers  # noqa: PLC0415  # YAML and the folder language come with it

    load(TASKS)
    read_headers(Settings.load().sources)
    command("scheduler", "--skip-serve-logs")


def migrate_and_sync() -> None:
    """Bring the metadata database up to date and make the sources' pools."""
    from dags.ops.pools import sync  # noqa: PLC0415  # only the process that migrates needs it

    command("db", "migrate")
    sync(Settings.load())


def run(while_running: int | None = None) -> int:
    """Start everything, wait until a component ends, a signal comes, or the process `while_running` is gone; stop.

    Returns the exit status: 0 when asked to stop, else that of the component which ended first.
    """
    asked_to_stop: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        asked_to_stop.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)

    def done() -> bool:
        return bool(asked_to_stop) or (while_running is not None and not exists(while_running))

    load(WARM)
    ready, say_ready = os.pipe()
    components = [Component("api-server", lambda: serve_api(ready))]
    try:
        migration = Component("db migrate", migrate_and_sync)
        status = _wait([migration, *components], done)
        if done() or status or _left(components):
            return status
        components.append(Component("scheduler", schedule))
        components.append(Component("dag-processor", lambda: command("dag-processor")))
        os.write(say_ready, b"1")
        return _wait(components, done)
    finally:
        _stop(components)


def _wait(components: Sequence[Component], done: Callable[[], bool]) -> int:
    """Wait until one of the components has ended or `done` says so; return the exit status to leave with."""
    while not done():
        for component in components:
            if component.ended():
                sys.stderr.write(f"{component.name} ended with status {component.status}\n")
                return component.status or 0
        time.sleep(0.1)
    return 0


def _left(components: Sequence[Component]) -> bool:
    """Say whether one of the components has ended already."""
    return any(component.ended() for component in components)


def _stop(components: Sequence[Component]) -> None:
    """Ask the components to end, then everything of this session, then end by force what is left.

    What a task had not committed is rolled back by PostgreSQL; the next run reads it again.
    """
    for component in components:
        send(component.pid, signal.SIGTERM)
    _gone(components, GRACE_SECONDS)
    session = os.getsid(0)
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 1.0)):
        for pid in members(session) if session == os.getpid() else [one.pid for one in components if not one.ended()]:
            send(pid, number)
        _gone(components, seconds)


def _gone(components: Sequence[Component], seconds: float) -> None:
    """Wait until all components have ended and nothing is left of the session, `seconds` at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended = [component.ended() for component in components]  # each is asked, so that none stays a zombie
        if all(ended) and not members(os.getsid(0)):
            return
        time.sleep(0.05)


def main() -> int:
    """Read the command line: an optional process number to live and die with."""
    return run(int(sys.argv[1]) if len(sys.argv) > 1 else None)


if __name__ == "__main__":
    sys.exit(main())
