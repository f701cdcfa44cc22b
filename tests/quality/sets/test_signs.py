"""Each sign of made-up data, and each question across tables, on a small set that shows it and on one that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hub.documents import Documents
from pipeline.runtime import Runtime
from quality.sets.service import check

START = datetime(2026, 1, 5, 1, tzinfo=UTC)
STAGES = ("accept", "undertake", "review", "approve", "complete")
ORGAN = "11330000002482285J"


class Office:
    """An office whose cases are written straight into the repository's tables."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._numbers: Iterator[int] = iter(range(1, 1_000_000))
        self.put("core.source_system", source_system_id=1, code="office", title="an office", organ=ORGAN, kind="files")
        self.put("ledger.stream", stream_id=1, source_system_id=1, name="all")
        self.put(
            "ledger.batch", batch_id=1, source_system_id=1, seq=1, stream_id=1, kind="pull", mapping_version="m",
            read_at=START, recorded_at=START, read=0,
        )  # fmt: skip

    def put(self, table: str, **row: Any) -> None:
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        with self.engine.begin() as connection:
            connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)

    def row(self, table: str, **row: Any) -> int:
        number = next(self._numbers)
        self.put(f"core.{table}", record_id=number, part=0, batch_id=1, content_hash=b"", **row)
        return number

    def case(self, place: int, *, gap: timedelta, closed: timedelta, due: timedelta, decided: bool = True) -> int:
        """Write a closed promised case with five stages; times are counted from its application."""
        applied = START + timedelta(days=place, minutes=7 * place)
        number = f"C{place}"
        case = self.row(
            "approval_case", source_system_id=1, case_number=number, handling_organ=ORGAN, case_kind="promised",
            applied_at=applied, applied_at_precision="s", reported_at=applied + timedelta(hours=1),
        )  # fmt: skip
        firsts = {f"{stage}_first": applied + closed * (at + 1) / 5 for at, stage in enumerate(STAGES)}
        self.put(
            "core.case_overview", case_id=case, state="closed", events=5, applied_at=applied, accepted_at=applied + gap,
            due_at=applied + due, closed_at=applied + closed, closing_outcome="granted", pauses_open=0, **firsts,
        )  # fmt: skip
        if decided:
            self.row(
                "decision", source_system_id=1, case_number=number, organ=ORGAN, document_number=f"许{place}",
                decision_kind="decision", outcome="granted", decided_at=applied + closed, decided_at_precision="s",
            )  # fmt: skip
        return case

    def stage(self, case: int, at: datetime, *, stage: str = "review", opinion: str, reported: datetime) -> None:
        self.row(
            "stage_event", case_id=case, stage=stage, started_at=at, started_at_precision="s", finished_at=at,
            finished_at_precision="s", opinion=opinion, reported_at=reported,
        )  # fmt: skip

    def broken(self, *documents: str) -> set[tuple[str, str]]:
        report = check(self.engine, [], Documents.load(), as_of=date(2026, 2, 28), only=documents, keep=False)
        return {(one.rule, one.field) for one in report.failed}


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return Office(runtime.engine)


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _honest(office: Office, place: int) -> int:
    return office.case(place, gap=HOUR + timedelta(seconds=97 * place), closed=(2 + place % 5) * DAY, due=15 * DAY)


def test_honest_cases_break_nothing(office: Office) -> None:
    for place in range(40):
        case = _honest(office, place)
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
    case = _honest(office, place)
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
    case = _honest(office, 0)
    for place in range(120):
        when = at(place)
        said = opinion or f"经审查，第{place % 7}类情况属实"
        office.stage(case, when, opinion=said, reported=when + HOUR)
    found = {one for one in office.broken("stage_event") if one[0] in {rule for rule, _ in signs} | {"set_hard_coded"}}
    assert found == signs


def test_a_large_office_fills_every_minute_and_is_not_blamed(runtime: Runtime) -> None:
    """Twelve records in a minute are a sitting in a small office and an hour's average in a large one."""
    office = Office(runtime.engine)
    case = _honest(office, 0)
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
