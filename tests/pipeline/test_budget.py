"""The error budget: a delivery of which too much is refused is held whole; a person may accept it."""

from __future__ import annotations

from pipeline.afterwards.rebuild import rebuild
from pipeline.afterwards.replay import accept
from pipeline.runtime import Runtime
from sharedrepo.telling import digest
from sharedrepo.telling.ledger import check
from tests.departments import Department
from tests.journeys.conftest import Hub

BUDGET = {"budget": {"records": 2, "percent": 25}}


def fill(department: Department, *, good: int, bad: int) -> None:
    department.declare(each=BUDGET)
    for number in range(1, good + 1):
        department.put("PRE_APASINFO", PROJID=f"C{number}")
    for number in range(bad):
        department.put("PRE_APASINFO", PROJID="", APPLYNAME=f"申请人{number}")


def test_within_its_budget_a_delivery_is_published_and_the_bad_records_wait(hub: Hub, department: Department) -> None:
    fill(department, good=9, bad=3)  # exactly a quarter
    told = hub.pull()["PRE_APASINFO"]
    assert (told["new"], told["quarantined"], told["refused_units"]) == (9, 3, [])
    assert hub.one("SELECT count(*) FROM core.approval_case") == 9


def test_few_bad_records_are_borne_however_small_the_delivery(hub: Hub, department: Department) -> None:
    fill(department, good=1, bad=2)
    assert hub.pull()["PRE_APASINFO"]["new"] == 1


def test_over_its_budget_nothing_is_published_until_a_person_says_so(hub: Hub, department: Department) -> None:
    fill(department, good=5, bad=3)
    told = hub.pull()["PRE_APASINFO"]
    assert (told["new"], told["quarantined"], told["refused_units"]) == (0, 8, ["pre_apasinfo"])
    assert hub.one("SELECT count(*) FROM core.approval_case") == 0
    detail = hub.one("SELECT detail FROM quality.finding WHERE rule = 'error_budget' AND state = 'open'")
    assert detail == {"read": "8", "refused": "3", "borne": "2 records and 25 %", "rules": "missing_key 3"}
    held = hub.one("SELECT batch_id FROM ledger.batch WHERE status = 'held'")
    accept(hub.runtime, hub.source(), held, "the three were tests of the department")
    assert hub.one("SELECT count(*) FROM core.approval_case") == 5
    assert hub.one("SELECT count(*) FROM ledger.waiting WHERE status = 'open'") == 3
    assert hub.rows("SELECT rule FROM quality.finding WHERE state = 'open' AND rule = 'error_budget'") == []
    assert check(hub.runtime.engine) == []


def test_a_rebuild_holds_it_again(hub: Hub, department: Department, empty_runtime: Runtime) -> None:
    fill(department, good=5, bad=3)
    hub.pull()
    rebuild(empty_runtime)
    assert digest.digest(empty_runtime.engine) == digest.digest(hub.runtime.engine)


def test_a_budget_may_be_of_records_alone(hub: Hub, department: Department) -> None:
    fill(department, good=30, bad=3)
    department.declare(each={"budget": {"records": 2}})
    assert hub.pull()["PRE_APASINFO"]["new"] == 0
