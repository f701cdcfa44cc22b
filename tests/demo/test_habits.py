"""Habits of departments: who gets them, and that their cases show them and nothing else."""

from datetime import date

import pytest

from demo.casework import build
from demo.habits import FEWEST, HABITS, shows
from demo.judge import Eyes, broken_rules
from demo.model import KINDS
from demo.shapes.registry import SHAPES
from demo.truth import build_truth
from tests.demo.fakes import fake_shapes

DAY = date(2026, 3, 18)


@pytest.fixture(scope="module")
def work():
    return build(3, 5_000, DAY, fake_shapes())


def test_every_habit_is_there_twice_and_no_department_has_two(work):
    given = [habit.kind for habit in work.cast.habits.values()]
    assert sorted(given) == sorted([*HABITS, *HABITS])


def test_a_province_that_is_too_small_has_no_habit():
    assert not build(3, 300, DAY, fake_shapes()).cast.habits


def test_the_same_seed_gives_the_same_habits(work):
    again = build(3, 5_000, DAY, fake_shapes()).cast.habits
    assert {code: habit.kind for code, habit in again.items()} == {
        code: habit.kind for code, habit in work.cast.habits.items()
    }


@pytest.mark.parametrize("kind", HABITS)
def test_the_cases_show_the_habit_and_break_no_other_rule(work, kind):
    for code in [code for code, habit in work.cast.habits.items() if habit.kind == kind]:
        department = next(one for one in work.province.departments if one.code == code)
        roles = {work._teller(department).number(index) for index in work.cast.roles[code]}
        cases = [case for case in work.cases(code) if case.number not in roles]
        showing = [case for case in cases if shows(case, HABITS[kind])]
        assert len(showing) >= FEWEST
        assert len(showing) > len(cases) / 5
        eyes = Eyes("s", department.has_review)
        assert all(broken_rules(case, eyes) <= HABITS[kind].alone for case in cases)
        assert all(case.written_at <= work.province.cut for case in showing if kind in {"batch_habit", "minute_habit"})


def test_the_truth_tells_the_rule_and_the_organ_of_each_habit(work, tmp_path):
    truth = build_truth(work, fake_shapes(), tmp_path, dry=True)
    told = {(one.source, one.rule, one.defect) for one in truth.sets}
    assert told == {(code, KINDS[habit.kind].rule, habit.kind) for code, habit in work.cast.habits.items()}
    organs = {one.code: one.organ for one in work.province.departments}
    assert all(one.organ == organs[one.source] for one in truth.sets)


@pytest.mark.parametrize(
    ("seed", "cases"), [(20260105, 5_000), (7, 2_500), (99, 800), pytest.param(2026, 30_000, marks=pytest.mark.long)]
)
def test_the_systems_of_the_province_can_tell_each_habit_that_they_are_given(tmp_path, seed, cases):
    work = build(seed, cases, DAY, SHAPES)
    truth = build_truth(work, SHAPES, tmp_path, dry=True)
    assert len(truth.sets) == len(work.cast.habits) > 0 or cases < 1_000


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 41))
def test_the_truth_of_any_province_can_be_written(tmp_path, seed):
    cases = (300, 1_200, 2_500, 5_000, 8_000)[seed % 5]
    assert build_truth(build(seed, cases, DAY, SHAPES), SHAPES, tmp_path, dry=True).departments


def test_a_due_date_written_as_a_day_lasts_to_the_end_of_that_day(tmp_path):
    """A department that writes due dates after the fact closes a case within hours, and writes days alone."""
    work = build(20260105, 1_500, date(2026, 11, 28), SHAPES)
    assert work.cast.habits["relics"].kind == "limit_habit"
    seen = [SHAPES["gbk_csv"].seen(case) for case in work.cases("relics") if case.kind == "immediate"]
    same = [case for case in seen if case.acceptance.due and case.acceptance.due.date() == case.acceptance.at.date()]
    assert same
    assert all("due_before_acceptance" not in broken_rules(case, Eyes("m", has_review=True)) for case in same)
    assert build_truth(work, SHAPES, tmp_path, dry=True).sets
