from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.casework import build, seen_by
from demo.judge import Eyes, broken_rules
from demo.model import KINDS
from demo.worktime import works
from tests.demo.checker import case_faults, record_faults, unlikely
from tests.demo.fakes import fake_shapes

DAY = date(2026, 3, 18)
CLEAN = fake_shapes(frozenset())


def cases_of(work):
    for department in work.province.departments:
        if department.cases:
            for case in work.cases(department.code):
                yield department, case


def assert_clean(work, department, case, cut):
    now = work.province.cut2
    assert record_faults(case, now) == set(), case
    assert case_faults(case, has_review=department.has_review) == set(), case
    assert unlikely(case, work.province, cut) == [], case
    assert not case.faults


@pytest.fixture(scope="module")
def year():
    work = build(1, 3_000, DAY, CLEAN)
    return work, list(cases_of(work))


def test_equal_arguments_build_equal_provinces():
    first, again = (build(5, 300, DAY, fake_shapes()) for _ in range(2))
    assert first.province == again.province
    assert [case for _, case in cases_of(first)] == [case for _, case in cases_of(again)]
    for department in first.province.departments:
        assert list(first.changes(department.code)) == list(again.changes(department.code))
        assert first.plans(department.code, 1) == again.plans(department.code, 1)
    assert list(first.defects()) == list(again.defects())


def test_another_seed_builds_another_province():
    one, other = (list(islice(cases_of(build(seed, 300, DAY, CLEAN)), 20)) for seed in (1, 2))
    assert all(a.applicant != b.applicant for (_, a), (_, b) in zip(one, other, strict=True))


def test_about_99_in_100_cases_are_closed_and_87_in_100_early(year):
    _, cases = year
    assert 0.985 <= sum(case.closed for _, case in cases) / len(cases) <= 0.998
    timed = [case for _, case in cases if case.decisions and case.acceptance and case.acceptance.due]
    early = [case for case in timed if case.decisions[0].decided.date() < case.acceptance.due.date()]
    overdue = [case for case in timed if case.decisions[0].decided > case.acceptance.due]
    assert 0.855 <= len(early) / len(timed) <= 0.895
    assert 0 < len(overdue) / len(timed) < 0.03


def test_no_clean_case_breaks_a_rule(year):
    work, cases = year
    for department, case in cases:
        assert_clean(work, department, case, work.province.cut)


def test_the_year_holds_everything_that_happens_to_cases(year):
    _, found = year
    cases = [case for _, case in found]
    assert {case.kind for case in cases} == {"immediate", "promised"}
    assert {case.channel for case in cases} == {"window", "online", "mobile", "post"}
    assert {case.acceptance.outcome for case in cases if case.acceptance} == {"accepted", "not_accepted"}
    assert {one.outcome for case in cases for one in case.decisions} == {
        "granted", "refused", "returned", "withdrawn", "completed",
    }  # fmt: skip
    assert {event.stage for case in cases for event in case.events} == {
        "accept", "undertake", "review", "approve", "complete",
    }  # fmt: skip
    for group in (
        "suspensions",
        "supplements",
        "materials",
        "fees",
        "deliveries",
        "certificates",
        "links",
        "identifiers",
    ):
        assert any(getattr(case, group) for case in cases), group
    assert any(len(one.statuses) > 1 for case in cases for one in case.certificates)
    assert any(case.agent for case in cases)
    assert {party.kind for case in cases for party in case.parties} >= {"natural", "enterprise", "social"}


def test_offices_work_in_working_hours(year):
    _, cases = year
    for _, case in cases:
        for event in case.events:
            for moment in (event.started, event.finished):
                assert works(moment.date())
                assert 510 <= moment.hour * 60 + moment.minute < 1050


def test_numbers_are_unique_and_in_order_of_application(year):
    _, cases = year
    numbers = [case.number for _, case in cases]
    assert len(set(numbers)) == len(numbers)
    assert {len(number) for number in numbers} == {21}
    ids = [event.id for _, case in cases for event in case.events]
    assert len(set(ids)) == len(ids)
    by_department = {}
    for department, case in cases:
        day = case.applied.date()
        assert by_department.get(department.code, day) <= day
        by_department[department.code] = day


def test_departments_share_applicants(year):
    _, cases = year
    where: dict[str, set[str]] = {}
    for department, case in cases:
        where.setdefault(case.applicant.number, set()).add(department.code)
    assert sum(len(departments) > 1 for departments in where.values()) > 50


