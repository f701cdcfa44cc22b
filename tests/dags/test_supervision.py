"""The supervision DAGs: what starts each, and what becomes of a recount that differs."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from dags import supervisor
from hub.errors import InternalError
from hub.settings import Settings
from pipeline.runtime import Runtime
from quality.issues import service as issues
from tests.dags.conftest import SOURCES
from tests.supervision.appraisal.test_monthly import GRACE
from tests.supervision.world import World

View = dict[str, Any]


def test_deliveries_start_supervision_and_the_clock_starts_recount_and_freeze(small: View) -> None:
    dags = small["dags"]
    assert dags["hub_supervision"]["schedule"] == "AssetOrTimeSchedule"
    assert '"hub://source/labour"' in small["serialized"]["hub_supervision"]
    for name, cron in (("hub_recount", "30 1 * * *"), ("hub_freeze", "30 6 * * *")):
        assert (dags[name]["schedule"], dags[name]["cron"]) == ("CronTriggerTimetable", cron)
        assert (dags[name]["zone"], dags[name]["max_active_runs"]) == ("Asia/Shanghai", 1)


def test_where_nothing_is_to_run_by_itself_none_of_them_does(view: Any) -> None:

    seen = view(SOURCES, HUB_SCHEDULES="off")["dags"]
    assert {seen[name]["schedule"] for name in ("hub_supervision", "hub_recount", "hub_freeze")} == {"NullTimetable"}


def test_a_recount_that_differs_fails_its_run_and_leaves_an_issue(
    runtime: Runtime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(runtime.engine)
    world.item()
    world.case()
    monkeypatch.setattr(supervisor, "_opened", lambda: (runtime.engine, runtime.protector))
    assert supervisor.recount()["differing"] == 0
    with runtime.engine.begin() as connection:
        connection.execute(sa.text("UPDATE supervision.clock SET paused_days = 99"))
    with pytest.raises(InternalError, match="clocks of 1 cases"):
        supervisor.recount()
    issues.refresh(runtime.engine, GRACE)
    assert [one.rule for one in issues.listed(runtime.engine, rule="recount_differs")] == ["recount_differs"]
    assert supervisor.recount()["differing"] == 0
