"""Coverage of departments, items and processes: what counts, and that everything which does not is named."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from sharedrepo.telling.coverage import Coverage, Scope, coverage
from tests.departments import ITEM, ORGAN, Department
from tests.journeys.conftest import Hub

ELSEWHERE = "11330100002482285K"
OLD = "11330000009999999X"
OTHER = ITEM[:-3] + "001"
DAY = date(2026, 4, 1)
numbers = iter(range(-1, -1_000_000, -1))


def put(hub: Hub, table: str, **columns: Any) -> None:
    """Write one row of a register, as a source of registers would have."""
    row = {"record_id": next(numbers), "part": 0, "batch_id": 0, "content_hash": b"", **columns}
    names = ", ".join(row)
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO core.{table} ({names}) VALUES ({', '.join(f'%({one})s' for one in row)})", row
        )


def organ(hub: Hub, code: str, region: str = "330000", **over: Any) -> None:
    put(hub, "organ", **{"code": code, "name": f"organ {code}", "region": region, "valid_from": "2020-01-01", **over})


def item(hub: Hub, code: str, **over: Any) -> None:
    said = {"version": 1, "organ": ORGAN, "status": "in_force", "effective_from": "2020-01-01", "item_kind": "promised"}
    put(hub, "item_version", implementation_code=code, name=f"item {code}", base_code=code[-13:], **{**said, **over})


def seen(hub: Hub, **scope: Any) -> Coverage:
    return coverage(hub.runtime.engine, Scope(**{"day": DAY, **scope}))


@pytest.fixture
def province(hub: Hub, department: Department) -> Hub:
    """One department with two items, of which cases name one; two closed cases, one without its review."""
    organ(hub, ORGAN)
    item(hub, ITEM)
    item(hub, OTHER)
    department.case("C1")
    department.case("C2")
    department.clear("PRE_NODE", UNID="C2-3")
    return hub


def test_a_department_is_covered_when_a_case_names_it(province: Hub) -> None:
    before = seen(province).organs
    assert (before.covered, before.of) == (0, 1)
    assert before.missing == ({"organ": ORGAN, "name": f"organ {ORGAN}", "items": 2, "decisions": 0},)
    province.pull()
    after = seen(province).organs
    assert (after.covered, after.of, after.missing) == (1, 1, ())
    assert after.as_dict()["share"] == 1.0


def test_an_organ_without_items_is_shown_and_not_counted(province: Hub) -> None:
    organ(province, ELSEWHERE, region="330100")
    province.pull()
    found = seen(province).organs.as_dict()
    assert (found["covered"], found["of"]) == (1, 1)
    assert found["without_items"] == [{"organ": ELSEWHERE, "name": f"organ {ELSEWHERE}", "cases": 0}]


def test_an_organ_is_covered_by_those_who_carry_out_its_items(province: Hub, department: Department) -> None:
    """As in a vertical system: the bureaus of the cities decide, the items are the province's department's."""
    organ(province, ELSEWHERE, region="330100")
    item(province, "V" + ITEM, organ=OLD)
    organ(province, OLD)
    department.case("C3", SERVICECODE="V" + ITEM, SS_ORGCODE=ELSEWHERE, DEPTID=ELSEWHERE)
    province.pull()
    found = seen(province).organs.as_dict()
    assert (found["covered"], found["of"]) == (2, 2)
    assert [(one["organ"], one["cases"]) for one in found["without_items"]] == [(ELSEWHERE, 1)]


def test_one_organ_alone_is_counted_as_among_all(province: Hub, department: Department) -> None:
    organ(province, ELSEWHERE, region="330100")
    item(province, "V" + ITEM, organ=ELSEWHERE)
    department.case("C3", SERVICECODE="V" + ITEM, SS_ORGCODE=ELSEWHERE, DEPTID=ELSEWHERE)
    department.clear("PRE_NODE", UNID="C3-2")
    province.pull()
    whole, mine, theirs = seen(province), seen(province, organ=ORGAN), seen(province, organ=ELSEWHERE)
    for figure in ("organs", "items", "processes"):
        counts = [(getattr(one, figure).covered, getattr(one, figure).of) for one in (whole, mine, theirs)]
        assert counts[0] == tuple(a + b for a, b in zip(counts[1], counts[2], strict=True)), figure
    assert (mine.items.covered, mine.items.of) == (1, 2)
    assert {one["organ"] for one in theirs.processes.missing} == {ELSEWHERE}
    assert {one["organ"] for one in mine.processes.missing} == {ORGAN}
    nobody = seen(province, organ=OLD)
    assert (nobody.organs.of, nobody.items.of, nobody.processes.of) == (0, 0, 0)


def test_an_organ_that_no_register_knows_is_named_with_its_cases(province: Hub, department: Department) -> None:
    department.case("C3", SS_ORGCODE=ELSEWHERE)
    province.pull()
    assert seen(province).organs.as_dict()["not_in_register"] == [{"organ": ELSEWHERE, "cases": 1}]


def test_what_was_abolished_by_that_day_need_not_be_covered(province: Hub) -> None:
    organ(province, OLD, cancelled_on="2026-03-31")
    item(province, OTHER, version=2, status="abolished")
    province.pull()
    found = seen(province)
    assert (found.organs.of, found.items.of) == (1, 1)
    early = seen(province, day=date(2026, 3, 30)).organs.as_dict()
    assert [one["organ"] for one in early["without_items"]] == [OLD]


def test_items_that_no_case_names_are_listed(province: Hub) -> None:
    province.pull()
    found = seen(province).items
    assert (found.covered, found.of) == (1, 2)
    assert found.missing == ({"organ": ORGAN, "item": OTHER, "name": f"item {OTHER}"},)


def test_a_base_code_means_its_organs_one_implementation_and_is_never_guessed(
    province: Hub, department: Department
) -> None:
    department.change("PRE_APASINFO", {"PROJID": "C1"}, SERVICECODE=ITEM[-13:])
    department.change("PRE_APASINFO", {"PROJID": "C2"}, SERVICECODE=ITEM[-13:])
    province.pull()
    assert seen(province).items.covered == 1
    item(province, "another" + ITEM[-13:])
    found = seen(province).items.as_dict()
    assert found["covered"] == 0, "two implementations of one base code: which one is not said"
    [without] = found["cases_without_item"]
    assert (without["cases"], without["unknown_codes"]) == (2, [ITEM[-13:]])


def test_cases_without_an_item_are_counted_by_organ(province: Hub, department: Department) -> None:
    department.case("C3", SERVICECODE=None)
    department.case("C4", SERVICECODE="11330000002482285J2330117099000")
    province.pull()
    assert seen(province).items.as_dict()["cases_without_item"] == [
        {"organ": ORGAN, "cases": 2, "without_code": 1, "unknown_codes": ["11330000002482285J2330117099000"]}
    ]


def test_a_process_is_covered_when_its_five_stages_have_come(province: Hub, department: Department) -> None:
    department.case("C3")
    department.clear("PRE_TRANSACT", PROJID="C3")
    province.pull()
    found = seen(province).processes
    assert (found.covered, found.of, found.beside["still_open"]) == (1, 2, 1)
    assert found.missing == (
        {"organ": ORGAN, "name": f"organ {ORGAN}", "stage": "review", "cases": 1, "of": 2},
    )  # fmt: skip


def test_cases_decided_at_once_have_no_five_stages_to_bring(province: Hub, department: Department) -> None:
    department.change("PRE_APASINFO", {"PROJID": "C2"}, INFOTYPE="1")
    province.pull()
    found = seen(province).processes
    assert (found.covered, found.of, found.missing) == (1, 1, ())


def test_a_period_takes_the_cases_that_were_applied_for_in_it(province: Hub) -> None:
    province.pull()
    march, april = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    assert seen(province, since=march, until=april).processes.of == 2
    later = seen(province, since=april)
    assert (later.organs.covered, later.items.covered, later.processes.of) == (0, 0, 0)
    assert later.processes.as_dict()["share"] is None, "of nothing, no share"


def test_a_region_takes_what_lies_in_and_below_it(province: Hub, department: Department) -> None:
    organ(province, ELSEWHERE, region="330102")
    item(province, "K" + OTHER, organ=ELSEWHERE)
    department.case("C3", SS_ORGCODE=ELSEWHERE, DEPTID=ELSEWHERE)
    province.pull()
    assert seen(province, region="330000").organs.of == 2
    city = seen(province, region="330100")
    assert (city.organs.covered, city.organs.of, city.items.of, city.processes.of) == (1, 1, 1, 1)
    assert seen(province, region="320000").organs.of == 0
