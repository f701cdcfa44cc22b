"""Starts, stops and watches the Airflow of this machine, over what it left in state.json."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from dags.ops.client import Client
from dags.ops.home import USER, Home, free_port, write_configuration, write_private
from dags.ops.processes import birth, exists, members, send
from hub.errors import HubError
from hub.settings import Settings

NEEDED = ("metadatabase", "scheduler", "dag_processor")
"""The components that must be healthy; the triggerer is not started, since no task of ours defers."""

STOP_SECONDS = 20.0


class AirflowTrouble(HubError):
    """Airflow does not run here, or not as it should; the message says where to look."""


@dataclass(frozen=True, slots=True)
class Running:
    """The Airflow that runs on this machine."""

    pid: int
    birth: str | None
    url: str

    @property
    def alive(self) -> bool:
        """Say whether that very process still runs."""
        return exists(self.pid) and birth(self.pid) == self.birth


def running(home: Home) -> Running | None:
    """Return what runs, or None; remains of a dead one count as none."""
    try:
        found = Running(**json.loads(home.state.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.alive else None


def start(
    settings: Settings,
    *,
    while_running: int | None = None,
    seconds: float = 180.0,
    progress: Callable[[str], None] = lambda _said: None,
) -> tuple[Running, bool]:
    """Start Airflow unless it runs, wait until it is healthy, and say whether it was started just now.

    `while_running` is a process whose end ends Airflow too.

    Raises:
        AirflowTrouble: a component ended or was not healthy in time; the end of their log is quoted.
    """
    home = Home.of(settings)
    with _one_at_a_time(home):
        if (found := running(home)) is not None:
            return found, False
        progress("configuration")
        port = free_port()
        told = settings.lineage_url
        write_configuration(
            home, database_url=metadata_url(settings), port=port,
            lineage_url=None if told is None else told.get_secret_value(),
        )  # fmt: skip
        log_from = home.components_log.stat().st_size if home.components_log.exists() else 0
        process = _launch(home, settings, while_running)
        found = Running(process.pid, birth(process.pid), f"http://127.0.0.1:{port}")
        write_private(home.state, json.dumps(asdict(found)))
        try:
            _await_health(home, found, process, seconds, log_from, progress)
        except BaseException:
            _end(found)
            home.state.unlink(missing_ok=True)
            raise
    return found, True


def stop(settings: Settings) -> bool:
    """Stop Airflow and everything it started; say whether it ran."""
    home = Home.of(settings)
    found = running(home)
    if found is not None:
        _end(found)
    home.state.unlink(missing_ok=True)
    return found is not None


def client(settings: Settings) -> Client:
    """Return a client of the running Airflow.

    Raises:
        AirflowTrouble: none runs.
    """
    home = Home.of(settings)
    found = running(home)
    if found is None:
        raise AirflowTrouble("Airflow does not run here. Start it with `hub airflow start`.")
    return Client(found.url, USER, home.password())


def metadata_url(settings: Settings) -> str:
    """Return the URL of Airflow's own database: `airflow`, beside the hub's; never the hub's own."""
    from sharedrepo.connect import database_url  # noqa: PLC0415  # SQLAlchemy's import would slow `status` and `stop`

    return database_url(settings, database="airflow").render_as_string(hide_password=False)


def _launch(home: Home, settings: Settings, while_running: int | None) -> subprocess.Popen[bytes]:
    """Start the server process in a session of its own; its output goes to a log."""
    with home.components_log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "dags.ops.server", *([str(while_running)] if while_running else [])],
            env=home.environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await_health(
    home: Home,
    found: Running,
    process: subprocess.Popen[bytes],
    seconds: float,
    log_from: int,
    progress: Callable[[str], None],
) -> None:
    api = Client(found.url, USER, home.password())
    deadline = time.monotonic() + seconds
    missing = list(NEEDED)
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AirflowTrouble(
                f"Airflow ended with status {process.returncode} while it started. The end of its log "
                f"({home.components_log}):\n{_tail(home, log_from)}"
            )
        missing = api.unhealthy(NEEDED)
        if not missing:
            return
        progress(f"waiting for {', '.join(missing)}")
        time.sleep(0.25)
    raise AirflowTrouble(
        f"Airflow was not healthy after {seconds:.0f} seconds; still missing: {', '.join(missing)}. The end of its log "
        f"({home.components_log}):\n{_tail(home, log_from)}"
    )


def _tail(home: Home, log_from: int, lines: int = 15) -> str:
    with home.components_log.open("rb") as log:
        log.seek(log_from)
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


def _end(found: Running) -> None:
    """End the server, then whatever is left of its session."""
    send(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while found.alive and time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(found.pid, os.WNOHANG)
        time.sleep(0.05)
    for pid in [found.pid, *members(found.pid)] if found.alive else members(found.pid):
        send(pid, signal.SIGKILL)


@contextlib.contextmanager
def _one_at_a_time(home: Home) -> Iterator[None]:
    """Hold the home's lock, so that two starts at once make one Airflow."""
    with (home.path / "start.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
