"""A correction or a waiver is killed (SIGKILL) at a boundary and done again: the same as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.settings import Settings
from pipeline.runtime import Runtime
from quality.worklist import service
from tests.crash.campaign import Campaign, Driver, Site
from tests.crash.test_kill_the_pull import SAMPLE, spread
from tests.departments import Department

COMMITTING = "pg_advisory_xact_lock(hashtext('hub.commit'))"
"""Stands in the statement between the archive, which is written by then, and the commit."""


@pytest.fixture(scope="module")
def start(empty: Site, driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Department]]:
    """A hub with two refused records that came."""
    department = Department(tmp_path_factory.mktemp("deeds") / "sources", "labour")
    department.case("C1")
    for key in ("n1", "n2"):
        department.put("PRE_NODE", UNID=key, PROJID="C1", PHASE_CODE="SIGNED")
    site = empty.copy("deeds")
    done = site.pull(department)
    assert done["status"] == 0, done["error"]
    yield site, department
    site.drop()


@pytest.fixture(scope="module", params=["approve", "waive"])
def campaign(request: pytest.FixtureRequest, start: tuple[Site, Department]) -> Iterator[Campaign]:
    site, department = start
    what = str(request.param)
    begun = site.copy(f"deeds_{what}")
    number = _prepared(begun, department, what)
    calm = begun.copy(f"deeds_{what}_calm")
    order = {"deed": {"what": what, "number": number}}
    done = calm.pull(department, **order)
    assert done["status"] == 0, done["error"]
    assert "told" not in done["report"], done
    yield Campaign(begun, department, calm, done["boundaries"], more=order)
    begun.drop()
    calm.drop()


def _prepared(site: Site, department: Department, what: str) -> int:
    """Return the number that the deed is about; a proposal is made first."""
    settings = Settings(
        home=site.home, database_url=site.url, keys=site.keys, sources=(department.folder.parent,)
    )  # fmt: skip
    runtime = Runtime.open(settings)
    try:
        number = service.entries(runtime)[0].number
        if what == "waive":
            return number
        return service.propose(runtime, number, {"PHASE_CODE": "ACCEPT"}, actor="account:anna", reason="by telephone")
    finally:
        runtime.engine.dispose()


def test_between_archive_and_commit(campaign: Campaign) -> None:
    campaign.die_at(1, only=COMMITTING)


def test_at_boundaries_spread_over_all(campaign: Campaign) -> None:
    for boundary in spread(campaign.boundaries, SAMPLE):
        campaign.die_at(boundary)


@pytest.mark.long
def test_at_every_boundary(campaign: Campaign) -> None:
    assert campaign.die_everywhere()
