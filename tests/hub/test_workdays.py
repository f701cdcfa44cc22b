"""Working days: the published calendar counts, and past its end weekdays stand in and say so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import workdays
from hub.workdays import DayKind, Due, after, is_workday, kind, like_days, local_day

SPRING_2026 = date(2026, 2, 17)  # 初一


def test_the_calendar_knows_holidays_and_the_days_that_are_worked_for_them() -> None:
    assert kind(SPRING_2026) is DayKind.HOLIDAY
    assert kind(date(2026, 2, 14)) is DayKind.MAKE_UP, "a Saturday that is worked for the Spring Festival"
    assert kind(date(2026, 3, 3)) is DayKind.WORK
    assert kind(date(2026, 3, 7)) is DayKind.REST


def test_every_published_day_is_what_the_package_says_of_it() -> None:
    first, last = workdays.published()
    day = date(first, 1, 1)
    while day.year <= last:
        assert is_workday(day) == chinese_calendar.is_workday(day), day
        free, why = chinese_calendar.get_holiday_detail(day)
        assert (kind(day) is DayKind.HOLIDAY) == (free and why is not None), day
        day += timedelta(days=1)


def test_a_due_date_passes_over_holidays_and_counts_the_days_worked_for_them() -> None:
    assert after(date(2026, 2, 13), 1) == Due(date(2026, 2, 14), provisional=False)
    assert after(date(2026, 2, 14), 1) == Due(date(2026, 2, 24), provisional=False)


def test_past_the_published_calendar_weekdays_stand_in_and_the_date_is_provisional() -> None:
    last = workdays.published()[1]
    beyond = date(last + 1, 1, 1)
    found = after(date(last, 12, 31), 3)
    assert found.provisional
    assert found.day >= beyond
    assert kind(beyond) in (DayKind.WORK, DayKind.REST), "no holiday is guessed"
    assert after(date(1990, 1, 1), 1) == Due(date(1990, 1, 2), provisional=True)


def test_no_working_days_cannot_be_counted() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        after(date(2026, 3, 3), 0)


def test_a_day_is_the_one_of_the_provinces_clock() -> None:
    assert local_day(datetime(2026, 3, 2, 17, 0, tzinfo=UTC)) == date(2026, 3, 3)


def test_days_are_compared_with_days_that_are_like_them() -> None:
    tuesday = like_days(date(2026, 3, 3))
    assert {day.weekday() for day in tuesday} == {1}
    assert SPRING_2026 not in tuesday, "a Tuesday of the Spring Festival is no working Tuesday"
    assert {kind(day) for day in like_days(SPRING_2026)} == {DayKind.HOLIDAY}
    assert all(is_workday(day) for day in like_days(date(2026, 2, 14)))
    assert {(kind(day), day.weekday()) for day in like_days(date(2026, 3, 7))} == {(DayKind.REST, 5)}


days = st.dates(date(2003, 1, 1), date(2030, 12, 31))


@given(days, st.integers(1, 60))
def test_between_a_day_and_its_due_date_lie_exactly_so_many_working_days(day: date, count: int) -> None:
    found = after(day, count).day
    span = [day + timedelta(days=step) for step in range(1, (found - day).days + 1)]
    assert sum(map(is_workday, span)) == count
    assert is_workday(found)


@given(days, st.integers(1, 30), st.integers(1, 30))
def test_counting_on_from_a_due_date_is_counting_in_one(day: date, first: int, then: int) -> None:
    assert after(after(day, first).day, then) == after(day, first + then)


@given(days)
def test_like_days_lie_before_and_are_not_repeated(day: date) -> None:
    found = like_days(day)
    assert found == sorted(set(found), reverse=True)
    assert all(other < day and is_workday(other) == is_workday(day) for other in found)
