"""Each sign of made-up data on a small set that shows it, and on one that does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from pipeline.runtime import Runtime
from tests.quality.sets.office import DAY, HOUR, STAGES, START, Office, honest


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return Office(runtime.engine)


def test_honest_cases_break_nothing(office: Office) -> None:
    for place in range(40):
        case = honest(office, place)
        at = START + timedelta(days=place, minutes=7 * place + 30)
        for step, stage in enumerate(STAGES):
            when = at + step * HOUR + timedelta(seconds=place * 13)
            office.stage(case, when, stage=stage, opinion=f"经审查，第{place % 7}类情况属实", reported=when + HOUR)
    assert office.broken("approval_case", "stage_event", "decision") - {("set_incomplete", "applicant")} == set()


def _on_the_last_day(office: Office, place: int) -> None:
    closed = (2 + place % 5) * DAY
    office.case(place, gap=HOUR + timedelta(seconds=97 * place), closed=closed, due=closed)


def _shifted(office: Office, place: int) -> None:
    office.case(place, gap=timedelta(seconds=1 + place % 2), closed=(2 + place % 5) * DAY, due=15 * DAY)


def _always_after_ten_minutes(office: Office, place: int) -> None:
    office.case(place, gap=timedelta(minutes=10), closed=(2 + place % 5) * DAY + place * HOUR, due=15 * DAY)


def _undecided(office: Office, place: int) -> None:
    office.case(place, gap=HOUR + timedelta(seconds=97 * place), closed=DAY, due=15 * DAY, decided=place % 3 == 0)


def _entered_whole(office: Office, place: int) -> None:
    case = honest(office, place)
    entered = START + timedelta(days=place + 30)
    for step in range(3):
        office.stage(case, START + timedelta(days=place, hours=step), opinion="同意", reported=entered)


@pytest.mark.parametrize(
    ("write", "sign"),
    [
        (_on_the_last_day, ("set_closed_on_limit", "closed_at")),
        (_shifted, ("set_time_shifted", "accepted_at")),
        (_always_after_ten_minutes, ("set_hard_coded", "accepted_at")),
        (_undecided, ("set_closed_without_decision", "decision")),
        (_entered_whole, ("set_batch_entered", "reported_at")),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else None,
)
def test_a_set_of_cases_shows_the_sign(
    office: Office, write: Callable[[Office, int], None], sign: tuple[str, str]
) -> None:
    for place in range(40):
        write(office, place)
    signs = {one for one in office.broken("approval_case") if one != ("set_incomplete", "applicant")}
    assert sign in signs
    assert {rule for rule, _ in signs} <= {sign[0], "set_spread"}


def _one_a_day(place: int) -> datetime:
    return START + timedelta(days=place, minutes=place)


def _in_three_sittings(place: int) -> datetime:
    return START + timedelta(days=30 * (place % 3), seconds=place % 40)


@pytest.mark.parametrize(
    ("opinion", "at", "signs"),
    [
        ("无", _one_a_day, {("set_placeholder", "opinion")}),
        ("同意申请，按规定办理", _one_a_day, {("set_hard_coded", "opinion")}),
        (None, _in_three_sittings, {("set_same_minute", "started_at"), ("set_same_minute", "finished_at")}),
    ],
    ids=["placeholder", "hard-coded", "same minute"],
)
def test_a_set_of_stages_shows_the_sign(
    office: Office, opinion: str | None, at: Callable[[int], datetime], signs: set[tuple[str, str]]
) -> None:
    case = honest(office, 0)
    for place in range(120):
        when = at(place)
        said = opinion or f"经审查，第{place % 7}类情况属实"
        office.stage(case, when, opinion=said, reported=when + HOUR)
    found = {one for one in office.broken("stage_event") if one[0] in {rule for rule, _ in signs} | {"set_hard_coded"}}
    assert found == signs


def test_a_large_office_fills_every_minute_and_is_not_blamed(runtime: Runtime) -> None:
    """Twelve records in a minute are a sitting in a small office and an hour's average in a large one."""
    office = Office(runtime.engine)
    case = honest(office, 0)
    with office.engine.begin() as connection:
        connection.execute(
            sa.text(
                """INSERT INTO core.stage_event (record_id, part, case_id, stage, started_at, started_at_precision,
                                                 batch_id, content_hash)
                   SELECT 1000 + minute * 12 + one, 0, :case, 'review', CAST(:start AS timestamptz)
                          + (minute / 480) * interval '1 day' + (minute % 480) * interval '1 minute', 's', 1, ''
                   FROM generate_series(0, 2399) AS minute, generate_series(1, 12) AS one"""
            ),
            {"case": case, "start": START},
        )
    assert ("set_same_minute", "started_at") not in office.broken("stage_event")
