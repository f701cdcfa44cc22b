"""Bounds: suggested from healthy runs, moved with a reason only, and held to by the next pull."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.afterwards.rebuild import rebuild
from pipeline.afterwards.replay import accept
from pipeline.runtime import Runtime
from quality.bounds import fill
from quality.bounds.service import BoundRefused, Suggestion, fill_rates, history, put, suggest
from quality.issues.service import listed, refresh
from quality.sets.service import check
from sharedrepo.telling.digest import digest
from tests.departments import Department
from tests.journeys.conftest import Hub

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)


def bounded(hub: Hub, stream: str = "PRE_NODE", **bounds: int | None) -> None:
    sides = {"least": None, "most": None, **bounds}
    put(hub.runtime.engine, hub.source(), stream, **sides, reason="a quiet month", actor="account:li", now=NOW)


def kept(hub: Hub) -> int:
    query = """SELECT count(*) FROM ledger.source_record AS r JOIN ledger.stream AS s USING (stream_id)
               WHERE s.name = 'PRE_NODE' AND r.state = 'kept'"""
    found: int = hub.one(query)
    return found


def of(hub: Hub, stream: str) -> Suggestion:
    return next(one for one in suggest(hub.runtime.engine, [hub.source()]) if one.stream == stream)


def test_healthy_runs_suggest_bounds_and_the_first_pull_is_no_day_like_others(hub: Hub, department: Department) -> None:
    for number in range(20):
        department.case(f"C{number}")
    hub.pull()
    assert (of(hub, "PRE_NODE").runs, of(hub, "PRE_NODE").least) == (0, None)
    for _ in range(3):
        hub.pull()  # the lookback reads all of them again
    found = of(hub, "PRE_NODE")
    assert (found.runs, found.smallest, found.largest) == (3, 80, 80)
    assert (found.least, found.most) == (68, 160)
    assert found.set_by == ""


def test_a_bound_holds_from_the_next_pull_and_its_breach_stops_the_delivery(hub: Hub, department: Department) -> None:
    department.declare(each={"expect": {"rows": {"min": 1}}})
    department.case("C1")
    hub.pull()
    bounded(hub, least=10)
    department.case("C2")
    assert hub.pull()["PRE_NODE"]["quarantined"] == 8
    assert kept(hub) == 4
    assert {rule for rule, _ in hub.findings()} >= {"volume_below"}
    held = "SELECT detail ->> 'least' FROM quality.finding WHERE rule = 'volume_below' AND state = 'open'"
    assert hub.one(held) == "10"
    bounded(hub, least=4)
    hub.pull(full=True)
    assert kept(hub) == 8
    assert "volume_below" not in {rule for rule, _ in hub.findings()}


def test_too_many_only_warns(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    bounded(hub, most=3)
    department.case("C2")
    assert hub.pull()["PRE_NODE"]["new"] == 4
    assert "volume_above" in {rule for rule, _ in hub.findings()}


def test_every_setting_is_kept_with_who_and_why(hub: Hub, department: Department) -> None:
    department.declare(each={"expect": {"rows": {"min": 2, "max": 9}}})
    department.case("C1")
    hub.pull()
    assert (of(hub, "PRE_NODE").now_least, of(hub, "PRE_NODE").set_by) == (2, "source.yml")
    bounded(hub, least=5, most=50)
    bounded(hub, least=6)
    said = history(hub.runtime.engine, source="labour", stream="PRE_NODE")
    assert [(one.least, one.most, one.latest) for one in said] == [(6, None, True), (5, 50, False)]
    assert {(one.actor, one.reason, one.at) for one in said} == {("account:li", "a quiet month", NOW)}
    assert (of(hub, "PRE_NODE").now_least, of(hub, "PRE_NODE").now_most) == (6, None)


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "without a reason": ({"reason": " \n"}, "only with a reason"),
    "with a novel": ({"reason": "x" * 1001}, "only with a reason"),
    "the wrong way round": ({"least": 9, "most": 1}, "0 ≤ min ≤ max"),
    "below zero": ({"least": -1}, "0 ≤ min ≤ max"),
    "of no stream": ({"stream": "NONE"}, "it has PRE_APASINFO"),
    "by nobody": ({"actor": "li"}, "no actor"),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_bound_that_cannot_be_is_refused_and_nothing_is_written(hub: Hub, wrong: str) -> None:
    over, said = REFUSED[wrong]
    asked: dict[str, object] = {
        "stream": "PRE_NODE",
        "least": 1,
        "most": None,
        "reason": "x",
        "actor": "cli:li",
        **over,
    }
    with pytest.raises(BoundRefused, match=said):
        put(hub.runtime.engine, hub.source(), **asked)  # type: ignore[arg-type]  # one of them is wrong on purpose
    assert history(hub.runtime.engine) == []


def test_a_rebuild_judges_by_the_bounds_of_then(hub: Hub, department: Department, empty_runtime: Runtime) -> None:
    department.case("C1")
    bounded(hub, least=10)
    hub.pull()
    assert hub.one("SELECT count(*) FROM ledger.batch WHERE status = 'held'") == 1
    rebuild(empty_runtime)
    assert digest(hub.runtime.engine)["repository"] == digest(empty_runtime.engine)["repository"]


def test_how_often_columns_are_filled_is_counted(hub: Hub, department: Department) -> None:
    department.case("C1")
    department.case("C2", SERVICENAME=None)
    hub.pull()
    found = {(one.document, one.column): (one.filled, one.rows) for one in fill_rates(hub.runtime.engine, "labour")}
    assert found["approval_case", "handling_organ"] == (2, 2)
    assert found["approval_case", "item_name"] == (1, 2)
    assert fill_rates(hub.runtime.engine, "nobody") == []


def filled(hub: Hub, column: str = "approval_case.item_name", stream: str = "PRE_APASINFO", **over: object) -> None:
    asked: dict[str, object] = {
        "least": 0.8,
        "most": None,
        "reason": "the form asks for it",
        "actor": "account:li",
        **over,
    }
    fill.put(hub.runtime.engine, hub.source(), stream, column, **asked, now=NOW)  # type: ignore[arg-type]  # some of them are wrong on purpose


def judged(hub: Hub, batch: int | None = None) -> list[tuple[str, bool, int, int]]:
    report = check(hub.runtime.engine, [hub.source()], hub.runtime.documents, only=("approval_case",), batch=batch)
    return [(one.field, one.success, one.unexpected, one.elements) for one in report.results if one.suite == fill.SUITE]


def test_a_fill_rate_that_falls_below_its_bound_becomes_an_issue_and_closes_again(
    hub: Hub, department: Department
) -> None:
    for number in range(10):
        department.case(f"C{number}", SERVICENAME=None if number < 3 else "许可")
    hub.pull()
    assert judged(hub) == [], "nobody bounded it"
    filled(hub)
    assert judged(hub) == [("approval_case.item_name", False, 3, 10)]
    refresh(hub.runtime.engine, datetime.now(UTC))
    (issue,) = [one for one in listed(hub.runtime.engine) if one.rule == fill.RULE]
    assert (issue.field, issue.records, issue.of_records, issue.source) == ("approval_case.item_name", 3, 10, "labour")
    filled(hub, least=0.7, reason="back-entered cases have none")
    assert judged(hub) == [("approval_case.item_name", True, 3, 10)]
    refresh(hub.runtime.engine, datetime.now(UTC))
    assert [one for one in listed(hub.runtime.engine) if one.rule == fill.RULE] == []


def emptied(hub: Hub, department: Department) -> None:
    """Bound a column and deliver twenty-five cases, of which ten leave it empty."""
    filled(hub)
    for number in range(25):
        department.case(f"C{number}", SERVICENAME=None if number < 10 else "许可")
    assert hub.pull()["PRE_APASINFO"]["quarantined"] == 25


def test_a_delivery_with_an_emptier_column_than_its_bound_waits_for_a_person(hub: Hub, department: Department) -> None:
    emptied(hub, department)
    assert hub.one("SELECT count(*) FROM core.approval_case") == 0
    told = "SELECT detail, effect FROM quality.finding WHERE rule = 'fill_below' AND state = 'open'"
    detail = {"column": "approval_case.item_name", "filled": "15", "rows": "25", "least": "0.8"}
    assert hub.rows(told) == [(detail, "refuse")]
    held = hub.one("SELECT batch_id FROM ledger.batch WHERE status = 'held'")
    accept(hub.runtime, hub.source(), held, "the old form did not ask for it", actor="account:li")
    assert hub.one("SELECT count(*) FROM core.approval_case") == 25
    assert hub.rows(told) == []
    assert hub.pull(full=True)["PRE_APASINFO"]["unchanged"] == 25, "what is known says nothing of today's export"


def test_a_delivery_that_is_sent_whole_is_published_and_a_small_one_is_no_sample(
    hub: Hub, department: Department
) -> None:
    emptied(hub, department)
    department.change("PRE_APASINFO", {"DATASTATE": "1"}, SERVICENAME="许可", DATAVERSION=2)
    assert hub.pull(full=True)["PRE_APASINFO"]["new"] == 25
    assert [one for one in hub.findings() if one[0] == "fill_below"] == []
    for number in range(30, 40):
        department.case(f"C{number}", SERVICENAME=None)
    assert hub.pull()["PRE_APASINFO"]["new"] == 10


def test_a_rebuild_holds_an_emptied_delivery_again(hub: Hub, department: Department, empty_runtime: Runtime) -> None:
    emptied(hub, department)
    rebuild(empty_runtime)
    assert digest(hub.runtime.engine)["repository"] == digest(empty_runtime.engine)["repository"]


def test_a_column_that_is_suddenly_full_warns_and_a_batch_is_judged_alone(hub: Hub, department: Department) -> None:
    department.case("C1", SERVICENAME=None)
    hub.pull()
    filled(hub, least=None, most=0.6)
    department.case("C2", SERVICENAME="许可")
    hub.pull()
    batch = hub.one("SELECT max(batch_id) FROM core.approval_case")
    assert judged(hub, batch) == [("approval_case.item_name", False, 1, 1)]
    report = check(hub.runtime.engine, [hub.source()], hub.runtime.documents, only=("approval_case",), batch=batch)
    assert [one.rule for one in report.blocking if one.suite == fill.SUITE] == [], "too full only warns"
    assert judged(hub) == [("approval_case.item_name", True, 1, 2)]


def test_bounds_of_fill_rates_are_kept_beside_those_of_volumes(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    bounded(hub, "PRE_APASINFO", least=1)
    filled(hub)
    filled(hub, least=None, reason="nobody needs it any more")
    said = history(hub.runtime.engine, source="labour", stream="PRE_APASINFO")
    assert [(one.measure, one.least, one.latest) for one in said] == [
        ("fill:approval_case.item_name", None, True), ("fill:approval_case.item_name", 0.8, False), ("rows", 1, True),
    ]  # fmt: skip
    assert judged(hub) == [], "taken away"
    assert of(hub, "PRE_APASINFO").now_least == 1
    assert hub.pull()["PRE_APASINFO"]["unchanged"] >= 0, "a bound of a column is none of the volume"


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "without a reason": ({"reason": " "}, "only with a reason"),
    "more than all": ({"least": 1.2}, "0 ≤ min ≤ max ≤ 1"),
    "the wrong way round": ({"least": 0.9, "most": 0.1}, "0 ≤ min ≤ max ≤ 1"),
    "of no document": ({"column": "nothing.x"}, "no document 'nothing'"),
    "of no column": ({"column": 'approval_case.x"; DROP'}, "no column"),
    "of a column that is never empty": ({"column": "approval_case.record_id"}, "that may be empty"),
    "of no stream": ({"stream": "NONE"}, "it has PRE_APASINFO"),
    "by nobody": ({"actor": "li"}, "no actor"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_fill_rate_that_cannot_be_is_refused(hub: Hub, wrong: str) -> None:
    over, said = WRONG[wrong]
    with pytest.raises(BoundRefused, match=said):
        filled(hub, **over)  # type: ignore[arg-type]  # one of them is wrong on purpose
    assert history(hub.runtime.engine) == []
