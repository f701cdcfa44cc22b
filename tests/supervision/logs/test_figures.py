"""Trends and load: every figure by heart, every rate with its two counts and its words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime import Runtime
from supervision.appraisal import counting, freezing
from supervision.areas import prefix_of
from supervision.clock.service import recount
from supervision.logs.figures import ADDED, SHOWN, figures
from supervision.logs.load import Load, load
from supervision.logs.rates import Rate
from supervision.logs.scope import BadScope
from supervision.logs.trends import Month, trends
from supervision.pages import tables
from tests.supervision.logs.conftest import ITEM, ORGAN, OTHER
from tests.supervision.world import World


def months(runtime: Runtime, first: str = "2026-02", last: str = "2026-04", **how: str) -> list[Month]:
    with runtime.engine.begin() as connection:
        since, until = (date.fromisoformat(f"{one}-15") for one in (first, last))
        return trends(connection, since=since, until=until, **how)


def rates(month: Month) -> dict[str, tuple[int, int]]:
    return {one.code: (one.numerator, one.denominator) for one in month.rates}


def test_a_month_counts_what_was_applied_accepted_and_closed_in_it(province: World, runtime: Runtime) -> None:
    before, march, april = months(runtime)
    assert set(before.volumes.values()) == {0}
    assert (march.volumes["received"], march.volumes["accepted"], march.volumes["closed"]) == (6, 6, 4)
    assert (april.volumes["accepted"], april.volumes["closed"]) == (1, 0)
    found = rates(march)
    assert found["completion_a"] == (4, 6)
    assert found["early_a"] == (4, 4)
    assert found["on_time_a"] == (4, 4)
    # Legal 20, promised 10 working days each, six cases accepted: 120 - 60 of 120.
    assert found["promise_cut_a"] == (60, 120)


def test_used_time_gives_the_speed_up(province: World, runtime: Runtime) -> None:
    with runtime.engine.connect() as connection:
        used = connection.scalar(sa.text("SELECT sum(used_days) FROM supervision.clock WHERE closed_at IS NOT NULL"))
    march = months(runtime)[1]
    assert rates(march)["speed_up_a"] == (80 - used, 80)
    assert rates(march)["speed_up_b"] == (40 - used, 40)


def test_trends_are_of_a_department_a_region_or_an_item(province: World, runtime: Runtime) -> None:
    assert months(runtime, organ=OTHER)[1].volumes["accepted"] == 0
    assert months(runtime, organ=OTHER)[2].volumes["accepted"] == 1
    assert months(runtime, region="330000")[1].volumes["accepted"] == 6
    assert months(runtime, region="340000")[1].volumes["accepted"] == 0
    assert months(runtime, item=ITEM)[1].volumes["accepted"] == 6


def test_a_case_without_a_clock_is_in_no_rate_that_needs_one(province: World, runtime: Runtime) -> None:
    province.case("X1", item=None, closed="2026-03-10 10:00")
    with runtime.engine.begin() as connection:
        recount(connection)
    march = months(runtime)[1]
    assert (march.volumes["closed"], march.volumes["closed_without_verdict"]) == (5, 1)
    assert rates(march)["overdue_a"] == (0, 4)
    assert rates(march)["early_a"] == (4, 5), "all that were closed, as the appraisal's definition A has it"


@pytest.mark.parametrize(("first", "last"), [("2026-02", "2026-01"), ("1990-01", "2026-01")])
def test_months_in_the_wrong_order_or_too_many_are_refused(runtime: Runtime, first: str, last: str) -> None:
    with pytest.raises(BadScope, match="no period"):
        months(runtime, first, last)


def test_every_rate_says_in_both_languages_what_it_is(province: World, runtime: Runtime) -> None:
    said = {one.code: one.as_values() for one in months(runtime)[1].rates}
    assert {*SHOWN, *tables.SHOWN} <= said.keys()
    assert {*said} & {"satisfied_a", "complete_data_a", "items_covered_a"} == set(), "what trends do not measure"
    for one in said.values():
        assert all(one[name] for name in ("zh", "en", "formula_zh", "formula_en", "cohort_zh", "cohort_en")), one


def test_trends_count_a_month_as_its_frozen_inputs_do(province: World, runtime: Runtime) -> None:
    province.case("L1", applied="2026-02-02 09:00", accepted="2026-02-02 10:00", closed="2026-03-20 10:00")
    province.case("L2", applied="2026-02-02 09:00", accepted="2026-02-02 10:00")
    province.case("L3", applied="2026-02-02 09:00", accepted="2026-02-02 10:00", closed="2026-04-20 10:00")
    province.case("I1", applied="2026-03-03 09:00", accepted="2026-03-03 09:00", closed="2026-03-03 16:00",
                  kind="immediate")  # fmt: skip
    province.case("P1", pauses=[("2026-03-04 10:00", "2026-03-10 10:00")], closed="2026-03-18 10:00")
    province.case("X9", item=None, closed="2026-03-10 10:00")
    with runtime.engine.begin() as connection:
        recount(connection)
    frozen = freezing.freeze(runtime.engine, "2026-03", actor="a", now=datetime(2026, 5, 2, tzinfo=UTC))
    units = counting.counted(freezing.opened(runtime.engine, frozen))
    march = months(runtime, "2026-03", "2026-03")[0].measures
    assert march["open_overdue"] == 3, "U1, L2, and L3, which was closed later"
    assert march["closed_late"] == 1
    for name in sorted(set(march) - {"suspended"}):
        whole = sum(measures[name] for (level, _), measures in units.items() if level == "department")
        assert march[name] == whole, name


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_rate_is_rounded_from_exact_counts_and_never_divides_by_nothing(part: int, whole: int) -> None:
    percent = Rate("overdue_a", part, whole).percent
    if whole == 0:
        assert percent is None
    else:
        assert percent is not None
        assert abs(percent * whole - 100 * part) <= Decimal("0.005") * whole


def loads(runtime: Runtime, **how: object) -> list[Load]:
    with runtime.engine.begin() as connection:
        given = {"since": date(2026, 3, 1), "until": date(2026, 3, 31), **how}
        return load(connection, runtime.protector, **given)  # type: ignore[arg-type]  # as the tests say them


def test_each_handlers_rounds_are_counted_once_with_what_lies_open(province: World, runtime: Runtime) -> None:
    found = {one.name: one for one in loads(runtime, organ=ORGAN)}
    undertaking = found["王**"]
    # Three straight ones, two rounds of the one that was sent back; one under way.
    assert (undertaking.finished, undertaking.open) == (5, 1)
    assert undertaking.early + undertaking.on_time + undertaking.late == 5
    assert undertaking.time_used.denominator == 15
    assert undertaking.who is not None
    assert undertaking.who.startswith("h-")
    assert "王小明" not in str(loads(runtime))


def test_posts_are_counted_by_stage(province: World, runtime: Runtime) -> None:
    found = {one.stage: one for one in loads(runtime, by="post", organ=ORGAN)}
    assert (found["review"].name, found["review"].finished, found["review"].who) == ("窗口", 5, None)


def test_only_what_was_finished_in_the_days_counts(province: World, runtime: Runtime) -> None:
    found = {one.name: one for one in loads(runtime, until=date(2026, 3, 4), organ=ORGAN)}
    assert found["王**"].finished == 4
    assert {one.organ for one in loads(runtime, organ=OTHER, until=date(2026, 4, 30))} == {OTHER}


def test_the_rates_of_a_period_are_those_of_its_added_counts(province: World, runtime: Runtime) -> None:
    with runtime.engine.connect() as connection:
        found = figures(connection, since=date(2026, 2, 1), until=date(2026, 4, 1))
    per_month = months(runtime)
    assert found.volumes == {name: sum(one.volumes[name] for one in per_month) for name in ADDED}
    counts = {one.code: (one.numerator, one.denominator) for one in found.rates}
    assert counts["completion_a"] == (4, 7)
    assert counts["early_a"] == (4, 4)
    assert list(counts) == list(SHOWN)


def test_the_open_cases_of_a_period_are_counted_by_how_they_stand_now(province: World, runtime: Runtime) -> None:
    with runtime.engine.connect() as connection:
        found = figures(connection, since=date(2026, 2, 1), until=date(2026, 4, 1))
        others = figures(connection, since=date(2026, 2, 1), until=date(2026, 4, 1), organ=OTHER)
        nobody = figures(connection, since=date(2026, 2, 1), until=date(2026, 4, 1), region="340000")
    assert sum(found.open.values()) == 3
    assert sum(others.open.values()) == 1
    assert nobody.open == {}


@pytest.mark.parametrize(
    ("region", "prefix"), [("330000", "33"), ("330100", "3301"), ("331000", "3310"), ("330110", "330110")]
)
def test_a_region_is_itself_and_all_below_it_and_no_neighbour_of_a_like_code(region: str, prefix: str) -> None:
    assert prefix_of(region) == prefix
