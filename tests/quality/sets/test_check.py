"""Whole ways: a department is pulled, its sets are judged, and what they show is kept."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from hub.settings import Settings
from pipeline.runtime import Runtime
from quality import running
from quality.sets import store
from quality.sets.service import NothingToCheck, Report, check
from sharedrepo.telling.lists import set_faults
from tests.conftest import Stock, Stocking
from tests.departments import ORGAN, Department
from tests.journeys.conftest import Hub, only

DAY = date(2026, 4, 1)
SOME = ("approval_case", "stage_event", "decision")


def checked(hub: Hub, *, as_of: date = DAY, only: tuple[str, ...] | None = SOME, **options: Any) -> Report:
    return check(hub.runtime.engine, [hub.source()], hub.runtime.documents, as_of=as_of, only=only, **options)


def _filled(settings: Settings, runtime: Runtime) -> None:
    hub = only(settings, runtime)
    for number in range(40):
        hub.department.case(f"C{number}")
    hub.pull()


@pytest.fixture(scope="module")
def stock(stocking: Stocking) -> Stock:
    return stocking(_filled)


@pytest.fixture
def cases(hub: Hub) -> Hub:
    """Forty cases that are alike to the second: nobody works so."""
    return hub


def test_the_sets_of_a_department_are_judged_and_kept(cases: Hub) -> None:
    report = checked(cases, only=None)
    assert {one.organ for one in report.results} == {ORGAN}
    kept = store.listed(cases.runtime.engine)
    assert len(kept) == len(report.results) > 100
    assert {row["success"] for row in kept} == {True, False}, "results that hold are kept too: they close issues"
    same = {row["field"]: row for row in kept if row["rule"] == "set_same_minute" and not row["success"]}
    assert (same["applied_at"]["unexpected"], same["applied_at"]["elements"]) == (40, 40)
    assert same["applied_at"]["detail"]["bound"] == "max"
    assert same["applied_at"]["source"] == "labour"
    assert {row["rule"] for row in kept if not row["success"]} >= {"set_same_minute", "set_hard_coded"}
    told = {(one["stream"], one["rule"], one["field"]): one for one in set_faults(cases.runtime.engine, "labour")}
    assert told["PRE_APASINFO", "set_same_minute", "applied_at"]["findings"] == 40
    assert any(one["findings"] == 0 for one in told.values()), "what holds is told as 0"


def test_the_next_run_is_the_present_word_and_the_last_one_stays_beside_it(cases: Hub) -> None:
    first, second = checked(cases, only=("stage_event",)), checked(cases)
    assert cases.rows("SELECT DISTINCT run_id FROM quality.set_result WHERE latest") == [(second.run_id,)]
    kept = cases.one("SELECT count(*) FROM quality.set_result WHERE run_id = :run", run=first.run_id)
    assert kept == len(first.results)
    third = checked(cases, only=("decision",))
    left = cases.rows("SELECT DISTINCT run_id, suite = 'decision' FROM quality.set_result WHERE latest ORDER BY 1")
    assert left == [(second.run_id, False), (third.run_id, True)]


def test_a_batch_is_judged_alone_and_changes_no_present_word(cases: Hub, department: Department) -> None:
    whole = checked(cases)
    department.case("C99")
    cases.pull()
    batch = cases.one("SELECT max(batch_id) FROM core.stage_event")
    alone = checked(cases, batch=batch)
    assert 0 < alone.rows < whole.rows
    assert cases.rows("SELECT DISTINCT run_id FROM quality.set_result WHERE latest") == [(whole.run_id,)]
    assert cases.rows("SELECT DISTINCT detail ->> 'batch' FROM quality.set_result WHERE NOT latest") == [(str(batch),)]


def test_a_dry_run_keeps_nothing(cases: Hub) -> None:
    assert checked(cases, keep=False).run_id is None
    assert cases.one("SELECT count(*) FROM quality.set_result") == 0


def test_results_that_are_long_over_go_and_present_ones_stay(cases: Hub) -> None:
    first, second = checked(cases, only=("decision",)), checked(cases, only=("decision",))
    with cases.runtime.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE quality.set_result SET at = at - interval '91 days'")
    third = checked(cases, only=("decision",))
    runs = [row[0] for row in cases.rows("SELECT DISTINCT run_id FROM quality.set_result ORDER BY 1")]
    assert runs == [third.run_id]
    assert (first.run_id, second.run_id, third.run_id) == (1, 2, 3)


def test_a_batch_or_source_that_is_not_there_is_told(cases: Hub) -> None:
    with pytest.raises(NothingToCheck, match="no batch 99999"):
        checked(cases, batch=99999)
    with pytest.raises(NothingToCheck, match="of source nobody"):
        checked(cases, source="nobody")
    several = checked(cases, source={"labour", "nobody"}, only=("decision",), keep=False)
    assert several.results == checked(cases, only=("decision",), keep=False).results


def test_the_sources_that_delivered_are_judged_in_one_run_as_each_alone(cases: Hub) -> None:
    query = """SELECT organ, rule, field, success, unexpected, elements FROM quality.set_result
               WHERE latest ORDER BY 1, 2, 3, 6"""
    alone = running.check_sets(cases.runtime, [cases.source()], ["labour"])
    kept = cases.rows(query)
    assert running.check_sets(cases.runtime, [cases.source()], ["labour", "nobody"]) == alone
    assert cases.rows(query) == kept
    assert cases.one("SELECT count(DISTINCT run_id) FROM quality.set_result WHERE latest") == 1
    assert running.check_sets(cases.runtime, [cases.source()], []) == {"expectations": 0, "failed": 0}


def test_min_bounds_block_and_max_bounds_warn(cases: Hub) -> None:
    fresh = checked(cases, only=("stage_event",))
    assert fresh.failed
    assert fresh.blocking == []
    stale = checked(cases, only=("stage_event",), as_of=date(2027, 4, 1))
    assert {(one.rule, one.unexpected, one.elements) for one in stale.blocking} == {("set_stale", 1, 1)}


def test_nothing_leaves_the_machine_and_the_load_path_knows_nothing_of_it() -> None:
    """Great Expectations counts its users unless told not to; here a process that judges opens no connection at all."""
    program = """
import sys
opened = []
outward = ("socket.connect", "socket.getaddrinfo")
sys.addaudithook(lambda event, args: opened.append(args[1]) if event in outward else None)
import pipeline.pulls.exchange, web.app
print("great_expectations" in sys.modules)
from quality.sets.suite import suites
import great_expectations as gx
suites()
gx.get_context(mode="ephemeral")
print(opened)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.splitlines() == ["False", "[]"]
