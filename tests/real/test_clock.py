"""The legal clock on logs of real offices: whose case ended after its deadline, and what suspensions do."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from hub.workdays import local_day
from supervision import running
from supervision.calendar.service import ensure
from supervision.clock import explaining, known
from supervision.clock.said import Day
from tests.real.counting import Log, read_log
from tests.real.puller import Puller, PullerOf

STOPS, GOES_ON, EXTENDED = "08_AWB45_025", "08_AWB45_045", "06_VD_035"
WEEKS = 56
"""Days: a permit of the regular procedure is decided in eight weeks from its receipt (Wabo art. 3.9)."""


def test_the_377_cases_of_the_receipt_log_that_ended_after_their_deadline_are_found(puller: PullerOf) -> None:
    hub = puller("event_logs")
    hub.pull("receipt")
    counts = running.run(hub.runtime.engine).counts["clock"]
    assert counts["not_computable"] == {"no_item_said": 1_434}, "the log names no items: nothing is guessed"
    assert hub.counts("SELECT declared_verdict, count(*) FROM supervision.clock GROUP BY 1") == {
        "late": 377, "on_time": 1_434 - 105 - 377, None: 105,
    }  # fmt: skip


def test_suspensions_of_real_permits_stop_the_clock(puller: PullerOf, shared_data: Path) -> None:
    hub = puller("event_logs")
    hub.pull("bpic15-2")
    _one_item_for_all(hub)
    running.run(hub.runtime.engine)
    log = read_log(shared_data / "event_logs" / "BPIC15_2.xes.gz")
    with hub.runtime.engine.begin() as connection:
        ensure(connection)
        days = known.calendar_days(connection, "")
    stored = {row[0]: row[1:] for row in hub.rows(
        """SELECT c.case_number, k.why, k.paused_since IS NOT NULL, k.started_at, k.due_at, k.basis
           FROM supervision.clock AS k JOIN core.approval_case AS c ON c.record_id = k.case_id""")}  # fmt: skip
    stopped = 0
    for number, (starts, ends, extended) in _suspensions(log).items():
        why, _, started, due, basis = stored[number]
        if len(ends) > len(starts):
            assert why == "suspension_without_start" or extended, number
        elif any(end < start for start, end in zip(starts, ends, strict=False)):
            assert why in {"suspension_reversed", "accepted_before_applied"}, number
        elif why is None and not extended and len(starts) == len(ends):
            stopped += bool(starts)
            assert basis == "receipt"
            assert local_day(due) == _due(local_day(started), list(zip(starts, ends, strict=True)), days), number
    assert stopped > 50, "cases whose clock stood still and went on"
    assert hub.one("SELECT count(*) FROM supervision.clock WHERE paused_days > 0") > 50


def test_a_real_case_is_explained_day_by_day(puller: PullerOf) -> None:
    hub = puller("event_logs")
    hub.pull("bpic15-2")
    _one_item_for_all(hub)
    running.run(hub.runtime.engine)
    number = hub.one(
        """SELECT c.case_number FROM supervision.clock AS k JOIN core.approval_case AS c ON c.record_id = k.case_id
           WHERE paused_days > 5 AND verdict IS NOT NULL ORDER BY 1 LIMIT 1"""
    )
    with hub.runtime.engine.begin() as connection:
        told = explaining.explain(connection, number)
    assert told.agrees
    assert {"start", "counts", "paused", "due"} <= {one.does for one in told.days}


def _one_item_for_all(hub: Puller) -> None:
    """Enter the item that the log leaves out: eight weeks from receipt."""
    with hub.runtime.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO catalog.item (code, organ) VALUES ('wabo', 'municipality')"))
        connection.execute(sa.text(
            """INSERT INTO catalog.item_version (item_id, version, state, change, reason, content, effective_on,
                   drafted_by, published_at)
               SELECT item_id, 1, 'published', 'new', 'a test', jsonb_build_object('kind', 'promised', 'counted_from',
                   'receipt', 'legal_limit', jsonb_build_object('value', 56, 'unit', 'calendar_day')), '2000-01-01',
                   'test', now() FROM catalog.item"""))  # fmt: skip
        connection.execute(sa.text("UPDATE core.approval_case SET item_code = 'wabo'"))


def _suspensions(log: Log) -> dict[str, tuple[list[date], list[date], bool]]:
    """Count by hand: the days on which each case's clock is stopped, and goes on, and whether it was extended."""
    found: dict[str, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    for number, event in log.events:
        found[number][event["concept:name"]].append(datetime.fromisoformat(event["time:timestamp"]))
    return {
        number: (_days(of_case[STOPS]), _days(of_case[GOES_ON]), bool(of_case[EXTENDED]))
        for number, of_case in found.items()
    }


def _days(instants: list[datetime]) -> list[date]:
    return [local_day(one) for one in sorted(instants)]


def _due(start: date, stops: list[tuple[date, date]], days: dict[date, Day]) -> date:
    day, left = start, WEEKS
    while left:
        day += timedelta(days=1)
        left -= not any(begun < day <= ended for begun, ended in stops)
    while not days[day].works:
        day += timedelta(days=1)
    return day
