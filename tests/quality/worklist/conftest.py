"""A department with one refused record, the hub that pulled it, and an empty repository beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.settings import Settings
from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.telling.digest import digest
from sharedrepo.telling.ledger import check
from tests.conftest import Stock, Stocking
from tests.crash.campaign import execute
from tests.departments import Department
from tests.journeys.conftest import Hub

ANNA, BERND = "account:anna", "account:bernd"


class WorkHub(Hub):
    """The hub with what stewards look at."""

    def number(self, key: str) -> int:
        """The open entry of a source key."""
        found: int = self.one(
            """SELECT w.waiting_id FROM ledger.waiting AS w JOIN ledger.source_record AS r USING (record_id)
               WHERE r.source_key = :key AND w.status = 'open'""",
            key=key,
        )
        return found

    def record(self, key: str) -> int:
        """The record of a source key."""
        found: int = self.one("SELECT record_id FROM ledger.source_record WHERE source_key = :key", key=key)
        return found

    def state(self, key: str) -> str:
        """The state of a source key's record."""
        found: str = self.one("SELECT state FROM ledger.source_record WHERE source_key = :key", key=key)
        return found

    def of(self, key: str) -> set[str]:
        """The rules of the open findings on a source key's record."""
        return {rule for rule, one in self.findings() if one == key}

    def sound(self) -> None:
        """The ledger equals the contents."""
        assert check(self.runtime.engine) == []

    def rebuilt_equal(self, other: Runtime) -> None:
        """A rebuild from the archive gives the same repository, table by table."""
        assert rebuild(other).batches > 0
        mine, theirs = digest(self.runtime.engine), digest(other.engine)
        assert {name for name in mine if mine[name] != theirs[name]} == set()
        assert check(other.engine) == []


@pytest.fixture
def department(place: Path) -> Department:
    return Department(place / "sources")


@pytest.fixture
def hub(runtime: Runtime, department: Department) -> WorkHub:
    return WorkHub(runtime, department)


def _one_refused(settings: Settings, runtime: Runtime) -> None:
    hub = WorkHub(runtime, Department(settings.sources[0]))
    hub.department.case("C1")
    hub.department.put("PRE_NODE", UNID="n1", PROJID="C1", PHASE_CODE="SIGNED")
    hub.pull()
    assert hub.state("n1") == "quarantined"


@pytest.fixture(scope="session")
def one_refused(stocking: Stocking) -> Stock:
    return stocking(_one_refused)


@pytest.fixture
def stock(request: pytest.FixtureRequest, template: str) -> Stock:
    """Nothing, or what `refused` says for the tests that ask for it."""
    made: Stock = request.getfixturevalue("one_refused") if "refused" in request.fixturenames else Stock(template)
    return made


@pytest.fixture
def refused(hub: WorkHub) -> WorkHub:
    """A clean case, and an event `n1` of it that is refused for its code and flagged for nothing."""
    return hub


@pytest.fixture
def empty_runtime(server: EmbeddedServer, template: str, settings: Settings) -> Iterator[Runtime]:
    """An empty repository with the archive and the keys of `runtime`."""
    execute(server, f"CREATE DATABASE beside TEMPLATE {template}")
    opened = Runtime.open(settings.model_copy(update={"database_url": SecretStr(server.url("beside"))}))
    yield opened
    opened.engine.dispose()
    execute(server, "DROP DATABASE beside WITH (FORCE)")
