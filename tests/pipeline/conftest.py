"""A department, a hub that pulls it, and an empty repository beside it that has the same archive and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from tests.crash.campaign import execute
from tests.departments import Department
from tests.journeys.conftest import Hub


@pytest.fixture
def department(tmp_path: Path) -> Department:
    return Department(tmp_path / "sources")


@pytest.fixture
def hub(runtime: Runtime, department: Department) -> Hub:
    return Hub(runtime, department)


@pytest.fixture
def empty_runtime(server: EmbeddedServer, template: str, settings: Settings) -> Iterator[Runtime]:
    """An empty repository with the archive and the keys of `runtime`."""
    execute(server, f"CREATE DATABASE beside TEMPLATE {template}")
    opened = Runtime.open(settings.model_copy(update={"database_url": SecretStr(server.url("beside"))}))
    yield opened
    opened.engine.dispose()
    execute(server, "DROP DATABASE beside WITH (FORCE)")
