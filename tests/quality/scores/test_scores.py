"""Scores: numerator and denominator counted by hand, by organ, stream, document and dimension."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hub.findings import RULES
from hub.settings import Settings
from pipeline.runtime import Runtime
from quality.issues.service import refresh
from quality.scores.service import overview, parts, record_day, trend
from tests.conftest import Stock, Stocking
from tests.departments import ORGAN, Department
from tests.journeys.conftest import Hub, only

DAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
OTHER = "11330000002482285K"


def _filled(settings: Settings, runtime: Runtime) -> None:
    hub = only(settings, runtime)
    hub.department.case("C1")
    hub.department.case("C2")
    hub.department.case("C3", TELPHONE="12")
    hub.department.case("C4", SS_ORGCODE=OTHER)
    hub.department.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="NOBODY")
    hub.pull()
    refresh(runtime.engine, NOW)
    record_day(runtime.engine, DAY)


@pytest.fixture(scope="module")
def filled(stocking: Stocking) -> Stock:
    return stocking(_filled)


@pytest.fixture
def stock(request: pytest.FixtureRequest, template: str) -> Stock:
    made: Stock = request.getfixturevalue("filled") if "scored" in request.fixturenames else Stock(template)
    return made


@pytest.fixture
def scored(hub: Hub) -> Hub:
    """Two clean cases, one with an invalid phone, one of another organ, and a stage event that is refused."""
    return hub


def test_the_records_alive_are_counted_by_the_organ_that_answers_for_them(scored: Hub) -> None:
    found = {one.organ: one for one in overview(scored.runtime.engine, DAY)}
    # A case is seven records: application, acceptance, four stage events, closing, which names its own organ.
    assert {organ: one.records for organ, one in found.items()} == {ORGAN: 3 * 7 + 1 + 1, OTHER: 6}
    assert found[ORGAN].title_zh == "测试部门"
    mine = found[ORGAN]
    open_records = scored.one(
        """SELECT count(DISTINCT f.record_id) FROM quality.finding AS f JOIN quality.record_organ AS o USING (record_id)
           WHERE f.state = 'open' AND o.organ = :organ""",
        organ=ORGAN,
    )
    assert mine.clean == mine.records - open_records
    assert mine.clean < mine.records
    assert set(mine.dimensions) == {rule.dimension for rule in RULES.values()}
    valid = scored.one(
        """SELECT count(DISTINCT f.record_id) FROM quality.finding AS f JOIN quality.record_organ AS o USING (record_id)
           WHERE f.state = 'open' AND o.organ = :organ AND f.rule = ANY(:rules)""",
        organ=ORGAN, rules=[rule.code for rule in RULES.values() if rule.dimension == "valid"],
    )  # fmt: skip
    assert mine.dimensions["valid"] == (mine.records - valid, mine.records)


def test_the_worst_comes_first(scored: Hub) -> None:
    rates = [one.score for one in overview(scored.runtime.engine, DAY)]
    assert rates == sorted(rates)


def test_a_refused_record_counts_in_its_stream_and_in_no_document(scored: Hub) -> None:
    found = {(one.stream, one.document): one for one in parts(scored.runtime.engine, DAY, ORGAN)}
    assert found["PRE_NODE", ""].records == 3 * 4 + 1
    assert found["PRE_NODE", ""].clean == 3 * 4
    assert found["PRE_NODE", "stage_event"].records == 3 * 4
    assert found["PRE_NODE", "stage_event"].clean == 3 * 4
    assert found["PRE_APASINFO", "approval_case"].records == 3


def test_a_deleted_record_is_no_longer_there_to_be_right_or_wrong(scored: Hub) -> None:
    with scored.runtime.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ledger.source_record SET state = 'deleted' WHERE source_key = 'C4'")
    record_day(scored.runtime.engine, DAY)
    assert sum(one.records for one in overview(scored.runtime.engine, DAY)) == 4 * 7 + 1 - 2


def test_a_day_written_again_is_replaced(scored: Hub) -> None:
    before = overview(scored.runtime.engine, DAY), parts(scored.runtime.engine, DAY)
    assert record_day(scored.runtime.engine, DAY) > 0
    assert (overview(scored.runtime.engine, DAY), parts(scored.runtime.engine, DAY)) == before


def test_the_trend_has_a_point_for_each_day_recorded(scored: Hub, department: Department) -> None:
    department.change("PRE_APASINFO", {"PROJID": "C3"}, TELPHONE="13957126845", DATAVERSION=2)
    scored.pull()
    refresh(scored.runtime.engine, NOW + timedelta(days=2))
    record_day(scored.runtime.engine, DAY + timedelta(days=2))
    points = trend(scored.runtime.engine, ORGAN, days=30)
    assert [one.day for one in points] == [DAY, DAY + timedelta(days=2)]
    assert points[1].clean > points[0].clean
    assert points[1].issues < points[0].issues
    assert trend(scored.runtime.engine, ORGAN, days=1) == points[1:]
    assert trend(scored.runtime.engine, "nobody", days=30) == []


def test_the_overview_of_a_day_without_scores_is_that_of_the_day_before(scored: Hub) -> None:
    assert {one.day for one in overview(scored.runtime.engine, DAY + timedelta(days=3))} == {DAY}
    assert overview(scored.runtime.engine, DAY - timedelta(days=1)) == []


def test_an_empty_hub_has_no_scores(hub: Hub) -> None:
    assert record_day(hub.runtime.engine, DAY) == 0
    assert overview(hub.runtime.engine, DAY) == []
    assert trend(hub.runtime.engine, ORGAN, days=30) == []
