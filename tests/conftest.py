"""What tests share: an embedded PostgreSQL a test process, a fresh repository a test, and small departments."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from hub.protect import Protector
from hub.protect.keys import new_ring
from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.migrate import upgrade

# A busy machine is no fault of the code: nothing is timed here.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test chooses its settings itself."""
    for name in [found for found in os.environ if found.startswith(("HUB_", "AIRFLOW"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """An embedded PostgreSQL for this test process.

    It has a folder of its own: pytest closes its temporary folders to others each time that a session starts, and the
    server runs as another user.
    """
    folder = Path(tempfile.mkdtemp(prefix="hub-tests-"))
    embedded = EmbeddedServer(folder / "pg")
    embedded.start()
    quicken(embedded)
    yield embedded
    embedded.stop()
    shutil.rmtree(folder, ignore_errors=True)


def quicken(server: EmbeddedServer) -> None:
    """Let a server skip what only guards against a crash of the machine; processes may still be killed."""
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        _execute(server, f"ALTER SYSTEM SET {setting} = off")
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


@pytest.fixture
def database(server: EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a fresh, migrated repository."""
    name = f"hub_{os.getpid()}_{next(_count)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(name)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def key_ring() -> str:
    """A key ring as JSON."""
    return new_ring().to_json()


@pytest.fixture
def settings(tmp_path: Path, database: str, key_ring: str) -> Settings:
    """The settings of a fresh hub."""
    return Settings(home=tmp_path / "home", database_url=database, keys=key_ring, sources=(tmp_path / "sources",))


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
