"""A department, a hub that pulls it, and a department whose system is a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from tests.complaints.parts import InPostgres
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
def in_postgres(server: EmbeddedServer, tmp_path: Path) -> Iterator[InPostgres]:
    execute(server, "CREATE DATABASE office")
    with closing(psycopg2.connect(server.url("office"))) as connection:
        connection.autocommit = True
        yield InPostgres(tmp_path / "sources", server.url("office"), connection)
    execute(server, "DROP DATABASE office WITH (FORCE)")
