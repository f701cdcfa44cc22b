"""Deletion by absence: what a whole snapshot no longer holds is closed, unless the snapshot itself looks broken."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import RepositoryError
from pipeline.afterwards.rebuild import rebuild
from pipeline.afterwards.replay import accept
from pipeline.runtime import Runtime
from sharedrepo.telling import digest
from sharedrepo.telling.ledger import balances, check
from tests.departments import Department
from tests.journeys.conftest import Hub


def snapshots(department: Department, **stream: Any) -> None:
    """Let every stream be read whole at each pull, and close what is absent."""
    department.declare(each={"cursor": None, "deletion": "snapshot", **stream})


def rows(hub: Hub, query: str) -> list[tuple[Any, ...]]:
    with hub.runtime.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def states(hub: Hub) -> dict[str, str]:
    return dict(rows(hub, "SELECT source_key, state FROM ledger.source_record"))  # type: ignore[arg-type]


def findings(hub: Hub) -> list[str]:
    return [row[0] for row in rows(hub, "SELECT rule FROM quality.finding WHERE state = 'open' ORDER BY rule")]


@pytest.fixture
def cases(department: Department) -> Department:
    for number in range(1, 6):
        department.case(f"C{number}")
    return department


def test_what_is_absent_is_closed_and_its_history_stays(hub: Hub, cases: Department) -> None:
    snapshots(cases, vanish=50)
    hub.pull()
    cases.clear("PRE_NODE", UNID="C1-2")
    node = hub.pull()["PRE_NODE"]
    assert (node["absent"], node["read"], node["unchanged"], node["balanced"]) == (1, 19, 19, True)
    assert [(one["stream"], one["absent"]) for one in balances(hub.runtime.engine) if one["absent"]] == [
        ("PRE_NODE", 1)
    ]
    assert states(hub)["C1-2"] == "deleted"
    assert rows(hub, "SELECT count(*) FROM core.stage_event") == [(24,)]
    assert rows(hub, "SELECT count(*) FROM core_history.stage_event") == [(1,)]
    assert findings(hub) == []
    assert check(hub.runtime.engine) == []
    assert all(one["absent"] == 0 for one in hub.pull().values())


def test_a_record_that_comes_again_lives_again(hub: Hub, cases: Department) -> None:
    snapshots(cases, vanish=50)
    hub.pull()
    cases.clear("PRE_NODE", UNID="C1-2")
    hub.pull()
    cases.put("PRE_NODE", UNID="C1-2", PROJID="C1", PHASE_CODE="UNDERTAKE")
    assert hub.pull()["PRE_NODE"]["updated"] == 1
    assert states(hub)["C1-2"] == "kept"
    assert check(hub.runtime.engine) == []


def test_a_case_that_goes_takes_its_children_to_wait(hub: Hub, cases: Department) -> None:
    snapshots(cases, vanish=50)
    hub.pull()
    cases.clear("PRE_APASINFO", PROJID="C2")
    hub.pull()
    found = states(hub)
    assert found["C2"] == "deleted"
    assert {found[f"C2-{place}"] for place in range(1, 5)} == {"parked"}
    assert check(hub.runtime.engine) == []


def test_a_broken_export_closes_nothing_until_a_person_says_so(hub: Hub, cases: Department) -> None:
    snapshots(cases)
    hub.pull()
    for number in range(1, 4):
        cases.clear("PRE_NODE", PROJID=f"C{number}")
    assert all(one["absent"] == 0 for one in hub.pull().values())
    assert findings(hub) == ["snapshot_shrunk"]
    assert rows(hub, "SELECT detail FROM quality.finding") == [({"absent": "12", "kept": "20", "allowed": "10 %"},)]
    (held,) = rows(hub, "SELECT batch_id FROM ledger.batch WHERE status = 'held'")
    accept(hub.runtime, hub.source(), held[0], "the department confirmed that these were entered by mistake")
    assert rows(hub, "SELECT count(*) FROM core.stage_event") == [(13,)]
    assert findings(hub) == []
    assert check(hub.runtime.engine) == []


def test_an_older_snapshot_cannot_be_accepted_against_a_newer_one(hub: Hub, cases: Department) -> None:
    snapshots(cases)
    hub.pull()
    cases.clear("PRE_NODE", PROJID="C1")
    hub.pull()
    (held,) = rows(hub, "SELECT batch_id FROM ledger.batch WHERE status = 'held'")
    cases.put("PRE_NODE", UNID="C9-1", PROJID="C2")
    hub.pull()
    with pytest.raises(RepositoryError):
        accept(hub.runtime, hub.source(), held[0], "too late")
    assert rows(hub, "SELECT count(*) FROM ledger.batch WHERE status = 'held'") == [(1,)]  # the newer one's


def test_a_snapshot_with_an_unreadable_key_closes_nothing(hub: Hub, cases: Department) -> None:
    snapshots(cases, vanish=50)
    hub.pull()
    cases.clear("PRE_NODE", UNID="C1-2")
    cases.put("PRE_NODE", UNID="", PROJID="C1")
    hub.pull()
    assert states(hub)["C1-2"] == "kept"
    assert "snapshot_unsure" in findings(hub)
    cases.clear("PRE_NODE", UNID="")
    hub.pull()
    assert states(hub)["C1-2"] == "deleted"
    assert findings(hub) == []


def test_a_dry_run_closes_nothing(hub: Hub, cases: Department) -> None:
    snapshots(cases, vanish=100)
    hub.pull()
    cases.clear("PRE_NODE")
    hub.pull(dry_run=True)
    assert rows(hub, "SELECT count(*) FROM core.stage_event") == [(25,)]


def test_a_rebuild_closes_and_holds_the_same(hub: Hub, cases: Department, empty_runtime: Runtime) -> None:
    snapshots(cases, vanish=20)
    hub.pull()
    cases.clear("PRE_NODE", UNID="C1-2")
    cases.clear("PRE_TRANSACT", PROJID="C1")
    cases.clear("PRE_TRANSACT", PROJID="C2")
    hub.pull()
    rebuild(empty_runtime)
    assert digest.digest(empty_runtime.engine) == digest.digest(hub.runtime.engine)
    (held,) = rows(hub, "SELECT batch_id FROM ledger.batch WHERE status = 'held'")
    accept(hub.runtime, hub.source(), held[0], "confirmed by telephone")
    assert rows(hub, "SELECT count(*) FROM core.decision") == [(3,)]
    assert check(hub.runtime.engine) == []
