"""Each rule on whole cases, through a real pull: cases that breach it, and cases that come close and do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from pipeline.runtime import Runtime
from sharedrepo.telling.ledger import check
from tests.catalog import items as catalogue
from tests.catalog.items import OTHER
from tests.departments import ORGAN, Department
from tests.journeys.conftest import Hub
from validation.cases import case_rules


@dataclass(frozen=True, slots=True)
class Story:
    """What a department does to a clean case, and which rules that must raise."""

    name: str
    rules: frozenset[str]
    change: Callable[[Department, str], None]


STORIES: list[Story] = []


def story(name: str, *rules: str) -> Callable[[Callable[[Department, str], None]], Callable[[Department, str], None]]:
    def keep(change: Callable[[Department, str], None]) -> Callable[[Department, str], None]:
        STORIES.append(Story(name, frozenset(rules), change))
        return change

    return keep


def node(department: Department, case: str, place: int, **fields: str) -> None:
    department.change("PRE_NODE", {"UNID": f"{case}-{place}"}, **fields)


def of_case(department: Department, stream: str, case: str, **fields: str) -> None:
    department.change(stream, {"PROJID": case}, **fields)


@story("clean")
def _(department: Department, case: str) -> None:
    del department, case


# --- stage order ---


@story("undertaken before accepted", "stage_order")
def _(department: Department, case: str) -> None:
    node(department, case, 2, START_TIME="2026-03-01 08:00:00")


@story("all in one second")
def _(department: Department, case: str) -> None:
    for place in (1, 2, 3, 4):
        node(department, case, place, START_TIME="2026-03-02 09:30:15")


@story("review of day precision on the day of undertaking")
def _(department: Department, case: str) -> None:
    node(department, case, 3, START_TIME="2026-03-03", END_TIME="2026-03-04")


@story("review of day precision the day before", "stage_order")
def _(department: Department, case: str) -> None:
    node(department, case, 3, START_TIME="2026-03-02", END_TIME="2026-03-04")


@story("review of minute precision in the minute of undertaking")
def _(department: Department, case: str) -> None:
    node(department, case, 3, START_TIME="2026-03-03 09:30")


@story("the local date decides, not that of UTC")
def _(department: Department, case: str) -> None:
    node(department, case, 2, START_TIME="2026-03-03 07:00:00")  # the day before in UTC
    node(department, case, 3, START_TIME="2026-03-03", END_TIME="2026-03-04")


@story("accepted again later")
def _(department: Department, case: str) -> None:
    department.put("PRE_NODE", UNID=f"{case}-again", PROJID=case, PHASE_CODE="ACCEPT", START_TIME="2026-03-06 09:00:00",
                   END_TIME="2026-03-06 10:00:00", CREATE_TIME="2026-03-06 10:00:00")  # fmt: skip


@story("approved before accepted, with nothing between", "approve_without_review", "stage_order")
def _(department: Department, case: str) -> None:
    department.clear("PRE_NODE", UNID=f"{case}-2")
    department.clear("PRE_NODE", UNID=f"{case}-3")
    node(department, case, 4, START_TIME="2026-03-01 09:00:00")


# --- before and after ---


@story("decided before accepted", "closed_before_accepted")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_TRANSACT", case, RESULTS_TIME="2026-03-01 08:00:00")


@story("closed before accepted", "closed_before_accepted", "stage_order")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_TRANSACT", case, RESULTS_TIME="", TRANSACT_TIME="2026-03-01 08:00:00")


@story("decided on the day of acceptance, to the day")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_TRANSACT", case, RESULTS_TIME="2026-03-02")


@story("due before acceptance", "due_before_acceptance")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_ACCEPT", case, PROMISE_ETIME="2026-03-01 23:59:59")


@story("due on the day of acceptance, to the day")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_ACCEPT", case, PROMISE_ETIME="2026-03-02")


@story("accepted before applied", "accepted_before_applied")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, RECEIVETIME="2026-03-02 09:30:16")


@story("applied in the minute of acceptance, to the minute")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, RECEIVETIME="2026-03-02 09:30")


@story("applied on the day of acceptance, to the day")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, RECEIVETIME="2026-03-02")


@story("accepted a second after the application", "time_shifted")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, RECEIVETIME="2026-03-02 09:30:14")


@story("accepted two seconds after the application", "time_shifted")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, RECEIVETIME="2026-03-02 09:30:13")


@story("accepted three seconds after the application")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, RECEIVETIME="2026-03-02 09:30:12")


@story("accepted in the second of the application")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, RECEIVETIME="2026-03-02 09:30:15")


# --- stages left out ---


@story("approved without review", "approve_without_review")
def _(department: Department, case: str) -> None:
    department.clear("PRE_NODE", UNID=f"{case}-3")


@story("an immediate item needs no review")
def _(department: Department, case: str) -> None:
    department.clear("PRE_NODE", UNID=f"{case}-3")
    of_case(department, "PRE_APASINFO", case, INFOTYPE="1")


# --- pauses ---


def pause(department: Department, case: str, action: str = "T01", **fields: str) -> None:
    times = {
        "START_TIME": "2026-03-04 09:00:00",
        "END_TIME": "2026-03-04 17:00:00",
        "CREATE_TIME": "2026-03-04 17:30:00",
    }
    key = f"{case}-{action}-{len(fields)}"
    department.put(
        "PRE_NODE", **{"UNID": key, "PROJID": case, "ACTION": action, "PHASE_CODE": "REVIEW", **times, **fields}
    )


@story("a pause")
def _(department: Department, case: str) -> None:
    pause(department, case)


@story("a pause that ends and never began", "pause_end_without_start")
def _(department: Department, case: str) -> None:
    pause(department, case, START_TIME="")


@story("closed while paused", "pause_not_ended")
def _(department: Department, case: str) -> None:
    pause(department, case, END_TIME="")


@story("paused and not yet closed")
def _(department: Department, case: str) -> None:
    pause(department, case, END_TIME="")
    department.clear("PRE_TRANSACT", PROJID=case)


@story("a pause in two messages")
def _(department: Department, case: str) -> None:
    pause(department, case, START_TIME="2026-03-04 09:00:00", END_TIME="")
    pause(department, case, START_TIME="")


@story("an extension that nobody approved", "extension_without_approver")
def _(department: Department, case: str) -> None:
    pause(department, case, "T10", NAME="")


@story("an extension that the leader approved")
def _(department: Department, case: str) -> None:
    pause(department, case, "T10", NAME="郑立新")


@story("a hearing without an approver")
def _(department: Department, case: str) -> None:
    pause(department, case, "T01", NAME="")


# --- the end of a case ---


@story("refused without a reason", "refusal_without_reason")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_TRANSACT", case, TRANSACT_RESULT="2", TRANSACT_DESCRIBE="")


@story("refused with a reason")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_TRANSACT", case, TRANSACT_RESULT="2", TRANSACT_DESCRIBE="不符合法定条件")


@story("granted without a document", "granted_without_credential")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_TRANSACT", case, RESULT_CODE="")


@story("completed, for which no document is expected")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_TRANSACT", case, RESULT_CODE="", TRANSACT_RESULT="7")


@story("closed twice with different results", "closed_twice")
def _(department: Department, case: str) -> None:
    department.put(
        "PRE_TRANSACT", UNID=f"{case}-u", PROJID=case, TRANSACT_RESULT="3", CREATE_TIME="2026-03-10 09:00:00"
    )


@story("closed twice with one result")
def _(department: Department, case: str) -> None:
    department.put("PRE_TRANSACT", UNID=f"{case}-u", PROJID=case, CREATE_TIME="2026-03-10 09:00:00")


# --- entered in one go ---


def entered(department: Department, case: str, at: Callable[[int], str]) -> None:
    for place in (1, 2, 3, 4):
        node(department, case, place, CREATE_TIME=at(place))
    of_case(department, "PRE_TRANSACT", case, CREATE_TIME=at(5))


@story("everything entered in one minute, days later", "batch_entered")
def _(department: Department, case: str) -> None:
    entered(department, case, lambda place: f"2026-03-20 10:00:{place:02d}")


@story("everything entered in two minutes, days later")
def _(department: Department, case: str) -> None:
    entered(
        department,
        case,
        lambda place: f"2026-03-20 10:00:{place * 12 + 11:02d}" if place < 5 else "2026-03-20 10:01:01",
    )


@story("everything entered in one minute, within a day")
def _(department: Department, case: str) -> None:
    entered(department, case, lambda place: f"2026-03-10 16:29:{place:02d}")


@story("entered in one minute, but not closed")
def _(department: Department, case: str) -> None:
    entered(department, case, lambda place: f"2026-03-20 10:00:{place:02d}")
    department.clear("PRE_TRANSACT", PROJID=case)


@story("two events are too few to say so")
def _(department: Department, case: str) -> None:
    entered(department, case, lambda place: f"2026-03-20 10:00:{place:02d}")
    for place in (2, 3, 4):
        department.clear("PRE_NODE", UNID=f"{case}-{place}")


# --- the catalogue ---


ENDED, PAUSED, HANDED_DOWN, BEGUN_ANEW = (f"{ORGAN}23301170{number}000" for number in ("51", "52", "53", "54"))


def publish_items(runtime: Runtime) -> None:
    """Publish items that end, pause or are handed down on the day on which the cases are accepted, and one restored."""
    for item, change in ((ENDED, "abolish"), (PAUSED, "suspend"), (HANDED_DOWN, "devolve"), (BEGUN_ANEW, "suspend")):
        heir = f"{OTHER}4{item[19:]}"
        catalogue.published(runtime.engine, item, on=date(2025, 1, 1), numbers={"旧": f"XK-{item[26:28]}"})
        if change == "devolve":
            catalogue.proposed(runtime.engine, heir)
            catalogue.reviewed(runtime.engine, heir)
        catalogue.published(
            runtime.engine, item, change=change, content=None, on=date(2026, 3, 2),
            **({"successors": [heir]} if change == "devolve" else {}),
        )  # fmt: skip
    catalogue.published(runtime.engine, BEGUN_ANEW, change="restore", content=None, on=date(2026, 3, 2))


@story("accepted on the day on which its item was abolished", "item_takes_no_cases")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, SERVICECODE=ENDED)


@story("accepted on an item that is suspended, named by an older number", "item_takes_no_cases")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, SERVICECODE="XK-52")


@story("accepted above on an item that was handed down, named by its base code", "item_takes_no_cases")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, SERVICECODE=HANDED_DOWN[19:])


@story("accepted a day before its item was abolished, and finished after")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, SERVICECODE=ENDED, RECEIVETIME="2026-03-01 08:00:00")
    of_case(department, "PRE_ACCEPT", case, ACCEPT_TIME="2026-03-01 23:59:59")
    node(department, case, 1, START_TIME="2026-03-01 23:59:59")


@story("accepted on an item that was restored on that day")
def _(department: Department, case: str) -> None:
    of_case(department, "PRE_APASINFO", case, SERVICECODE=BEGUN_ANEW)


@pytest.fixture
def department(tmp_path: Path) -> Department:
    return Department(tmp_path / "sources")


@pytest.fixture
def hub(runtime: Runtime, department: Department) -> Hub:
    return Hub(runtime, department)


def test_each_story_raises_its_rules_and_no_other(hub: Hub, department: Department) -> None:
    for number, one in enumerate(STORIES):
        department.case(f"S{number}")
        one.change(department, f"S{number}")
    publish_items(hub.runtime)
    hub.pull()
    query = """SELECT c.case_number, f.rule FROM quality.finding AS f JOIN core.approval_case AS c ON c.record_id = f.case_id
               WHERE f.state = 'open'"""
    found: dict[str, set[str]] = {}
    for case, rule in hub.rows(query):
        found.setdefault(case, set()).add(rule)
    told = {one.name: sorted(found.get(f"S{number}", set())) for number, one in enumerate(STORIES)}
    assert told == {one.name: sorted(one.rules) for one in STORIES}
    others = hub.rows("SELECT rule, shown FROM quality.finding WHERE state = 'open' AND case_id IS NULL")
    assert {rule for rule, _shown in others} <= {"ended_before_started"}, "the stories are about cases alone"


def test_every_case_rule_has_a_story_that_raises_it() -> None:
    assert {rule for one in STORIES for rule in one.rules} == set(case_rules())


def test_a_finding_on_a_case_closes_when_the_case_is_mended_and_opens_again(hub: Hub, department: Department) -> None:
    department.case("C1")
    node(department, "C1", 2, START_TIME="2026-03-01 08:00:00")
    hub.pull()
    assert hub.findings() == {("stage_order", "C1")}
    node(department, "C1", 2, START_TIME="2026-03-03 09:30:15", DATAVERSION="2")
    hub.pull()
    assert hub.findings() == set()
    assert hub.one("SELECT state, closed_by IS NOT NULL FROM quality.finding") == ("closed", True)
    node(department, "C1", 2, START_TIME="2026-03-01 08:00:00", DATAVERSION="3")
    hub.pull()
    hub.pull()
    assert hub.findings() == {("stage_order", "C1")}
    assert hub.one("SELECT count(*) FROM quality.finding") == 2


def test_what_one_pull_opens_and_settles_itself_was_never_a_finding(hub: Hub, department: Department) -> None:
    """Streams come one after the other: between them a case looks half done."""
    department.case("C1")
    pause(department, "C1", START_TIME="2026-03-04 09:00:00", END_TIME="", CREATE_TIME="2026-03-04 09:00:01")
    pause(department, "C1", START_TIME="", CREATE_TIME="2026-03-04 17:00:01")
    object.__setattr__(hub.runtime, "settings", hub.runtime.settings.model_copy(update={"slice_size": 1}))
    hub.pull()
    assert hub.one("SELECT count(*) FROM quality.finding") == 0


def test_findings_go_with_their_case(hub: Hub, department: Department) -> None:
    department.case("C1")
    node(department, "C1", 2, START_TIME="2026-03-01 08:00:00")
    hub.pull()
    with hub.runtime.engine.begin() as connection:  # a case of whose parties nothing is said
        connection.exec_driver_sql("DELETE FROM core.case_party")
    of_case(department, "PRE_APASINFO", "C1", SYNC_STATUS="D", DATAVERSION="2")
    hub.pull()
    assert hub.findings() == set()
    assert hub.one("SELECT count(*) FROM core.case_overview") == 0
    assert check(hub.runtime.engine) == []


def test_not_accepting_needs_a_reason(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    with hub.runtime.engine.begin() as connection:  # no profile in this shape says so; the rule reads what core holds
        connection.exec_driver_sql("UPDATE core.acceptance SET outcome = 'not_accepted', reason = NULL")
    node(department, "C1", 2, OPINION="触发", DATAVERSION="2")
    hub.pull()
    assert ("refusal_without_reason", "C1") in hub.findings()


def test_a_credential_of_the_case_is_the_document_that_was_granted(hub: Hub, department: Department) -> None:
    department.case("C1")
    of_case(department, "PRE_TRANSACT", "C1", RESULT_CODE="")
    hub.pull()
    assert hub.findings() == {("granted_without_credential", "C1")}
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql(
            """INSERT INTO core.credential (record_id, part, source_system_id, case_number, credential_type, number, status,
                                            batch_id, content_hash)
               VALUES (-1, 0, 1, 'C1', '许可证', 'X1', 'valid', 1, '\\x00')"""
        )
    node(department, "C1", 2, OPINION="触发", DATAVERSION="2")
    hub.pull()
    assert hub.findings() == set()
