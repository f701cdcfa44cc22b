"""The PostgreSQL postmaster is killed (SIGKILL) in a merge; the server starts again, the pull runs again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sharedrepo.embedded import EmbeddedServer
from tests.crash.campaign import Campaign, Driver, Site, difference

MERGES = (
    ("COPY core.approval_case", 1), ("COPY core.stage_event", 2), ("COPY ledger.source_record", 2),
    ("INSERT INTO ledger.batch", 2),
)  # fmt: skip
"""Statements, and which of them, before which the server dies: the batch's rows are half written."""


@pytest.fixture
def mortal(driver: Driver, key_ring: str, tmp_path: Path) -> Iterator[Site]:
    """A hub on a server of its own."""
    server = EmbeddedServer(tmp_path / "mortal" / "pg")
    server.start()
    yield Site(server, driver, "hub", tmp_path / "home", key_ring)
    server.stop()


@pytest.mark.parametrize(("statement", "time"), MERGES)
def test_a_pull_whose_server_was_killed_runs_again_to_the_same_end(
    statement: str, time: int, mortal: Site, campaigns: tuple[Campaign, Campaign]
) -> None:
    calm, department = campaigns[0].calm, campaigns[0].department
    assert mortal.pull(department, upgrade="only")["status"] == 0
    postmaster = mortal.server.status().pid
    died = mortal.pull(department, only=statement, kill_at=time, kill_pid=postmaster)
    assert died["status"] == 1, "the pull cannot end well without its server"
    assert "OperationalError" in died["error"] or "InterfaceError" in died["error"], died["error"]
    mortal.server.start()
    assert mortal.pull(department)["status"] == 0
    assert difference(calm, mortal) == ""
    assert mortal.disagreements() == []
