"""`hub ledger --check` finds each kind of disagreement that somebody plants; batches cannot be out of balance."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from sharedrepo.models import OUTCOMES
from sharedrepo.telling.ledger import _CHECKS, balances, check, states
from tests.departments import Department
from tests.journeys.conftest import Hub

PLANTED: dict[str, str] = {
    "a kept record has no row in core": "DELETE FROM core.acceptance",
    "a record that is not kept has rows in core": """
        UPDATE ledger.source_record SET state = 'deleted' WHERE source_key = 'C1-2'""",
    "a quarantined record does not wait": "UPDATE ledger.waiting SET status = 'superseded' WHERE kind = 'quarantined'",
    "a parked record does not wait": "UPDATE ledger.waiting SET status = 'released' WHERE kind = 'parked'",
    "a waiting record is not in the register": "DELETE FROM ledger.source_record WHERE state = 'parked'",
    "a parked record's case is here": "UPDATE ledger.waiting SET case_number = 'C1' WHERE kind = 'parked'",
    "a case has no overview": "DELETE FROM core.case_overview",
    "an overview has no case": "UPDATE core.case_overview SET case_id = -case_id",
    "an overview counts other events": "UPDATE core.case_overview SET events = events + 1",
    "a refusing finding has no waiting record": "UPDATE quality.finding SET record_id = 1 WHERE effect = 'refuse'",
    "a batch does not balance": """
        ALTER TABLE ledger.batch DROP CONSTRAINT ck_batch_balance;
        UPDATE ledger.batch SET read = read + 1 WHERE seq = 1""",
}
"""One fault for each check; some faults show in more than one check."""


@pytest.fixture
def full(hub: Hub, department: Department) -> Hub:
    """A hub that holds kept, refused and parked records, and nothing that disagrees."""
    department.case("C1")
    department.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="SIGNED")
    department.put("PRE_NODE", UNID="lost", PROJID="C-nowhere")
    hub.pull()
    assert check(hub.runtime.engine) == []
    return hub


def test_every_check_has_a_planted_fault() -> None:
    assert set(PLANTED) == set(_CHECKS)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_by_its_check(name: str, full: Hub) -> None:
    with full.runtime.engine.begin() as connection:
        connection.exec_driver_sql(PLANTED[name])
    found = {one.check: one for one in check(full.runtime.engine)}
    assert name in found
    assert found[name].count >= 1
    assert len(found[name].examples) >= 1


def test_a_batch_that_does_not_balance_cannot_be_written(full: Hub) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="ck_batch_balance"), full.runtime.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ledger.batch SET new = new + 1")


def test_balances_and_states_tell_what_came(full: Hub) -> None:
    rows = {row["stream"]: row for row in balances(full.runtime.engine, "labour")}
    assert rows["PRE_NODE"]["read"] == 6
    assert {name: rows["PRE_NODE"][name] for name in ("new", "quarantined", "parked")} == {
        "new": 4, "quarantined": 1, "parked": 1,
    }  # fmt: skip
    assert all(row["balanced"] for row in rows.values())
    assert sum(sum(row[outcome] for outcome in OUTCOMES) for row in rows.values()) == 9
    assert states(full.runtime.engine) == {"kept": 7, "quarantined": 1, "parked": 1, "deleted": 0, "excluded": 0}
    assert balances(full.runtime.engine, "nobody") == []
