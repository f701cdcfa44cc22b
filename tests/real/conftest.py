"""A hub for real data: a fresh repository a test, one a module where pulling takes long, a second one for rebuilds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from pydantic import SecretStr

from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from tests.real.puller import Puller, PullerOf


@pytest.fixture
def puller(runtime: Runtime, shared_data: Path) -> PullerOf:
    """Give a hub whose connections lead to a folder of the real data."""
    return lambda folder: Puller(runtime, shared_data / folder)


@pytest.fixture
def rebuilt(server: EmbeddedServer, template: str, settings: Settings) -> Iterator[Runtime]:
    """Give an empty repository beside the same archive and keys: what a rebuild fills."""
    with module_repository(server, template, settings, "hub_real_rebuilt") as runtime:
        yield runtime


@pytest.fixture(scope="module")
def module_hub(
    server: EmbeddedServer, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runtime]:
    """Give a repository that the tests of one module fill once and look at."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), keys=SecretStr(key_ring))
    with module_repository(server, template, settings, "hub_real_module") as runtime:
        yield runtime


@contextmanager
def module_repository(server: EmbeddedServer, template: str, settings: Settings, name: str) -> Iterator[Runtime]:
    """Give a fresh repository of a name, which is gone afterwards."""
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    values = settings.model_dump() | {"database_url": server.url(name)}
    runtime = Runtime.open(Settings(**values))
    try:
        yield runtime
    finally:
        runtime.engine.dispose()
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: EmbeddedServer, statement: str) -> None:
    connection = psycopg2.connect(server.url("postgres"))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
