"""The firm that departments rely on: it is in the province, the truth knows it, and nothing else is about it."""

from __future__ import annotations

from datetime import date

import pytest

from demo.casework import Casework, build
from demo.shapes.registry import SHAPES

DAY = date(2026, 3, 18)


@pytest.fixture(scope="module")
def work() -> Casework:
    return build(7, 600, DAY, SHAPES)


def test_at_least_thirty_items_need_another_departments_grant(work: Casework) -> None:
    departments = {item.base_code: item.department for item in work.province.items}
    needing = [
        item for item in work.province.items
        if {departments[code] for group in item.prerequisites for code in group} - {item.department}
    ]  # fmt: skip
    assert len(needing) >= 30
    assert len({item.department for item in needing}) > 20


def test_the_truth_knows_three_checks_of_one_firm(work: Casework) -> None:
    met, expired, revoked = work.checks()
    assert [one["what"] for one in (met, expired, revoked)] == ["met", "expired", "revoked"]
    assert len({one["holder_number"] for one in (met, expired, revoked)}) == 1
    assert (met["outcome"], expired["outcome"]) == ("met", "not_valid")
    assert (revoked["outcome"], revoked["later"], revoked["status"]) == ("match", "not_valid", "revoked")
    assert expired["valid_to"] < DAY.isoformat()
    assert build(7, 600, DAY, SHAPES).checks() == [met, expired, revoked], "the same arguments tell the same story"


def test_the_firm_applies_to_the_asker_and_to_the_giver_only(work: Casework) -> None:
    met, *_ = work.checks()
    chosen = work.cast.relied
    assert chosen is not None
    told = {
        department.code: [
            case for case in work.cases(department.code) if case.applicant.number == met["holder_number"]
        ]
        for department in work.province.senders
    }  # fmt: skip
    assert {code: len(cases) for code, cases in told.items() if cases} == {chosen.asker: 1, chosen.giver: 3}
    (own,) = told[chosen.asker]
    assert (own.number, own.item.implementation_code) == (met["case"], met["item"])
    needs = {code for group in own.item.prerequisites for code in group}
    assert needs == {case.item.base_code for case in told[chosen.giver]} == {met["needs"]}


def test_one_licence_ran_out_and_one_is_revoked_on_the_second_day(work: Casework) -> None:
    _, expired, revoked = work.checks()
    chosen = work.cast.relied
    assert chosen is not None
    first = {made.number: made for case in work.cases(chosen.giver) for made in case.certificates}
    assert [one.status for one in first[revoked["number"]].statuses] == ["valid"]
    assert first[expired["number"]].valid_to is not None
    changed = {
        made.number: made for change in work.changes(chosen.giver) if change.after is not None
        for made in change.after.certificates
    }  # fmt: skip
    assert [one.status for one in changed[revoked["number"]].statuses] == ["valid", "revoked"]
    assert expired["number"] not in changed


def test_a_province_too_small_for_the_story_tells_none() -> None:
    assert build(1, 20, DAY, SHAPES).checks() == []
