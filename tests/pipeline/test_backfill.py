"""A back-fill reads by business date: idempotent, and the live cursor stays where it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from typer.testing import CliRunner

from connectors.seam import Window
from hub.cli import build
from hub.errors import StopSource
from pipeline.afterwards.rebuild import rebuild
from pipeline.runtime import Runtime
from sharedrepo.telling import digest
from tests.departments import Department
from tests.journeys.conftest import Hub

ZONE = ZoneInfo("Asia/Shanghai")
MARCH = Window(datetime(2026, 3, 1, tzinfo=ZONE), datetime(2026, 4, 1, tzinfo=ZONE))
STATE = "SELECT name, state, complete_through, last_success_at FROM ledger.stream ORDER BY name"


@pytest.fixture
def forward(department: Department) -> Department:
    """A department whose cursor never looks back."""
    department.declare(each={"cursor": {"field": "CREATE_TIME", "lookback": "PT0S"}})
    department.case("C1")
    department.case("C2")
    return department


def late(department: Department) -> None:
    """Commit a row with an older time than the cursor has reached."""
    department.put("PRE_NODE", UNID="late", PROJID="C1", CREATE_TIME="2026-03-03 07:00:00")


def test_what_the_cursor_has_passed_is_fetched_and_the_cursor_stays(hub: Hub, forward: Department) -> None:
    hub.pull()
    late(forward)
    assert hub.pull()["PRE_NODE"]["new"] == 0
    before = hub.rows(STATE)
    assert hub.pull(window=MARCH)["PRE_NODE"]["new"] == 1
    again = hub.pull(window=MARCH)
    assert {one["new"] + one["updated"] for one in again.values()} == {0}
    assert again["PRE_NODE"]["unchanged"] == 9
    assert hub.rows(STATE) == before


def test_only_the_window_is_read(hub: Hub, forward: Department) -> None:
    day = Window(datetime(2026, 3, 3, tzinfo=ZONE), datetime(2026, 3, 4, tzinfo=ZONE))
    forward.put("PRE_NODE", UNID="edge", PROJID="C1", CREATE_TIME="2026-03-04 00:00:00")
    told = hub.pull(window=day)
    assert told["PRE_NODE"]["read"] == 2  # UNDERTAKE of both cases; midnight of the 4th is not of the 3rd
    assert hub.one("SELECT state FROM ledger.stream WHERE name = 'PRE_NODE'") == {}


def test_another_column_may_be_the_business_date(hub: Hub, forward: Department) -> None:
    file = forward.folder / "source.yml"
    body: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    body["streams"]["PRE_NODE"]["options"]["business_date"] = "START_TIME"
    file.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    forward.put("PRE_NODE", UNID="old", PROJID="C1", START_TIME="2025-12-31 23:59:59")
    year = Window(datetime(2025, 1, 1, tzinfo=ZONE), datetime(2026, 1, 1, tzinfo=ZONE))
    assert hub.pull(window=year)["PRE_NODE"]["read"] == 1


def test_texts_that_are_no_dates_are_refused(hub: Hub, forward: Department) -> None:
    forward.put("PRE_NODE", UNID="odd", PROJID="C1", CREATE_TIME="昨天")
    with pytest.raises(StopSource, match="no date of the form 2026-01-05"):
        hub.pull(window=MARCH)


def test_a_rebuild_after_a_backfill_is_equal(hub: Hub, forward: Department, empty_runtime: Runtime) -> None:
    hub.pull()
    late(forward)
    hub.pull(window=MARCH)
    rebuild(empty_runtime)
    assert digest.digest(empty_runtime.engine) == digest.digest(hub.runtime.engine)


def test_the_command_wants_both_ends_in_order(monkeypatch: pytest.MonkeyPatch, hub: Hub, forward: Department) -> None:
    monkeypatch.setenv("HUB_SOURCES", str(forward.folder.parent))
    for words in (["--since", "2026-03-01"], ["--since", "2026-03-02", "--until", "2026-03-01"]):
        ended = CliRunner().invoke(build(["pull"]), ["pull", forward.code, *words])
        assert ended.exit_code == 2, ended.output
