"""The digest is equal for equal contents and differs for any difference that matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.settings import Settings
from pipeline.runtime import Runtime
from sharedrepo.telling.digest import digest
from tests.conftest import Stock, Stocking
from tests.departments import Department
from tests.journeys.conftest import Hub, only

CHANGES = {
    "core.stage_event": "UPDATE core.stage_event SET opinion = 'x' WHERE stage = 'review'",
    "core.case_overview": "UPDATE core.case_overview SET events = 0",
    "core.case_party": "UPDATE core.case_party SET content_hash = '\\x00'",
    "core_history.stage_event": "UPDATE core_history.stage_event SET opinion = 'x'",
    "ledger.source_record": "UPDATE ledger.source_record SET order_value = 99 WHERE source_key = 'C1-1'",
    "ledger.stream": "UPDATE ledger.stream SET complete_through = now()",
    "ledger.batch": "UPDATE ledger.batch SET new = new - 1, updated = updated + 1 WHERE new > 0",
    "ledger.waiting": "UPDATE ledger.waiting SET rules = '{}'",
    "quality.finding": "UPDATE quality.finding SET state = 'closed' WHERE rule = 'unknown_code'",
}


def _filled(settings: Settings, runtime: Runtime) -> None:
    hub = only(settings, runtime)
    hub.department.case("C1")
    hub.department.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="SIGNED")
    hub.pull()
    hub.department.change("PRE_NODE", {"UNID": "C1-3"}, OPINION="更正", DATAVERSION=2)
    hub.pull()


@pytest.fixture(scope="module")
def stock(stocking: Stocking) -> Stock:
    return stocking(_filled)


@pytest.fixture
def full(hub: Hub) -> Hub:
    return hub


@pytest.mark.parametrize("table", CHANGES)
def test_a_change_of_one_row_shows_in_its_table(table: str, full: Hub) -> None:
    before = digest(full.runtime.engine)
    with full.runtime.engine.begin() as connection:
        assert connection.exec_driver_sql(CHANGES[table]).rowcount > 0
    after = digest(full.runtime.engine)
    assert {name for name in before if before[name] != after[name]} == {table, "repository"}


def test_reading_again_changes_nothing(full: Hub) -> None:
    before = digest(full.runtime.engine)
    full.pull()
    full.pull(full=True)
    assert digest(full.runtime.engine) == before


def test_numbers_that_the_database_gave_do_not_matter(full: Hub) -> None:
    before = digest(full.runtime.engine)
    with full.runtime.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE quality.finding SET finding_id = DEFAULT, batch_id = batch_id + 1000")
        connection.exec_driver_sql("UPDATE ledger.batch SET recorded_at = recorded_at + INTERVAL '1 day'")
    assert digest(full.runtime.engine) == before


def test_other_contents_have_another_digest(full: Hub, another_department: Department) -> None:
    before = digest(full.runtime.engine, scopes=("core",))
    other = Hub(full.runtime, another_department)
    another_department.case("C1")
    other.pull()
    after = digest(full.runtime.engine, scopes=("core",))
    assert after["core.approval_case"] != before["core.approval_case"]


@pytest.fixture
def another_department(tmp_path: Path) -> Department:
    return Department(tmp_path / "sources", "health")