def test_documents_and_certificates_have_numbers_of_their_own(year):
    _, cases = year
    numbers = [one.document_number for _, case in cases for one in case.decisions if one.document_number]
    certificates = [one.number for _, case in cases for one in case.certificates]
    assert len(set(numbers)) == len(numbers)
    assert len(set(certificates)) == len(certificates)


def test_day_two_brings_every_kind_of_change_to_every_department_that_speaks():
    work = build(1, 3_000, DAY, fake_shapes())
    kinds = set()
    for department in work.province.departments:
        changes = list(work.changes(department.code)) if department.cases else []
        if department.cases:
            assert bool(changes) != (department.code in work.cast.silent)
        kinds |= {change.kind for change in changes}
    assert kinds == {
        "increment", "progress", "correction", "late", "deletion", "resend_changed", "resend_older",
    }  # fmt: skip


def test_changes_say_what_differs_and_nothing_else():
    work = build(2, 1_500, DAY, fake_shapes())
    for department in work.province.departments:
        if not department.cases:
            continue
        known = {case.number: case for case in work.cases(department.code)}
        for change in work.changes(department.code):
            if change.before is None:
                assert change.after is not None
                assert change.after.number not in known
            else:
                assert change.before == known[change.before.number]
                assert change.after != change.before
            if change.after is not None and not change.kind.startswith("resend") and change.before is not None:
                assert change.after.revision == change.before.revision + 1


def test_the_feed_written_on_day_two_is_newer_than_day_one():
    work = build(2, 1_500, DAY, CLEAN)
    for department, case in cases_of(work):
        assert case.written_at <= work.province.cut
        for change in work.changes(department.code) if case.number.endswith("0000000") else ():
            if change.after is not None and change.kind != "deletion":
                assert work.province.cut < change.after.written_at <= work.province.cut2


def test_cases_of_day_two_are_clean_too():
    work = build(3, 1_500, DAY, CLEAN)
    for department in work.province.departments:
        eyes = Eyes("s", department.has_review)
        for change in work.changes(department.code):
            if change.after is not None:
                assert broken_rules(change.after, eyes) == frozenset()
                assert record_faults(change.after, work.province.cut2) == set()


def test_only_young_cases_and_those_with_a_role_can_change_on_day_two(year):
    work, _ = year
    for department in work.province.departments:
        if not department.cases:
            continue
        stirring = set(work._stirring(department))
        for index in set(range(department.cases)) - stirring:
            assert work._told(work._teller(department), index).written_at <= work.province.cut


def test_a_view_holds_only_what_was_written_by_then(year):
    _, cases = year
    for _, case in cases[::7]:
        middle = case.reported_at + (case.written_at - case.reported_at) / 2
        view = seen_by(case, middle)
        assert view is not None
        assert view.written_at <= middle
        assert set(view.events) <= set(case.events)
        assert seen_by(case, case.reported_at - timedelta(seconds=1)) is None


def test_memory_stays_small_whatever_the_size():
    work = build(1, 346_000, DAY, fake_shapes())
    first = next(department for department in work.province.departments if department.cases)
    assert len(list(islice(work.cases(first.code), 50))) == 50
    assert len(list(work.defects())) > 4_000


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**31), cases=st.integers(1, 160), day=st.dates(date(2012, 1, 1), date(2035, 12, 31)))
def test_every_seed_size_and_date_gives_clean_cases(seed, cases, day):
    work = build(seed, cases, day, CLEAN)
    count = 0
    for department, case in cases_of(work):
        count += 1
        assert_clean(work, department, case, work.province.cut)
    assert cases - 2 <= count <= cases or count >= cases * 0.95


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**31), cases=st.integers(40, 400))
def test_with_every_seed_the_judge_agrees_with_the_slow_checker(seed, cases):
    work = build(seed, cases, DAY, fake_shapes())
    given_defects = {defect.case: defect.kind for defect in work.defects() if defect.case}
    for department, case in cases_of(work):
        said = broken_rules(case, Eyes("s", department.has_review))
        assert said == case_faults(case, has_review=department.has_review)
        kind = KINDS.get(given_defects.get(case.number, ""))
        if kind is None:
            assert said == frozenset()
            assert record_faults(case, work.province.cut2) == set()
        elif kind.level == "case":
            assert kind.rule in said
        elif kind.level == "element":
            assert record_faults(case, work.province.cut2) == {kind.rule}
        elif kind.level == "record":
            assert case.defect is not None
            assert said == frozenset()
