"""The life of an issue: it opens once, counts, closes when somebody looked, and comes back under its code."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hub.errors import StopSource
from hub.findings import RULES, Severity
from hub.settings import Settings
from pipeline.runtime import Runtime
from quality.issues import service
from quality.issues.refreshing import alone
from quality.issues.service import FeedFault, Issue
from quality.issues.terms import Terms
from quality.places import gather
from tests.conftest import _execute
from tests.departments import ORGAN, Department
from tests.journeys.conftest import Hub

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
"""A Tuesday, noon in the province."""


def one(runtime: Runtime, rule: str) -> Issue:
    found = [issue for issue in service.listed(runtime.engine, closed=True) if issue.rule == rule]
    assert len(found) == 1, found
    return found[0]


def steps(runtime: Runtime, code: str) -> list[str]:
    return [event.what for event in service.events(runtime.engine, code)]


@pytest.fixture
def faulty(department: Department) -> Department:
    """Three clean cases, of which two bear a phone number that is none."""
    for number in ("C1", "C2", "C3"):
        department.case(number, **({} if number == "C3" else {"TELPHONE": "12"}))
    return department


def test_many_records_with_one_fault_are_one_issue(hub: Hub, faulty: Department) -> None:
    hub.pull()
    service.refresh(hub.runtime.engine, NOW)
    issue = one(hub.runtime, "phone_invalid")
    assert (issue.organ, issue.source, issue.stream) == (ORGAN, "labour", "PRE_APASINFO")
    assert (issue.records, issue.of_records, issue.rate) == (2, 3, pytest.approx(2 / 3))
    assert (issue.status, issue.level, issue.closed_at) == ("new", 0, None)
    assert (issue.severity, issue.dimension, issue.owner) == ("low", "valid", "department")
    assert issue.code.startswith("Q-")
    assert len(issue.code) == 10
    assert issue.due_on == date(2026, 4, 8), "twenty working days, Qingming between"
    assert not issue.due_provisional
    assert steps(hub.runtime, issue.code) == ["opened"]
    hub.pull()
    service.refresh(hub.runtime.engine, NOW + timedelta(hours=1))
    again = one(hub.runtime, "phone_invalid")
    assert (again.first_seen, again.last_seen > issue.last_seen) == (issue.first_seen, True), "each pull shows it again"


@pytest.mark.parametrize(("severity", "due"), [("high", 13), ("medium", 24), ("low", 39)])
def test_the_due_date_follows_the_severity(severity: Severity, due: int) -> None:
    """Three, ten and twenty working days from Tuesday, 10 March; the last ends after Qingming, on 8 April."""
    assert Terms.counted(severity, NOW.date()).due.day == date(2026, 3, 1) + timedelta(days=due - 1)


def test_it_closes_after_a_clean_pull_and_returns_under_its_code(hub: Hub, faulty: Department) -> None:
    hub.pull()
    service.refresh(hub.runtime.engine, NOW)
    code = one(hub.runtime, "phone_invalid").code
    faulty.change("PRE_APASINFO", {"DATASTATE": "1"}, TELPHONE="13957126845", DATAVERSION=2)
    hub.pull()
    assert service.refresh(hub.runtime.engine, NOW + timedelta(days=1)).fixed == 1
    closed = one(hub.runtime, "phone_invalid")
    assert (closed.code, closed.status, closed.closed_at) == (code, "fixed", NOW + timedelta(days=1))
    assert service.listed(hub.runtime.engine, rule="phone_invalid") == []

    faulty.change("PRE_APASINFO", {"PROJID": "C3"}, TELPHONE="12", DATAVERSION=3)
    hub.pull()
    service.refresh(hub.runtime.engine, NOW + timedelta(days=2))
    again = one(hub.runtime, "phone_invalid")
    assert (again.code, again.status, again.records, again.closed_at) == (code, "new", 1, None)
    assert again.first_seen == closed.first_seen
    assert steps(hub.runtime, code) == ["opened", "fixed", "reopened"]


def test_a_pull_that_did_not_come_to_its_end_closes_nothing(
    hub: Hub, faulty: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.pull()
    service.refresh(hub.runtime.engine, NOW)
    faulty.change("PRE_APASINFO", {"DATASTATE": "1"}, TELPHONE="13957126845", DATAVERSION=2)

    def broken(*_: Any) -> None:
        raise StopSource(source="labour", got="the line was cut")

    with monkeypatch.context() as cut:
        cut.setattr("pipeline.writing.units.finish", broken)
        with pytest.raises(StopSource):
            hub.pull()
    assert hub.one("SELECT count(*) FROM quality.finding WHERE rule = 'phone_invalid' AND state = 'open'") == 0
    assert service.refresh(hub.runtime.engine, NOW).fixed == 0
    assert one(hub.runtime, "phone_invalid").closed_at is None
    hub.pull()
    assert service.refresh(hub.runtime.engine, NOW).fixed == 1


def test_two_refreshes_at_once_open_each_issue_once(hub: Hub, faulty: Department) -> None:
    hub.pull()
    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda _: service.refresh(hub.runtime.engine, NOW), range(2)))
    assert min(one.opened for one in done) == 0
    issues = service.listed(hub.runtime.engine)
    assert len(issues) == max(one.opened for one in done)
    assert all(steps(hub.runtime, issue.code) == ["opened"] for issue in issues)


def test_a_person_does_not_wait_while_a_run_gathers(hub: Hub, faulty: Department) -> None:
    hub.pull()
    service.refresh(hub.runtime.engine, NOW)
    code = one(hub.runtime, "phone_invalid").code
    with hub.runtime.engine.begin() as gathering:
        alone(gathering)
        service.acknowledge(hub.runtime.engine, code, actor="cli:li")
        assert one(hub.runtime, "phone_invalid").status == "acknowledged"


def test_a_set_that_failed_is_an_issue_until_its_suite_ran_clean(hub: Hub, faulty: Department) -> None:
    hub.pull()
    rule = next(code for code, rule in RULES.items() if rule.scope == "case")
    stream = hub.one("SELECT stream_id FROM ledger.stream WHERE name = 'PRE_NODE'")
    result(hub.runtime, stream=stream, rule=rule, unexpected=7, elements=40)
    service.refresh(hub.runtime.engine, NOW)
    issue = one(hub.runtime, rule)
    assert (issue.records, issue.of_records, issue.organ) == (7, 40, ORGAN)
    [sample] = service.samples(hub.runtime.engine, issue.code)
    assert (sample.unit, sample.shown) == ("stage_event", "7 / 40")


def test_an_issue_of_a_set_waits_for_the_next_run_of_its_suite(
    hub: Hub, faulty: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.pull()
    stream = hub.one("SELECT stream_id FROM ledger.stream WHERE name = 'PRE_NODE'")
    rule = next((code for code, rule in RULES.items() if rule.scope == "set"), "set_rule")
    if rule == "set_rule":
        monkeypatch.setattr("quality.issues.terms.of_rules", of_rules_with_a_set_rule)
    result(hub.runtime, stream=stream, rule=rule, unexpected=7, elements=40)
    service.refresh(hub.runtime.engine, NOW)
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM quality.set_result")
    assert service.refresh(hub.runtime.engine, NOW).fixed == 0, "a run that left no result has not looked"
    result(hub.runtime, stream=stream, rule=rule, unexpected=0, elements=40, success=True, at=NOW + timedelta(hours=1))
    assert service.refresh(hub.runtime.engine, NOW + timedelta(hours=2)).fixed == 1


def test_a_late_feed_is_an_issue_that_only_a_look_at_the_feeds_closes(hub: Hub, department: Department) -> None:
    department.case("C1")
    hub.pull()
    late = FeedFault("labour", "PRE_NODE", ORGAN, "late_feed", NOW - timedelta(hours=3))
    assert service.refresh(hub.runtime.engine, NOW, [late]).opened == 1
    assert one(hub.runtime, "late_feed").first_seen == NOW - timedelta(hours=3)
    assert service.refresh(hub.runtime.engine, NOW).fixed == 0
    well = FeedFault("labour", "PRE_NODE", ORGAN, None, NOW)
    assert service.refresh(hub.runtime.engine, NOW, [well]).fixed == 1


def test_an_accepted_issue_speaks_again_when_more_records_show_it(hub: Hub, faulty: Department) -> None:
    hub.pull()
    service.refresh(hub.runtime.engine, NOW)
    code = one(hub.runtime, "phone_invalid").code
    service.accept(hub.runtime.engine, code, actor="cli:li", reason="old cases, numbers are lost", now=NOW)
    assert service.refresh(hub.runtime.engine, NOW).grown == 0
    assert one(hub.runtime, "phone_invalid").status == "accepted"
    faulty.change("PRE_APASINFO", {"PROJID": "C3"}, TELPHONE="12", DATAVERSION=2)
    hub.pull()
    assert service.refresh(hub.runtime.engine, NOW).grown == 1
    grown = one(hub.runtime, "phone_invalid")
    assert (grown.status, grown.reason, grown.accepted_records) == ("new", None, None)
    assert steps(hub.runtime, code) == ["opened", "accepted", "grown"]


def test_a_snoozed_issue_wakes_on_its_day(hub: Hub, faulty: Department) -> None:
    hub.pull()
    service.refresh(hub.runtime.engine, NOW)
    code = one(hub.runtime, "phone_invalid").code
    service.snooze(hub.runtime.engine, code, actor="cli:li", until=date(2026, 3, 12), reason="moving house", now=NOW)
    service.refresh(hub.runtime.engine, NOW + timedelta(days=1))
    assert one(hub.runtime, "phone_invalid").status == "snoozed"
    service.refresh(hub.runtime.engine, NOW + timedelta(days=2))
    assert one(hub.runtime, "phone_invalid").status == "acknowledged"
    assert steps(hub.runtime, code) == ["opened", "snoozed", "woke"]


def test_a_fault_without_an_organ_stands_under_its_source(hub: Hub, department: Department) -> None:
    department.declare(each={"budget": {"records": 0}})
    department.put("PRE_NODE", UNID="", PROJID="C1")
    hub.pull()
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE core.source_system SET organ = NULL")  # as where rows name their organ
    service.refresh(hub.runtime.engine, NOW)
    assert one(hub.runtime, "error_budget").organ == ""


def test_samples_show_places_and_masked_keys(hub: Hub, faulty: Department) -> None:
    faulty.case("C12345678901234", TELPHONE="12")
    hub.pull()
    service.refresh(hub.runtime.engine, NOW)
    found = service.samples(hub.runtime.engine, one(hub.runtime, "phone_invalid").code)
    assert {sample.key for sample in found} == {"C1", "C2", "C12…234"}
    assert {sample.pointer for sample in found} == {"/TELPHONE"}
    assert {sample.shown for sample in found} == {None}, "a phone number is of a person"
    assert len(service.samples(hub.runtime.engine, one(hub.runtime, "phone_invalid").code, limit=1)) == 1


def test_an_unknown_code_says_where_the_codes_are_listed(runtime: Runtime) -> None:
    for deed in (service.found, service.events, service.samples):
        with pytest.raises(service.NoSuchIssue, match="hub quality issues list"):
            deed(runtime.engine, "Q-NOPE")  # type: ignore[operator]  # all three take an engine and a code


def test_the_set_of_organs_is_what_the_view_says(hub: Hub, faulty: Department) -> None:
    other = "11330000002482285K"
    faulty.case("C9", SS_ORGCODE=other)
    faulty.put("PRE_NODE", UNID="orphan", PROJID="nobody's")
    faulty.put("PRE_NODE", UNID="bad", PROJID="C1", PHASE_CODE="NOBODY")
    hub.pull()
    with hub.runtime.engine.begin() as connection:
        gather(connection)
        mine, view = (
            {tuple(row) for row in connection.execute(sa.text(f"SELECT record_id, stream_id, organ FROM {name}"))}
            for name in ("record_place", "quality.record_organ")
        )
    assert mine == view
    assert {organ for _, _, organ in mine} == {ORGAN, other}


# --- the law: what stands open depends on what is wrong now, not on the order in which it was found ---

FAULTS = st.lists(
    st.tuples(
        st.sampled_from(["phone_invalid", "future_time", "stage_order"]),
        st.sampled_from(["", "a", "b"]),
        st.integers(0, 4),
        st.booleans(),
    ),
    max_size=12,
)


@examples(max_examples=25)
@given(FAULTS, st.randoms(use_true_random=False))
def test_a_refresh_is_idempotent_and_free_of_order(
    shared_runtime: Runtime, faults: list[tuple[str, str, int, bool]], order: random.Random
) -> None:
    states = []
    for shuffled in (False, True):
        wipe(shared_runtime)
        mine = list(faults)
        if shuffled:
            order.shuffle(mine)
        for fault in mine:
            write(shared_runtime, *fault)
            if shuffled and order.random() < 0.5:
                service.refresh(shared_runtime.engine, NOW)
        service.refresh(shared_runtime.engine, NOW)
        state = standing(shared_runtime)
        again = service.refresh(shared_runtime.engine, NOW + timedelta(hours=1))
        assert again == service.Refreshed()
        assert standing(shared_runtime) == state
        states.append({(issue.code, issue.records, issue.status) for issue in state if issue.closed_at is None})
    assert states[0] == states[1]
    expected = {(rule, field) for rule, field, _, is_open in faults if is_open}
    assert {(issue.rule, issue.field) for issue in state if issue.closed_at is None} == expected


@pytest.fixture(scope="module")
def shared_runtime(server: Any, template: str, key_ring: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    _execute(server, f"CREATE DATABASE hub_issues TEMPLATE {template}")
    home = tmp_path_factory.mktemp("issues")
    opened = Runtime.open(Settings(home=home, database_url=server.url("hub_issues"), keys=key_ring, sources=()))
    with opened.engine.begin() as connection:
        connection.exec_driver_sql(
            """INSERT INTO core.source_system (code, title, organ, kind) VALUES ('s', 's', 'O', 'push');
               INSERT INTO ledger.stream (source_system_id, name) VALUES (1, 'rows');
               INSERT INTO ledger.batch (source_system_id, seq, stream_id, kind, mapping_version, read_at, recorded_at,
                   read) VALUES (1, 1, 1, 'pull', 'm', '2026-03-09Z', '2026-03-09Z', 0);
               INSERT INTO ledger.source_record
                   (stream_id, source_key, received_hash, state, first_batch_id, batch_id, row)
               SELECT 1, 'k' || n, '', 'kept', 1, 1, n FROM generate_series(1, 5) AS n"""
        )
    yield opened
    opened.engine.dispose()
    _execute(server, "DROP DATABASE hub_issues WITH (FORCE)")


def wipe(runtime: Runtime) -> None:
    with runtime.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE quality.issue, quality.issue_event, quality.finding")


def write(runtime: Runtime, rule: str, field: str, record: int, is_open: bool) -> None:
    with runtime.engine.begin() as connection:
        connection.execute(
            sa.text(
                """INSERT INTO quality.finding (stream_id, record_id, rule, effect, field, state, batch_id)
                   VALUES (1, nullif(:record, 0), :rule, 'flag', nullif(:field, ''), :state, 1)"""
            ),
            {"rule": rule, "field": field, "record": record, "state": "open" if is_open else "closed"},
        )


def standing(runtime: Runtime) -> list[Issue]:
    return service.listed(runtime.engine, closed=True)


def result(
    runtime: Runtime, *, stream: int, rule: str, unexpected: int, elements: int, success: bool = False,
    at: datetime = NOW,
) -> None:  # fmt: skip
    with runtime.engine.begin() as connection:
        connection.execute(
            sa.text(
                """INSERT INTO quality.set_result
                       (run_id, at, suite, expectation, rule, organ, stream_id, success, unexpected, elements)
                   VALUES (1, :at, 'stage_event', 'a sentence', :rule, :organ, :stream, :success, :bad, :of)"""
            ),
            {"at": at, "rule": rule, "organ": ORGAN, "stream": stream, "success": success, "bad": unexpected,
             "of": elements},
        )  # fmt: skip


def of_rules_with_a_set_rule(day: date) -> list[dict[str, Any]]:
    return [{"rule": "set_rule", "scope": "set", "severity": "high", "owner": "department", "due": day.isoformat(),
             "provisional": False, "step": day.isoformat()}]  # fmt: skip
