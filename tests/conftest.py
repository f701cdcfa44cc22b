"""What tests share: an embedded PostgreSQL a test process, a fresh repository a test, and small departments."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa
import uvicorn.server
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

from hub.protect import Protector
from hub.protect.keys import new_ring
from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.embedded.configuration import _memory_mib
from sharedrepo.migrate import upgrade
from web.accounts import passwords

# A busy machine is no fault of the code: nothing is timed here.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

MEMORY_MIB = 6 * 1024
"""So much must be free before a test's server lies in memory: its files are some hundred MiB."""
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


gc.disable()  # until all tests are collected: what is imported stays


def pytest_collection_finish() -> None:
    """Take modules and collected tests out of the collector's sight: it walked all of them time and again."""
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test chooses its settings itself."""
    for name in [found for found in os.environ if found.startswith(("HUB_", "AIRFLOW"))]:
        monkeypatch.delenv(name)


class _Prompt:
    """What a server of this process sleeps by: it looks ten times as often whether it shall end."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


@pytest.fixture(scope="session", autouse=True)
def _nothing_slow_on_purpose() -> Iterator[None]:
    """Let this process skip what is slow on purpose: waits for the disk, and the work that a guesser of passwords has.

    Processes that tests start (the command, the server) do both as they are.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.server, "asyncio", _Prompt())
        patch.setattr(os, "fsync", lambda _handle: None)
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """An embedded PostgreSQL for this test process.

    It has a folder of its own: pytest closes its temporary folders to others each time that a session starts, and the
    server runs as another user. In memory, where there is enough: a database is copied and dropped for most tests.
    """
    folder = Path(tempfile.mkdtemp(prefix="hub-tests-", dir=_memory()))
    embedded = EmbeddedServer(folder / "pg")
    embedded.start()
    quicken(embedded)
    yield embedded
    embedded.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """Return the kernel's file system in memory where the databases of several test processes leave plenty of it."""
    memory, said = Path("/dev/shm"), Path("/proc/meminfo")
    if not (memory.is_dir() and said.is_file()):
        return None
    available = re.search(r"MemAvailable: +(\d+) kB", said.read_text(encoding="ascii"))
    free = min(shutil.disk_usage(memory).free >> 20, int(available[1]) >> 10 if available else 0, _memory_mib())
    return memory if free >= MEMORY_MIB else None


def quicken(server: EmbeddedServer) -> None:
    """Let a server skip what only guards against a crash of the machine; processes may still be killed."""
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        _execute(server, f"ALTER SYSTEM SET {setting} = off")
    for setting, size in (("max_wal_size", "256MB"), ("min_wal_size", "80MB")):
        _execute(server, f"ALTER SYSTEM SET {setting} = '{size}'")
    _execute(server, "SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """A migrated database that fresh ones are copied from."""
    _execute(server, "CREATE DATABASE hub_template")
    engine = sa.create_engine(server.url("hub_template", driver="psycopg2"), poolclass=sa.NullPool)
    upgrade(engine)
    engine.dispose()
    return "hub_template"


_count = iter(range(1_000_000))


@dataclass(frozen=True)
class Stock:
    """What the hub of a test begins with: the database it is copied from, and the folder of its home and sources."""

    database: str
    folder: Path | None = None


Stocking = Callable[[Callable[[Settings, Runtime], None]], Stock]


@pytest.fixture(scope="session")
def stock(template: str) -> Stock:
    """Nothing, unless a conftest or a module says otherwise by a fixture of this name."""
    return Stock(template)


@pytest.fixture(scope="session")
def stocking(
    server: EmbeddedServer, copies: Copies, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stocking]:
    """A function that has a hub filled once, for tests that each begin with a copy of it."""
    made: list[str] = []

    def fill(filling: Callable[[Settings, Runtime], None]) -> Stock:
        made.append(f"hub_stock_{next(_count)}")
        _execute(server, f"CREATE DATABASE {made[-1]} TEMPLATE {template}")
        folder = tmp_path_factory.mktemp("stock")
        runtime = Runtime.open(_settings(folder, server.url(made[-1]), key_ring))
        filling(runtime.settings, runtime)
        runtime.engine.dispose()
        return Stock(made[-1], folder)

    yield fill
    for name in made:
        copies.give_back(name)


class Copies:
    """Fresh databases: while a test runs, one for the next test is made and that of the last one is taken away."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._beside = ThreadPoolExecutor(1)
        self._next: tuple[str, Future[str]] | None = None
        self._gone: list[Future[None]] = []

    def take(self, template: str) -> str:
        """Return a copy of this database for one test."""
        name = self._make(template) if self._next is None or self._next[0] != template else self._next[1].result()
        if self._next is not None and self._next[0] != template:
            self.give_back(self._next[1].result())
        self._next = template, self._beside.submit(self._make, template)
        return name

    def give_back(self, name: str) -> None:
        """Take a copy away."""
        self._gone.append(self._beside.submit(_execute, self._server, f"DROP DATABASE {name} WITH (FORCE)"))

    def rest(self) -> None:
        """Wait until nothing is made or taken away beside the test."""
        self._beside.submit(lambda: None).result()

    def close(self) -> None:
        """Take away what nobody took, and see that all is gone."""
        if self._next is not None:
            self.give_back(self._next[1].result())
        self._beside.shutdown()
        for one in self._gone:
            one.result()

    def _make(self, template: str) -> str:
        name = f"hub_{os.getpid()}_{next(_count)}"
        # As files: half the time of copying some 1,100 small relations through the log.
        _execute(self._server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name


@pytest.fixture(scope="session")
def copies(server: EmbeddedServer) -> Iterator[Copies]:
    """Fresh databases of this test process."""
    made = Copies(server)
    yield made
    made.close()


@pytest.fixture
def database(server: EmbeddedServer, copies: Copies, stock: Stock) -> Iterator[str]:
    """The URL of a migrated repository of this test's own."""
    name = copies.take(stock.database)
    yield server.url(name)
    copies.give_back(name)


@pytest.fixture(scope="session")
def key_ring() -> str:
    """A key ring as JSON."""
    return new_ring().to_json()


@pytest.fixture
def place(tmp_path: Path, stock: Stock) -> Path:
    """The folder of this test's own hub and its departments."""
    if stock.folder is not None:
        shutil.copytree(stock.folder, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def settings(place: Path, database: str, key_ring: str) -> Settings:
    """The settings of this test's own hub."""
    return _settings(place, database, key_ring)


def _settings(place: Path, database: str, key_ring: str) -> Settings:
    return Settings(home=place / "home", database_url=database, keys=key_ring, sources=(place / "sources",))


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    """An open, empty hub."""
    opened = Runtime.open(settings)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def protector(settings: Settings) -> Protector:
    """The protector of the fresh hub."""
    return Protector.from_settings(settings)


def _execute(server: EmbeddedServer, statement: str) -> None:
    connection = psycopg2.connect(server.url("postgres"))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data that nobody of this project wrote; tests that read it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data at {SHARED_DATA.name}: tests on it run where the folder is")
    return SHARED_DATA
