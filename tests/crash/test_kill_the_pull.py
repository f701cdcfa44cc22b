"""A pull is killed (SIGKILL) at a boundary and run again: the repository equals that of an undisturbed pull."""

from __future__ import annotations

import pytest

from tests.crash.campaign import KILLED, Campaign, difference

SAMPLE = 4
"""Kill points of each campaign that `make test` tries, spread evenly; `make test-long` tries all."""

Campaigns = tuple[Campaign, Campaign]


def spread(boundaries: int, wanted: int) -> list[int]:
    """Return so many boundaries, evenly spread, the first and the last among them."""
    return sorted({1 + round(place * (boundaries - 1) / (wanted - 1)) for place in range(wanted)})


@pytest.mark.parametrize("day", [0, 1], ids=["first day", "second day"])
@pytest.mark.parametrize("kind", ["campaigns", "forward_campaigns"])
def test_a_pull_that_is_killed_and_run_again_leaves_the_same_repository(
    kind: str, day: int, request: pytest.FixtureRequest
) -> None:
    campaign: Campaign = request.getfixturevalue(kind)[day]
    for boundary in spread(campaign.boundaries, SAMPLE):
        campaign.die_at(boundary)


def test_a_pull_that_closes_by_absence_may_be_killed_too(snapshot_campaigns: Campaigns) -> None:
    campaign = snapshot_campaigns[1]
    with campaign.calm.engine() as engine, engine.connect() as connection:
        kinds = {row[0] for row in connection.exec_driver_sql("SELECT DISTINCT kind FROM ledger.batch")}
    assert kinds == {"pull", "absence", "take_back"}
    for boundary in spread(campaign.boundaries, SAMPLE):
        campaign.die_at(boundary)


def test_an_upgrade_that_is_killed_is_made_up_for(campaigns: Campaigns) -> None:
    campaign = campaigns[0]
    bare = campaign.start.bare("bare")
    boundaries = bare.pull(campaign.department, upgrade="only")["boundaries"]
    bare.drop()
    for boundary in spread(boundaries, 4):
        site = campaign.start.bare("bare")
        assert site.pull(campaign.department, upgrade="only", kill_at=boundary)["status"] == KILLED
        assert site.pull(campaign.department, upgrade="yes")["status"] == 0
        assert difference(campaign.calm, site) == ""
        site.drop()


def test_the_undisturbed_hub_holds_what_the_campaign_is_about(campaigns: Campaigns) -> None:
    """The campaign means something only while every outcome occurs in it."""
    first, second = campaigns
    with second.calm.engine() as engine, engine.connect() as connection:
        kinds = {row[0] for row in connection.exec_driver_sql("SELECT DISTINCT kind FROM ledger.batch")}
        states = {row[0] for row in connection.exec_driver_sql("SELECT DISTINCT state FROM ledger.source_record")}
    assert kinds == {"pull", "release", "take_back"}
    assert states == {"kept", "deleted", "quarantined", "parked"}
    assert second.calm.disagreements() == first.calm.disagreements() == []


def test_a_second_pull_of_the_same_changes_nothing(campaigns: Campaigns) -> None:
    calm = campaigns[1].calm
    site = calm.copy("again")
    assert site.pull(campaigns[1].department)["status"] == 0
    assert difference(calm, site) == ""
    site.drop()
