"""Silence climbs by itself, step by step, and each step says who was told, or that nobody is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from connectors.loading import load_sources
from hub.settings import Settings
from pipeline.runtime import Runtime
from pipeline.telling import health
from quality.issues import service
from quality.issues.recipients import Directory
from quality.issues.service import FeedFault, Issue
from tests.conftest import Stock, Stocking
from tests.departments import ORGAN, Department
from tests.journeys.conftest import Hub, only

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
OWNER = {"organ": ORGAN, "name": "测试部门", "contact": "office 0571-0000"}


def _filled(settings: Settings, runtime: Runtime) -> None:
    hub = only(settings, runtime)
    hub.department.declare(owner={**OWNER, "division_head": "审批处处长 0571-0001"})
    hub.department.case("C1")
    hub.department.clear("PRE_NODE", PHASE_CODE="REVIEW")
    hub.pull()
    service.refresh(runtime.engine, NOW)


@pytest.fixture(scope="module")
def filled(stocking: Stocking) -> Stock:
    return stocking(_filled)


@pytest.fixture
def stock(request: pytest.FixtureRequest, template: str) -> Stock:
    made: Stock = request.getfixturevalue("filled") if "silent" in request.fixturenames else Stock(template)
    return made


@pytest.fixture
def silent(hub: Hub) -> Hub:
    """A department whose case was closed on the spot, approved without a review: a high fault."""
    return hub


def issue(hub: Hub) -> Issue:
    (found,) = service.listed(hub.runtime.engine, rule="approve_without_review")
    return found


def climb(hub: Hub, day: date) -> list[service.Step]:
    now = datetime(day.year, day.month, day.day, 4, 0, tzinfo=UTC)
    return [one for one in service.escalate(hub.runtime.engine, now, [hub.source()]) if one.code == issue(hub).code]


def test_silence_climbs_from_the_contact_to_the_bulletin(silent: Hub) -> None:
    assert issue(silent).due_on == date(2026, 3, 13)
    assert climb(silent, date(2026, 3, 13)) == [], "on its due date it is not overdue"
    told = [
        (step.level, step.recipient.role, step.recipient.to)
        for day in (date(2026, 3, 16), date(2026, 3, 17), date(2026, 3, 19), date(2026, 3, 24), date(2026, 3, 27),
                    date(2026, 5, 8))
        for step in climb(silent, day)
    ]  # fmt: skip
    assert told == [
        (1, "contact", "office 0571-0000"),
        (2, "division_head", "审批处处长 0571-0001"),
        (3, "leader", None),
        (4, "bulletin", "bulletin"),
    ]
    life = [one for one in service.events(silent.runtime.engine, issue(silent).code) if one.what == "escalated"]
    assert [one.detail["level"] for one in life] == [1, 2, 3, 4]
    assert life[2].detail["nobody_known"], "that nobody is known is itself said"
    counted = {"contact": 1, "division_head": 1, "leader": 1, "bulletin": 1, "steps": 4, "issues": 1}
    [mine] = service.silence(silent.runtime.engine, date(2026, 3, 1))
    assert mine == {"organ": ORGAN, **counted}, "the appraisal counts each step"
    assert service.silence(silent.runtime.engine, date(2026, 4, 1)) == []
    assert [one["code"] for one in service.bulletin(silent.runtime.engine, date(2026, 3, 1))] == [issue(silent).code]
    assert service.bulletin(silent.runtime.engine, date(2026, 4, 1)) == []
    assert service.bulletin(silent.runtime.engine, date(2026, 12, 1)) == []


def test_after_a_long_outage_of_the_hub_nobody_is_passed_over(silent: Hub) -> None:
    assert [one.level for one in climb(silent, date(2026, 6, 1))] == [1]
    assert climb(silent, date(2026, 6, 1)) == []
    assert [one.level for one in climb(silent, date(2026, 6, 4))] == [2]


def test_a_deed_breaks_the_silence(silent: Hub) -> None:
    code = issue(silent).code
    service.acknowledge(
        silent.runtime.engine, code, actor="cli:li", now=datetime(2026, 3, 16, 4, tzinfo=UTC)
    )  # fmt: skip
    assert climb(silent, date(2026, 3, 17)) == []
    assert [one.level for one in climb(silent, date(2026, 3, 19))] == [1]


def test_what_is_accepted_or_snoozed_does_not_climb(silent: Hub) -> None:
    code, engine = issue(silent).code, silent.runtime.engine
    service.snooze(engine, code, actor="cli:li", until=date(2026, 4, 1), reason="agreed", now=NOW)
    assert climb(silent, date(2026, 3, 20)) == []
    service.accept(engine, code, actor="cli:li", reason="agreed", now=NOW)
    assert climb(silent, date(2026, 6, 1)) == []


def test_faults_that_no_department_can_mend_go_to_the_hubs_own_roles(hub: Hub, department: Department) -> None:
    department.declare(each={"budget": {"records": 0}})
    department.put("PRE_NODE", UNID="", PROJID="C1")
    hub.pull()
    service.refresh(hub.runtime.engine, NOW)
    (found,) = service.listed(hub.runtime.engine, rule="error_budget")
    assert found.owner == "engineer"
    steps = service.escalate(hub.runtime.engine, NOW + timedelta(days=10), [hub.source()])
    assert [(one.level, one.recipient.to) for one in steps if one.code == found.code] == [(1, "role:engineer")]
    assert service.silence(hub.runtime.engine, date(2026, 3, 1)) == [], "the hub's own silence is no department's"


def test_an_organ_without_a_folder_is_told_through_the_keeper_of_the_system(department: Department) -> None:
    directory = Directory(load_sources([department.folder]))
    told = directory.of(owner="department", organ="11330000002482285K", source="labour", level=1)
    assert (told.to, told.organ, told.through) == ("office 0571-0000", "11330000002482285K", "labour")
    assert directory.of(owner="department", organ="", source="labour", level=1).organ == ORGAN
    assert directory.of(owner="department", organ="X", source="gone", level=1).as_dict()["nobody_known"]


@pytest.mark.parametrize(("hours", "rule"), [(60, "late_feed"), (0, None)])
def test_a_feed_that_did_not_come_when_it_was_due_is_an_issue(
    hub: Hub, department: Department, hours: int, rule: str | None
) -> None:
    department.declare(schedule="0 2 * * *", each={"cursor": {"field": "CREATE_TIME"}})
    department.case("C1")
    hub.pull()
    now = datetime.now(UTC) + timedelta(hours=hours)
    found = service.look(hub.runtime.engine, [hub.source()], now)
    assert {one.rule for one in found} == {rule}
    assert {one.stream for one in found} == set(hub.source().streams)
    assert service.refresh(hub.runtime.engine, now, found).opened >= len(found) * bool(rule)


def test_a_feed_that_brings_far_less_than_on_days_like_it_is_an_issue(
    hub: Hub, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    department.declare(schedule="0 2 * * *")
    department.case("C1")
    hub.pull()
    thin = [replace(one, signs=("thin",)) for one in health.feeds(hub.runtime.engine, [hub.source()], now=NOW)]
    monkeypatch.setattr("quality.issues.feeds.health.feeds", lambda *_, **__: thin)
    found = service.look(hub.runtime.engine, [hub.source()], NOW)
    assert {one.rule for one in found} == {"thin_feed"}


def test_a_feed_that_never_came_through_is_missing_once_it_is_due(hub: Hub, department: Department) -> None:
    with hub.runtime.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO core.source_system (code, title, organ, kind) VALUES ('labour', 'l', :o, 'database')"),
            {"o": ORGAN},
        )
        connection.exec_driver_sql("INSERT INTO ledger.stream (source_system_id, name) VALUES (1, 'PRE_NODE')")
    assert {one.rule for one in service.look(hub.runtime.engine, [hub.source()], NOW)} == {None}, "it is due never"
    department.declare(schedule="0 2 * * *")
    found: list[FeedFault] = service.look(hub.runtime.engine, [hub.source()], NOW)
    assert {one.rule for one in found} == {"missing_feed"}
    assert service.refresh(hub.runtime.engine, NOW, found).opened == 1
