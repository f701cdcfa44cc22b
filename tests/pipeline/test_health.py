"""The health of feeds: an empty pull is no health, and every sign has its cause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.loading import load_sources
from hub.workdays import DayKind, kind, like_days
from pipeline.telling.health import Feed, _signs, feeds
from pipeline.telling.province import due_at
from tests.departments import Department
from tests.journeys.conftest import Hub
from tests.posters import Poster


def seen(hub: Hub, *, days: float = 0) -> dict[str, Feed]:
    now = datetime.now(UTC) + timedelta(days=days)
    return {one.stream: one for one in feeds(hub.runtime.engine, [hub.source()], now=now)}


@pytest.fixture
def daily(department: Department) -> Department:
    department.declare(schedule="0 2 * * *")
    department.case("C1")
    return department


def test_a_feed_that_never_came_says_so(hub: Hub, daily: Department) -> None:
    assert {one.signs for one in seen(hub).values()} == {("never",)}
    assert {one.volume for one in seen(hub).values()} == {0}


def test_a_feed_that_went_through_tells_its_figures(hub: Hub, daily: Department) -> None:
    hub.pull()
    node = seen(hub)["PRE_NODE"]
    assert (node.volume, node.usual_volume, node.error_rate, node.held) == (4, None, 0.0, 0)
    assert node.last_success_at is not None
    assert node.complete_through == datetime(2026, 3, 5, 7, 10, tzinfo=UTC) - timedelta(days=400)
    assert node.complete_basis == "inferred"
    assert node.lag_seconds == pytest.approx(
        (datetime.now(UTC) - datetime(2026, 3, 5, 7, 10, tzinfo=UTC)).total_seconds(), abs=120
    )


def test_a_feed_that_did_not_come_when_it_was_due_is_late(hub: Hub, daily: Department) -> None:
    hub.pull()
    assert "late" in seen(hub, days=2)["PRE_NODE"].signs
    assert "late" not in seen(hub)["PRE_NODE"].signs


def test_success_without_data_is_behind_and_not_healthy(hub: Hub, daily: Department) -> None:
    hub.pull()
    hub.pull()
    assert "behind" in seen(hub)["PRE_NODE"].signs


def test_refused_records_make_a_feed_failing(hub: Hub, daily: Department) -> None:
    daily.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="NOBODY")
    hub.pull()
    node = seen(hub)["PRE_NODE"]
    assert (node.error_rate, "failing" in node.signs) == (pytest.approx(0.2), True)
    assert "failing" not in seen(hub)["PRE_APASINFO"].signs


def test_a_day_far_below_days_like_it_is_thin(hub: Hub, daily: Department) -> None:
    for number in range(2, 9):
        daily.case(f"C{number}")
    hub.pull()
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    moved(hub, (today - like_days(today)[0]).days)
    hub.pull()
    node = seen(hub)["PRE_NODE"]
    assert (node.volume, node.usual_volume) == (0, 32.0)
    assert "thin" in node.signs


def test_a_holiday_is_not_compared_with_working_days(hub: Hub, daily: Department) -> None:
    hub.pull()
    spring = datetime(2026, 2, 17, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    today = datetime.now(spring.tzinfo).date()
    moved(hub, (today - spring.date()).days + 14)  # two weeks before the festival: the same weekday, worked
    found = {one.stream: one for one in feeds(hub.runtime.engine, [hub.source()], now=spring)}
    assert found["PRE_NODE"].usual_volume is None
    later = spring + timedelta(days=14)
    assert kind(later.date()) is DayKind.WORK
    found = {one.stream: one for one in feeds(hub.runtime.engine, [hub.source()], now=later)}
    assert found["PRE_NODE"].usual_volume == 4.0


def moved(hub: Hub, days: int) -> None:
    """Let all batches have been committed so many days earlier."""
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE ledger.batch SET recorded_at = recorded_at - interval '{days} days'")


def test_a_held_delivery_shows(hub: Hub, department: Department) -> None:
    department.declare(each={"budget": {"records": 0}})
    department.put("PRE_NODE", UNID="", PROJID="C1")
    hub.pull()
    assert "held" in seen(hub)["PRE_NODE"].signs


def test_all_of_it_is_json(hub: Hub, daily: Department) -> None:
    hub.pull()
    found = seen(hub)["PRE_NODE"].as_dict()
    assert found["last_success_at"].endswith("+00:00")
    assert found["signs"] == list(seen(hub)["PRE_NODE"].signs)


def test_a_source_that_posts_is_late_when_a_whole_span_passed_without_a_post(tmp_path: Path) -> None:
    poster = Poster(tmp_path / "sources", schedule="0 20 * * *")
    (source,) = load_sources([poster.folder])
    morning = datetime(2026, 3, 10, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert due_at(source, morning) == datetime(2026, 3, 8, 20, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    facts = {
        "silent": False, "complete_through": None, "usual_volume": 100.0, "volume": 0, "error_rate": None, "held": 0,
        "receipts_owed": 0, "envelope_missing": None,
    }  # fmt: skip
    said = {
        days: _signs(source, {**facts, "last_success_at": morning - timedelta(days=days)}, morning) for days in (1, 3)
    }
    assert said == {1: [], 3: ["late"]}
