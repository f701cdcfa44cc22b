from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from demo.casework import build
from demo.defects import cast
from demo.model import KINDS
from demo.roles import WISHES, Role
from hub.findings import RULES
from tests.demo.checker import case_faults, record_faults
from tests.demo.fakes import Fake, fake_shapes

DAY = date(2026, 3, 18)
OF_CASES = [kind.code for kind in KINDS.values() if kind.level not in {"unit", "set"}]
OF_SETS = [kind.code for kind in KINDS.values() if kind.level == "set"]
OF_UNITS = [kind.code for kind in KINDS.values() if kind.level == "unit"]


def given(seed, cases, shapes=None):
    return Counter(defect.kind for defect in build(seed, cases, DAY, shapes or fake_shapes()).defects())


def test_there_are_more_than_twenty_kinds_and_each_names_a_rule_of_the_register():
    assert len(KINDS) >= 20
    assert {kind.rule for kind in KINDS.values()} <= RULES.keys()
    assert len({kind.rule for kind in KINDS.values()}) >= 30


def test_every_role_that_asks_for_something_is_a_kind_or_a_change():
    changes = {"late_child", "late_open", "open_correct", "first"}
    assert WISHES.keys() <= KINDS.keys() | changes
    assert Role("nothing in particular").wish.kind == "promised"


def test_at_the_default_size_every_kind_is_there():
    assert given(1, 5_000).keys() == KINDS.keys()


@pytest.mark.parametrize("seed", range(6))
def test_at_a_tiny_size_too_each_kind_is_there_once(seed):
    found = given(seed, 300)
    assert found.keys() >= {*OF_CASES, *OF_UNITS}, "habits need departments with cases enough to show them"
    assert max(found.values()) == 1


def test_when_there_are_too_few_cases_as_many_kinds_as_fit_are_there():
    found = given(1, 20)
    assert 0 < sum(found[kind] for kind in OF_CASES) <= 20
    assert max(found.values()) == 1


def test_the_number_of_defects_grows_with_the_size_and_stays_near_one_in_seventy():
    small, large = given(1, 5_000), given(1, 50_000)
    for kind in OF_CASES:
        assert small[kind] == 2
        assert large[kind] == 20
    assert {large[kind] for kind in OF_UNITS} == {1}


def test_a_kind_goes_only_to_shapes_that_carry_it():
    shapes = fake_shapes(frozenset())
    shapes["rest"] = Fake("rest", carries=frozenset({"phone_bad", "field_added"}))
    work = build(1, 5_000, DAY, shapes)
    rest = {department.code for department in work.province.departments if department.shape == "rest"}
    defects = list(work.defects())
    assert {defect.kind for defect in defects} == {"phone_bad", "field_added"}
    assert {defect.department for defect in defects} <= rest


def test_a_department_without_review_is_never_blamed_for_leaving_it_out():
    work = build(1, 20_000, DAY, fake_shapes())
    reviewed = {department.code: department.has_review for department in work.province.departments}
    blamed = [defect.department for defect in work.defects() if defect.kind == "approve_without_review"]
    assert blamed
    assert all(reviewed[code] for code in blamed)


@pytest.mark.parametrize("seed", range(8))
def test_the_silent_department_has_nothing_to_send_again(seed):
    work = build(seed, 1_000, DAY, fake_shapes())
    (silent,) = work.cast.silent
    assert [plan.kind for plan in work.plans(silent, 2)] == ["silent_feed"]
    assert list(work.changes(silent)) == []
    resent = [defect.department for defect in work.defects() if KINDS[defect.kind].level == "resend"]
    assert silent not in resent


def test_what_is_mended_on_day_two_is_planned_on_both_days():
    work = build(1, 1_000, DAY, fake_shapes())
    days = {
        day: {plan.kind for department in work.province.departments for plan in work.plans(department.code, day)}
        for day in (1, 2)
    }
    assert days[1] & days[2] == {"truncated_file", "batch_checksum"}
    assert days[2] == {"truncated_file", "batch_checksum", "silent_feed", "field_added", "field_removed"}


def test_each_case_carries_at_most_one_defect_and_exactly_its_rule():
    work = build(4, 5_000, DAY, fake_shapes())
    defects = {defect.case: defect for defect in work.defects() if defect.case}
    assert len(defects) == sum(defect.kind in OF_CASES for defect in work.defects())
    seen = Counter()
    for department in work.province.departments:
        for case in work.cases(department.code) if department.cases else ():
            defect = defects.get(case.number)
            if defect is None:
                continue
            kind = KINDS[defect.kind]
            seen[kind.code] += 1
            procedure = case_faults(case, has_review=department.has_review)
            values = record_faults(case, work.province.cut2)
            if kind.level == "element":
                assert values == {kind.rule}, kind
                assert procedure == set(), kind
            elif kind.level == "case":
                assert values == set(), kind
                assert procedure == {kind.rule}, kind
            else:
                assert not values | procedure
    assert seen.keys() == set(OF_CASES)


def test_faults_of_elements_stand_on_the_element_that_is_wrong():
    work = build(4, 5_000, DAY, fake_shapes())
    wrong = {defect.case: defect.kind for defect in work.defects() if defect.case}
    for department in work.province.departments:
        for case in work.cases(department.code) if department.cases else ():
            kind = wrong.get(case.number)
            faulty = {
                "applicant": case.applicant.faults,
                "case": case.faults,
                "events": tuple(fault for event in case.events for fault in event.faults),
                "certificates": tuple(fault for one in case.certificates for fault in one.faults),
            }
            bearers = [name for name, faults in faulty.items() if faults]
            if kind in KINDS and KINDS[kind].level == "element":
                assert len(bearers) == 1
                assert set(faulty[bearers[0]]) == {KINDS[kind].rule}
            else:
                assert bearers == []


def test_an_older_version_comes_after_a_newer_one():
    work = build(1, 5_000, DAY, fake_shapes())
    found = 0
    for department in work.province.departments:
        for change in work.changes(department.code) if department.cases else ():
            if change.kind == "resend_older":
                before, after = change.before.event("undertake"), change.after.event("undertake")
                assert (before.version, after.version) == (2, 1)
                assert change.after.revision < change.before.revision
                assert change.defect.kind == "older_version"
                found += 1
            if change.kind == "resend_changed":
                before, after = change.before.event("undertake"), change.after.event("undertake")
                assert before.version == after.version
                assert before.opinion != after.opinion
                assert change.after.revision == change.before.revision
                found += 1
    assert found == 4


def test_the_cast_depends_on_the_seed_alone():
    work = build(3, 2_000, DAY, fake_shapes())
    province, shapes = work.province, work.shapes
    assert cast(3, 2_000, province.departments, shapes, province.items) == work.cast
    assert cast(4, 2_000, province.departments, shapes, province.items) != work.cast
    shuffled = [replace(department) for department in province.departments]
    assert cast(3, 2_000, shuffled, shapes, province.items) == work.cast
