"""The driver and the hubs that a killed pull is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sharedrepo.embedded import EmbeddedServer
from tests.crash.campaign import Campaign, Driver, Site, day_one, day_two
from tests.departments import Department


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    started = Driver()
    yield started
    started.close()


@pytest.fixture(scope="session")
def empty(
    server: EmbeddedServer, template: str, driver: Driver, key_ring: str, tmp_path_factory: pytest.TempPathFactory
) -> Site:
    """A hub that holds nothing."""
    return Site(server, driver, template, tmp_path_factory.mktemp("crash") / "empty", key_ring)


def _campaigns(empty: Site, folder: Path, lookback: str) -> tuple[Campaign, Campaign]:
    department = Department(folder / "sources", "labour")
    department.declare(each={"cursor": {"field": "CREATE_TIME", "lookback": lookback}})
    day_one(department)
    name = f"calm_{lookback.lower()}"
    first = empty.copy(f"{name}_1")
    one = first.pull(department)
    assert one["status"] == 0, one["error"]
    later = Department(folder / "later", "labour")
    later.declare(each={"cursor": {"field": "CREATE_TIME", "lookback": lookback}})
    day_one(later)
    day_two(later)
    second = first.copy(f"{name}_2")
    two = second.pull(later)
    assert two["status"] == 0, two["error"]
    return (
        Campaign(empty, department, first, one["boundaries"]),
        Campaign(first, later, second, two["boundaries"]),
    )


@pytest.fixture(scope="session")
def campaigns(empty: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Campaign, Campaign]:
    """The first day and the second of a department that is read whole at each pull."""
    return _campaigns(empty, tmp_path_factory.mktemp("whole"), "P400D")


@pytest.fixture(scope="session")
def forward_campaigns(empty: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Campaign, Campaign]:
    """The same of a department whose cursor does not look back: a pull goes on where the last one was cut off."""
    return _campaigns(empty, tmp_path_factory.mktemp("forward"), "PT0S")
