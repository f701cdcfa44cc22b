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


@pytest.fixture(scope="session")
def snapshot_campaigns(empty: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Campaign, Campaign]:
    """The same of a department whose tables are whole snapshots: on the second day records are closed by absence."""
    folder, snapshot = tmp_path_factory.mktemp("snapshot"), {"cursor": None, "deletion": "snapshot", "vanish": 60}
    days = [Department(folder / name, "labour") for name in ("sources", "later")]
    for day in days:
        day.declare(each=snapshot)
        for number in range(1, 7):
            day.case(f"C{number}")
    days[1].clear("PRE_APASINFO", PROJID="C2")  # its children stay and are parked
    days[1].clear("PRE_NODE", PROJID="C3")
    days[1].case("C8")
    sites, campaigns = [empty], []
    for number, day in enumerate(days, 1):
        calm = sites[-1].copy(f"calm_snapshot_{number}")
        done = calm.pull(day)
        assert done["status"] == 0, done["error"]
        campaigns.append(Campaign(sites[-1], day, calm, done["boundaries"]))
        sites.append(calm)
    return campaigns[0], campaigns[1]


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
