"""From a department's system to the ranking: pulled, clocked by the real clock, frozen, ranked, recomputed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from supervision.appraisal import editions, freezing, inputs, ranking, service
from supervision.clock.service import recount
from tests.catalog.items import content, published
from tests.departments import ITEM, ORGAN, Department
from tests.journeys.conftest import Hub, department, hub
from tests.supervision.appraisal.making import unit

__all__ = ["department", "hub"]


def test_cases_of_a_department_are_clocked_frozen_ranked_and_recomputed(
    hub: Hub, department: Department, tmp_path: Path
) -> None:
    published(hub.runtime.engine, ITEM, content=content())
    for number in range(6):
        department.case(f"C{number}")
    department.change("PRE_TRANSACT", {"PROJID": "C5"}, TRANSACT_TIME="2026-03-25 10:00:00",
                      RESULTS_TIME="2026-03-25 10:00:00")  # fmt: skip
    hub.pull()
    with hub.runtime.engine.begin() as connection:
        recount(connection)
        connection.execute(sa.text("UPDATE ledger.stream SET complete_through = '2026-04-01 00:00+08'"))
    frozen = freezing.freeze(hub.runtime.engine, "2026-03", actor="a", now=datetime(2026, 4, 2, tzinfo=UTC))
    found = unit(editions.ranked(hub.runtime.engine, "2026-03"), ORGAN)
    assert (found["name"], found["rank"], found["score"]) == ("测试部门", 1, "101.70"), "(100 + 8 + 5) × 0.90"
    rates = {one["rate"] + one["definition"]: one["value"] for one in found["rates"]}
    assert (rates["earlyA"], rates["on_timeA"], rates["speed_upA"], rates["speed_upB"]) == (
        "0.8333", "0.8333", "0.65", "0.3",
    ), "5 of 6 early; 5 × 5 and 17 working days used of 6 × 20 and 6 × 10"  # fmt: skip
    rows = service.evidence(hub.runtime.engine, "2026-03", ("department", ORGAN), "closed")
    assert {row["verdict"] for row in rows if row["case_number"] == "C5"} == {"late"}
    assert sorted(row["case_number"] for row in rows) == [f"C{number}" for number in range(6)]
    freezing.export(hub.runtime.engine, frozen, tmp_path / "out")
    there = ranking.ranked(inputs.from_folder(tmp_path / "out", "2026-03"))
    assert inputs.canonical(there) == inputs.canonical(editions.ranked(hub.runtime.engine, "2026-03"))
