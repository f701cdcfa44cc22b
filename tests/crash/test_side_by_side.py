"""Pulls at the same time: of one source never two, of two sources that share applicants and items both to their end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign, Driver, Site, day_one, day_two, difference
from tests.crash.driver import BUSY
from tests.departments import Department

Campaigns = tuple[Campaign, Campaign]
ROUNDS = 3


@pytest.fixture(scope="module")
def other_driver() -> Iterator[Driver]:
    started = Driver()
    yield started
    started.close()


def test_two_pulls_of_one_source_never_run_at_once(campaigns: Campaigns, other_driver: Driver, tmp_path: Path) -> None:
    campaign = campaigns[0]
    site = campaign.start.copy("twice")
    reached, go = tmp_path / "reached", tmp_path / "go"
    first = site.order_of(
        campaign.department, only="COPY core.stage_event", wait_at=1, reached=str(reached), go=str(go)
    )
    site.driver.send(**first)
    _until(reached)
    second = other_driver.order(**site.order_of(campaign.department))
    go.touch()
    assert second["status"] == BUSY
    assert campaign.department.code in second["error"]
    assert site.driver.receive()["status"] == 0
    assert difference(campaign.calm, site) == ""
    site.drop()


def test_a_killed_pull_does_not_leave_its_source_busy(campaigns: Campaigns, other_driver: Driver) -> None:
    campaign = campaigns[0]
    site = campaign.start.copy("unlocked")
    site.pull(campaign.department, only="COPY core.stage_event", kill_at=1)
    assert other_driver.order(**site.order_of(campaign.department))["status"] == 0
    assert difference(campaign.calm, site) == ""
    site.drop()


def test_two_sources_that_share_applicants_and_items_are_pulled_side_by_side(
    empty: Site, driver: Driver, other_driver: Driver, tmp_path: Path
) -> None:
    """Both days, several times, each time both at once; the end equals that of one after the other."""
    days = [_twins(tmp_path / "one"), _twins(tmp_path / "two", later=True)]
    serial = empty.copy("serial")
    for twins in days:
        for department in twins:
            assert serial.pull(department)["status"] == 0
    for number in range(ROUNDS):
        site = empty.copy(f"parallel_{number}")
        other = replace(site, driver=other_driver)
        for left, right in days:
            site.driver.send(**site.order_of(left, upgrade="yes"))
            other.driver.send(**other.order_of(right, upgrade="yes"))
            ended = [site.driver.receive(), other.driver.receive()]
            assert [one["status"] for one in ended] == [0, 0], ended
        assert difference(serial, site) == ""
        assert site.disagreements() == []
        site.drop()
    serial.drop()


def _twins(folder: Path, *, later: bool = False) -> tuple[Department, Department]:
    twins = Department(folder, "labour"), Department(folder, "health")
    for department in twins:
        day_one(department)
        if later:
            day_two(department)
    return twins


def _until(file: Path) -> None:
    for _ in range(3000):
        if file.exists():
            return
        time.sleep(0.02)
    raise AssertionError("the first pull never came so far")
