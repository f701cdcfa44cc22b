"""Quarantined records are judged again: what they say then replaces what was said of them before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.afterwards.replay import replay
from pipeline.runtime import Runtime
from sharedrepo.telling.ledger import check
from tests.departments import PROFILE, Department
from tests.journeys.conftest import Hub

MENDED = "SIGNED,undertake,会签,chosen\n"


@pytest.fixture
def department(tmp_path: Path) -> Department:
    return Department(tmp_path / "sources")


@pytest.fixture
def hub(runtime: Runtime, department: Department) -> Hub:
    return Hub(runtime, department)


def _mend(department: Department) -> None:
    """Give the department a profile of its own, which knows the code that the common one does not."""
    shutil.copytree(PROFILE, department.folder / "own")
    codes = department.folder / "own" / "codes" / "phase.csv"
    codes.write_text(codes.read_text(encoding="utf-8") + MENDED, encoding="utf-8")
    department.declare(profile="./own")


def _of_the_event(hub: Hub) -> set[str]:
    return {rule for rule, key in hub.findings() if key == "n1"}


def test_a_replayed_version_closes_what_was_said_of_the_one_before(hub: Hub, department: Department) -> None:
    department.case("C1")
    department.put("PRE_NODE", UNID="n1", PROJID="C1", END_TIME="2026-03-02 08:00:00")
    hub.pull()
    assert _of_the_event(hub) == {"ended_before_started"}
    department.change("PRE_NODE", {"UNID": "n1"}, PHASE_CODE="SIGNED", DATAVERSION=2, END_TIME="2026-03-02 10:00:00")
    hub.pull()
    assert _of_the_event(hub) == {"ended_before_started", "unknown_code"}, "the first version still stands"
    department.change("PRE_NODE", {"UNID": "n1"}, PHASE_CODE="ACCEPT", DATAVERSION=3)
    hub.pull()
    assert _of_the_event(hub) == set(), "a good version settles both"
    assert check(hub.runtime.engine) == []


def test_a_version_that_is_replayed_twice_says_at_last_what_it_says_now(hub: Hub, department: Department) -> None:
    department.case("C1")
    bad = {"UNID": "n1", "PROJID": "C1", "PHASE_CODE": "SIGNED", "END_TIME": "2026-03-02 08:00:00"}
    department.put("PRE_NODE", **bad)
    hub.pull()
    first = _of_the_event(hub)
    assert "unknown_code" in first
    assert replay(hub.runtime, hub.source()).counts == {"quarantined": 1}
    assert _of_the_event(hub) == first, "the same faults, told once"
    _mend(department)
    assert replay(hub.runtime, hub.source()).counts == {"new": 1}
    assert _of_the_event(hub) == {"ended_before_started"}, "it stands now, with the fault that it has"
    department.change("PRE_NODE", {"UNID": "n1"}, DATAVERSION=2, END_TIME="2026-03-02 10:00:00")
    hub.pull()
    assert _of_the_event(hub) == set()
    assert check(hub.runtime.engine) == []
