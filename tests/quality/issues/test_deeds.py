"""What people do with an issue: kept with actor and reason, refused where it does not fit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hub.settings import Settings
from pipeline.runtime import Runtime
from quality.issues import service
from quality.issues.service import DeedDoesNotFit, Issue
from tests.conftest import Stock, Stocking
from tests.departments import Department
from tests.journeys.conftest import Hub, only

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
BY = {"actor": "account:li", "now": NOW}


def _filled(settings: Settings, runtime: Runtime) -> None:
    hub = only(settings, runtime)
    hub.department.case("C1", TELPHONE="12")
    hub.pull()
    service.refresh(runtime.engine, NOW)


@pytest.fixture(scope="module")
def stock(stocking: Stocking) -> Stock:
    return stocking(_filled)


@pytest.fixture
def engine(hub: Hub) -> sa.Engine:
    return hub.runtime.engine


@pytest.fixture
def code(engine: sa.Engine) -> str:
    (issue,) = service.listed(engine, rule="phone_invalid")
    return issue.code


def test_each_deed_leads_where_it_says_and_is_kept(engine: sa.Engine, code: str) -> None:
    service.acknowledge(engine, code, reason="looking into it", **BY)
    assert service.found(engine, code).status == "acknowledged"
    service.assign(engine, code, assignee="account:wang", **BY)
    assert service.found(engine, code).assignee == "account:wang"
    service.send_to_department(engine, code, **BY)
    assert service.found(engine, code).status == "waiting"
    service.snooze(engine, code, until=date(2026, 3, 20), reason="their system moves house", **BY)
    snoozed = service.found(engine, code)
    assert (snoozed.status, snoozed.snoozed_until, snoozed.reason) == (
        "snoozed", date(2026, 3, 20), "their system moves house",
    )  # fmt: skip
    service.accept(engine, code, reason="numbers are lost", up_to=5, **BY)
    accepted = service.found(engine, code)
    assert (accepted.status, accepted.accepted_records, accepted.reason) == ("accepted", 5, "numbers are lost")
    assert accepted.snoozed_until is None
    service.note(engine, code, reason="asked again by telephone", **BY)
    life = service.events(engine, code)
    assert [one.what for one in life] == ["opened", "acknowledged", "assigned", "sent", "snoozed", "accepted", "noted"]
    assert {one.actor for one in life[1:]} == {"account:li"}
    assert life[-1].reason == "asked again by telephone"
    service.acknowledge(engine, code, **BY)
    taken_up = service.found(engine, code)
    assert (taken_up.status, taken_up.accepted_records, taken_up.reason) == ("acknowledged", None, None)


def test_a_deed_leaves_the_due_date_and_breaks_the_silence(engine: sa.Engine, code: str) -> None:
    due = service.found(engine, code).due_on
    late = datetime(2026, 5, 11, 4, 0, tzinfo=UTC)
    service.acknowledge(engine, code, actor="cli:li", now=late)
    assert service.found(engine, code).due_on == due
    with engine.connect() as connection:
        climbs = connection.execute(
            sa.text("SELECT climbs_on FROM quality.issue WHERE code = :code"), {"code": code}
        ).scalar_one()
    assert climbs == date(2026, 5, 25), "ten working days after the deed"


Deed = Callable[[sa.Engine, str], None]
WRONG: dict[str, tuple[Deed, str]] = {
    "without a reason": (lambda e, c: service.accept(e, c, reason="  ", **BY), "no reason"),
    "accepting fewer than there are": (lambda e, c: service.accept(e, c, reason="x", up_to=0, **BY), "at least 1"),
    "put off to yesterday": (lambda e, c: service.snooze(e, c, reason="x", until=date(2026, 3, 9), **BY), "2026-03-11"),
    "put off for a year": (lambda e, c: service.snooze(e, c, reason="x", until=date(2027, 3, 9), **BY), "accept it"),
    "given to nobody": (lambda e, c: service.assign(e, c, assignee=" ", **BY), "nobody"),
    "an endless reason": (lambda e, c: service.note(e, c, reason="x" * 1001, **BY), "1001 characters"),
    "by somebody without a name": (lambda e, c: service.note(e, c, reason="x", actor="li", now=NOW), "no actor"),
}


def test_a_deed_that_does_not_fit_changes_nothing_and_says_what_would(engine: sa.Engine, code: str) -> None:
    before = service.found(engine, code), service.events(engine, code)
    for deed, said in WRONG.values():
        with pytest.raises(DeedDoesNotFit, match=said):
            deed(engine, code)
        assert (service.found(engine, code), service.events(engine, code)) == before


def test_what_is_taken_up_already_cannot_be_taken_up_again(engine: sa.Engine, code: str) -> None:
    service.acknowledge(engine, code, **BY)
    with pytest.raises(DeedDoesNotFit, match="it is acknowledged"):
        service.acknowledge(engine, code, **BY)


def test_a_closed_issue_takes_notes_only(hub: Hub, department: Department, engine: sa.Engine, code: str) -> None:
    department.change("PRE_APASINFO", {"PROJID": "C1"}, TELPHONE="13957126845", DATAVERSION=2)
    hub.pull()
    service.refresh(engine, NOW + timedelta(hours=1))
    with pytest.raises(DeedDoesNotFit, match="opens again by itself"):
        service.acknowledge(engine, code, **BY)
    service.note(engine, code, reason="mended by the office itself", **BY)
    assert service.events(engine, code)[-1].what == "noted"


def test_a_reason_is_one_line(engine: sa.Engine, code: str) -> None:
    service.note(engine, code, reason="first\n\x1b[31msecond\u202e", **BY)
    assert service.events(engine, code)[-1].reason == "first [31msecond"


def test_lists_are_narrowed_by_what_is_asked(engine: sa.Engine, code: str) -> None:
    def codes(**asked: Any) -> list[Issue]:
        return service.listed(engine, **asked)

    assert [one.code for one in codes(rule="phone_invalid", source="labour", status="new")] == [code]
    assert codes(organ="nobody") == codes(source="other") == codes(status="fixed") == []
