"""Real databases to read from: PostgreSQL and MariaDB (the local server, else one of the test's own), SQLite."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from sharedrepo.embedded import EmbeddedServer
from tests.servers import mariadb_port

LOCAL = os.environ.get("HUB_TEST_PG", "postgresql+psycopg2://postgres@127.0.0.1:5432/test")
PLAIN = "ssl_disabled=true"
"""Without it the driver loads the certificates of all authorities for each connection, longer than a test takes."""


@dataclass
class Department:
    """A department's database with a place of its own in it."""

    backend: str
    url: str
    schema: str | None
    options: dict[str, Any] = field(default_factory=dict)

    def elsewhere(self, **parts: str | None) -> str:
        """Return the URL with another user, password or database, wherever the server listens."""
        return sa.make_url(self.url).set(**parts).render_as_string(hide_password=False)  # type: ignore[arg-type]  # texts

    def run(self, *statements: str) -> None:
        engine = sa.create_engine(re.sub("^mysql:", "mysql+pymysql:", self.url), poolclass=sa.NullPool)
        with engine.begin() as connection:
            if self.schema and self.backend == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL search_path TO {self.schema}")
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()


def _local_postgres() -> str | None:
    try:
        psycopg2.connect(LOCAL.replace("+psycopg2", ""), connect_timeout=3).close()
    except psycopg2.OperationalError:
        return None
    return LOCAL


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    local = _local_postgres()
    if local is not None:
        return local
    server: EmbeddedServer = request.getfixturevalue("server")
    return server.url("postgres", driver="psycopg2")


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Department]:
    schema = f"conn_{os.getpid()}"
    place = Department("postgresql", postgres_url, schema, {"schema": schema})
    place.run(f"DROP SCHEMA IF EXISTS {schema} CASCADE", f"CREATE SCHEMA {schema}")
    yield place
    place.run(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def mariadb() -> Iterator[Department]:
    name, at = f"conn_{os.getpid()}", f"mysql://root@127.0.0.1:{mariadb_port()}"
    server = Department("mysql", f"{at}/?{PLAIN}", None)
    server.run(f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    yield Department("mysql", f"{at}/{name}?charset=utf8mb4&{PLAIN}", None)
    server.run(f"DROP DATABASE {name}")


@pytest.fixture
def sqlite(tmp_path: Path) -> Department:
    file = tmp_path / "department.db"
    place = Department("sqlite", f"sqlite:///{file}", None)
    place.run("CREATE TABLE at_first (n integer)")
    return place


@pytest.fixture(params=["postgres", "mariadb", "sqlite"])
def department(request: pytest.FixtureRequest) -> Department:
    """Each sort of database in turn."""
    found: Department = request.getfixturevalue(request.param)
    return found
