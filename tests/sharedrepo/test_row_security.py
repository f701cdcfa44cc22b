"""A hub whose role is no superuser: policies hold for it too, and it loads, merges and reads as ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo import migrate
from sharedrepo.access import readers
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.telling.digest import digest
from tests.departments import Department
from tests.journeys.conftest import Hub

ROLE = "hub_of_the_office"
DATABASE = "hub_owned"


def administer(server: EmbeddedServer, *statements: str, database: str = "postgres") -> None:
    with closing(psycopg2.connect(server.url(database))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for one in statements:
                cursor.execute(one)


@pytest.fixture
def owned(server: EmbeddedServer, key_ring: str, tmp_path: Path) -> Iterator[Runtime]:
    """A hub as docs/operate/database.md has it made: its role owns the database, and has no more rights."""
    administer(
        server, f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOBYPASSRLS",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE} TEMPLATE template0",
    )  # fmt: skip
    url = server.url(DATABASE).replace("postgres:x@", f"{ROLE}:x@")
    runtime = Runtime.open(
        Settings(home=tmp_path / "home", database_url=url, keys=key_ring, sources=(tmp_path / "sources",))
    )
    yield runtime
    runtime.engine.dispose()
    administer(server, f"DROP DATABASE {DATABASE} WITH (FORCE)", f"DROP ROLE {ROLE}")


def filled(runtime: Runtime, sources: Path) -> Hub:
    """Pull two days of a department: new rows, then changed and closed ones."""
    department = Department(sources)
    hub = Hub(runtime, department)
    for number in ("1", "2", "3"):
        department.case(number)
    assert hub.pull()["PRE_APASINFO"]["new"] == 3
    department.change("PRE_APASINFO", {"PROJID": "1"}, PROJECTNAME="改名", DATAVERSION=2)
    department.change("PRE_TRANSACT", {"PROJID": "2"}, TRANSACT_DESCRIBE="更正", DATAVERSION=2)
    department.case("4")
    second = hub.pull()
    assert (second["PRE_APASINFO"]["updated"], second["PRE_APASINFO"]["new"]) == (1, 1)
    return hub


def test_a_hub_without_superuser_rights_loads_and_merges_the_same(
    owned: Runtime, runtime: Runtime, tmp_path: Path
) -> None:
    assert owned.engine.connect().exec_driver_sql("SELECT row_security_active('core.credential')").scalar() is True
    theirs, ours = filled(owned, tmp_path / "sources"), filled(runtime, tmp_path / "others")
    for table in readers.COLUMNS:
        counted = f"SELECT count(*) FROM {table}"
        assert theirs.one(counted) == ours.one(counted), table
    assert theirs.one("SELECT count(*) FROM core.approval_case") == 4
    assert theirs.one("SELECT count(*) FROM core_history.approval_case") == 1
    assert digest(owned.engine) == digest(runtime.engine)


def test_the_hubs_own_role_sees_nothing_through_the_views_for_departments(owned: Runtime, tmp_path: Path) -> None:
    hub = filled(owned, tmp_path / "sources")
    for view in readers.VIEWS:
        if view.startswith("out."):
            assert hub.one(f"SELECT count(*) FROM {view}") == 0, view
    assert hub.one("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user") is False


def test_tables_that_were_given_to_another_owner_get_their_policies_back(
    owned: Runtime, server: EmbeddedServer, tmp_path: Path
) -> None:
    hub = filled(owned, tmp_path / "sources")
    with other_owner(server) as engine:
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM core.approval_case").scalar() == 0, "by policy"
        migrate.upgrade(engine)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM core.approval_case").scalar() == 4
    assert hub.one("SELECT 1") == 1


@contextmanager
def other_owner(server: EmbeddedServer) -> Iterator[sa.Engine]:
    """Hand everything to another role, and back."""
    other = f"{ROLE}_new"
    administer(server, f"CREATE ROLE {other} LOGIN")
    administer(server, f"REASSIGN OWNED BY {ROLE} TO {other}", database=DATABASE)
    url: Any = server.url(DATABASE, driver="psycopg2").replace("postgres:x@", f"{other}:x@")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        yield engine
    finally:
        administer(server, f"REASSIGN OWNED BY {other} TO {ROLE}", f"DROP OWNED BY {other}", database=DATABASE)
        administer(server, f"DROP ROLE {other}")
