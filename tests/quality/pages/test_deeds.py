"""Deeds on pages, as people do them: by forms, with their names in the logs."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from connectors.loading import load_sources
from hub.visitor import DEPARTMENT
from pipeline.pulls.exchange import exchange
from quality import running
from quality.bounds.service import put
from quality.issues import service as issues
from quality.pages import charts
from quality.pages.overview import province
from quality.pages.routes import today
from tests.departments import ORGAN, Department
from tests.quality.pages.conftest import OTHER, Pages


def test_an_issue_goes_its_way_by_forms(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    code = pages.issue(ORGAN)
    page = f"/quality/issues/{code}"

    def do(deed: str, **fields: str) -> str:
        answer = steward.fill_in(f"{page}/{deed}", fields, page=page)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    assert "taken up" in do("acknowledge")
    do("assign", assignee="account:li", reason="knows the system")
    do("send", reason="their code list is old")
    do("note", reason="called them <b>twice</b>")
    do("snooze", until=(today() + timedelta(days=7)).isoformat(), reason="new release next week")
    shown = do("accept", reason="rare", up_to="3")
    assert "called them &lt;b&gt;twice&lt;/b&gt;" in shown
    found = issues.found(pages.runtime.engine, code)
    assert (found.status, found.assignee, found.accepted_records) == ("accepted", "account:li", 3)
    told = [(one.actor, one.what) for one in issues.events(pages.runtime.engine, code) if one.actor != "hub"]
    assert told == [
        ("account:anna", what) for what in ("acknowledged", "assigned", "sent", "noted", "snoozed", "accepted")
    ]


def test_a_deed_that_does_not_fit_says_so_and_keeps_what_was_typed(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    page = f"/quality/issues/{pages.issue(ORGAN)}"
    late = (today() + timedelta(days=400)).isoformat()
    answer = steward.fill_in(f"{page}/snooze", {"until": late, "reason": "many words of mine"}, page=page)
    assert answer.status_code == 409
    assert "many words of mine" in answer.text
    assert "cannot be put off" in answer.text
    assert steward.fill_in(f"{page}/accept", {"reason": " "}, page=page).status_code == 409, "a reason is needed"
    assert steward.fill_in(f"{page}/snooze", {"until": "tomorrow", "reason": "x"}, page=page).status_code == 400
    assert steward.fill_in(f"{page}/abolish", {"reason": "x"}, page=page).status_code == 404


def test_a_refusal_is_told_in_the_language_of_the_page(pages: Pages) -> None:
    steward = pages.browser("steward", "anna", "zh")
    page = f"/quality/issues/{pages.issue(ORGAN)}"
    late = (today() + timedelta(days=400)).isoformat()
    deed = steward.fill_in(f"{page}/snooze", {"until": late, "reason": "多年以后"}, page=page).text
    assert f"不能暂缓至 {late}。请选择" in deed
    assert "or accept it" not in deed
    for address, words in (
        ("/quality/issues/Q-NONE", "没有此项内容，或属于其他部门"),
        ("/quality/nowhere", "此地址没有内容"),
        (f"{page}/accept", "此地址不能这样打开"),
        ("/quality?level=moon", "可选：省级、市级、县级。"),
        ("/accounts", "您的角色没有此项权限（账号管理）。 具有此权限的角色：系统管理员。"),
    ):
        shown = steward.see(address).text
        assert words in " ".join(shown.split()), address
        assert '<span lang="en">' not in shown, address


def test_a_record_is_mended_with_four_eyes_and_its_issue_closes(pages: Pages) -> None:
    anna, bernd = pages.browser("steward", "anna"), pages.browser("steward", "bernd", "zh")
    page = f"/quality/records/quarantined/{pages.entry('labour')}"
    hidden = anna.see(page).text
    assert "机密意见" not in hidden
    assert re.search(r'<tr class="faulty">\s*<th scope="row"><span class="value">/PHASE_CODE', hidden)
    refused = anna.fill_in(f"{page}/propose", {"to:/PHASE_CODE": "NEVER", "reason": "a guess"}, page=page)
    assert refused.status_code == 409
    assert "The code is not in the code list" in refused.text
    assert 'value="NEVER"' in refused.text
    proposed = anna.fill_in(f"{page}/propose", {"to:/PHASE_CODE": "ACCEPT", "reason": "they confirmed"}, page=page)
    assert "another person approves it" in proposed.text
    assert f'action="{page}/approve"' not in proposed.text, "nobody approves their own"
    number = str(pages.one("SELECT correction_id FROM quality.correction"))
    own = anna.fill_in(f"{page}/approve", {"proposal": number}, page=page)
    assert own.status_code == 409
    assert "four eyes" in own.text
    done = bernd.fill_in(f"{page}/approve", {"proposal": number}, page=page)
    assert "更正已批准并执行" in done.text
    pages.refresh()
    assert (
        pages.one("SELECT status FROM quality.issue WHERE organ = :organ AND rule = 'unknown_code'", organ=ORGAN)
        == "fixed"
    )
    assert f"/quality/records/quarantined/{page.rpartition('/')[2]}" not in anna.see("/quality/quarantine").text
    told = pages.one("SELECT string_agg(actor || ' ' || what, ', ' ORDER BY at) FROM quality.work_log")
    assert told == "account:anna propose, account:bernd approve"


def test_a_proposal_of_another_record_is_not_approved_here(pages: Pages) -> None:
    anna, bernd = pages.browser("steward", "anna"), pages.browser("steward", "bernd")
    mine, theirs = (f"/quality/records/quarantined/{pages.entry(source)}" for source in ("labour", "other"))
    anna.fill_in(f"{theirs}/propose", {"to:/PHASE_CODE": "ACCEPT", "reason": "confirmed"}, page=theirs)
    number = str(pages.one("SELECT correction_id FROM quality.correction"))
    assert bernd.fill_in(f"{mine}/approve", {"proposal": number}, page=mine).status_code == 404
    assert bernd.fill_in(f"{theirs}/reject", {"proposal": number, "reason": "no proof"}, page=theirs).status_code == 200
    assert pages.one("SELECT status FROM quality.correction") == "rejected"


def test_values_are_shown_once_asked_for_and_the_look_is_logged(pages: Pages) -> None:
    steward = pages.browser(DEPARTMENT)
    page = f"/quality/records/quarantined/{pages.entry('labour')}"
    refused = steward.fill_in(f"{page}/reveal", {"reason": " "}, page=page)
    assert (refused.status_code, "机密意见" in refused.text) == (409, False), "a look has a reason"
    shown = steward.fill_in(f"{page}/reveal", {"reason": "a complaint"}, page=page)
    assert "机密意见" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "机密意见" not in steward.see(page).text, "the next look is hidden again"
    logged = pages.one("SELECT actor || ' ' || what || ' ' || reason FROM quality.work_log")
    assert logged == "account:department-steward reveal a complaint"


def test_a_record_is_waived_or_judged_again(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    page = f"/quality/records/quarantined/{pages.entry('labour')}"
    again = steward.fill_in(f"{page}/replay", {}, page=page)
    assert "Judged again" in again.text
    assert "The code is not in the code list" in again.text, "it is as wrong as before"
    assert again.url != f"{steward.hub}{page}?done=record.replay", "it waits on under another number"
    page = f"/quality/records/quarantined/{pages.entry('labour')}"
    assert again.url == f"{steward.hub}{page}?done=record.replay"
    assert steward.fill_in(f"{page}/waive", {"reason": ""}, page=page).status_code == 409
    gone = steward.fill_in(f"{page}/waive", {"reason": "a test record"}, page=page)
    assert gone.url.endswith("/quality/quarantine?done=record.waive"), gone.text
    assert page not in gone.text
    every = "/quality/quarantine?source=other"
    done = steward.fill_in("/quality/quarantine/replay", {"source": "other", "rule": "unknown_code"}, page=every)
    assert "Judged again" in done.text
    wrong = steward.fill_in("/quality/quarantine/replay", {"source": "nowhere"}, page=every)
    assert wrong.status_code == 409


def test_a_held_delivery_is_published_on_a_persons_word(pages: Pages) -> None:
    """What Airflow's question does, the page does, too: reason and person are kept, and nothing waits any more."""
    runtime = pages.runtime
    department = Department(runtime.settings.sources[0], "labour")
    [source] = load_sources([department.folder])
    put(runtime.engine, source, "PRE_NODE", least=100, most=None, reason="a busy office", actor="cli:test")
    department.case("labour-9", DEPTID=ORGAN, SS_ORGCODE=ORGAN)
    assert exchange(source, runtime=runtime, connections=lambda _id: department.url).balanced
    batch = pages.one("SELECT batch_id FROM ledger.batch WHERE status = 'held'")
    steps = """SELECT count(*) FROM core.stage_event AS e JOIN core.approval_case AS c ON c.record_id = e.case_id
               WHERE c.case_number = 'labour-9'"""
    before = pages.one(steps)
    steward, page = pages.browser("steward", "anna", "zh"), "/quality/batches"
    assert "数据量低于下限" in steward.see(page).text
    unsaid = steward.fill_in(f"{page}/{batch}/accept", {"reason": " "}, page=page)
    assert (unsaid.status_code, "没有填写理由" in unsaid.text) == (409, True)
    done = steward.fill_in(f"{page}/{batch}/accept", {"reason": "本周只开一天"}, page=page)
    assert done.url.endswith("/quality/batches?done=batch.accept"), done.text
    assert f"/quality/batches/{batch}/accept" not in done.text
    assert pages.one(steps) == before + 4  # type: ignore[operator]  # a count
    kept = pages.one("SELECT actor || ' ' || reason FROM ledger.batch WHERE kind = 'accept'")
    assert kept == "account:anna 本周只开一天"
    assert steward.fill_in(f"{page}/{batch}/accept", {"reason": "again"}, page=page).status_code == 404


def test_what_could_not_be_read_is_offered_to_nobody(pages: Pages) -> None:
    """A person who publishes it would only be refused: it can be sent again, and nothing else."""
    with pages.runtime.engine.begin() as connection:
        for number, (unit, rule) in enumerate([("cut.xml", "truncated_file"), ("none.csv", "volume_below")]):
            connection.execute(
                sa.text(
                    """WITH held AS (
                           INSERT INTO ledger.batch (source_system_id, seq, stream_id, kind, mapping_version, read_at,
                               recorded_at, read, status, unit)
                           SELECT source_system_id, :seq, stream_id, 'pull', 'm', now(), now(), 0, 'held', :unit
                           FROM ledger.stream ORDER BY stream_id LIMIT 1 RETURNING stream_id, batch_id)
                       INSERT INTO quality.finding (stream_id, batch_id, unit, rule, effect, state)
                       SELECT stream_id, batch_id, :unit, :rule, 'refuse', 'open' FROM held"""
                ),
                {"seq": 9_000 + number, "unit": unit, "rule": rule},
            )
    shown = pages.browser("steward", "anna", "zh").see("/quality/batches").text
    assert "cut.xml" in shown
    assert "只能由部门重新报送" in shown
    assert shown.count("/accept") == 1, "that it was empty a person may confirm"
    assert [one.unit for one in running.held(pages.runtime.engine)] == ["none.csv"]


@pytest.mark.parametrize("organ", [ORGAN, OTHER])
def test_of_equally_clean_departments_the_one_with_grave_issues_stands_first(pages: Pages, organ: str) -> None:
    with pages.runtime.engine.begin() as connection:
        connection.execute(sa.text("UPDATE quality.score SET clean = records"))
        connection.execute(
            sa.text("UPDATE quality.issue SET severity = CASE WHEN organ = :organ THEN 'high' ELSE 'low' END"),
            {"organ": organ},
        )
    rows = province(pages.runtime.engine, today(), level="province").rows
    assert next(row.organ.code for row in rows if row.standing.issues) == organ


def test_days_are_named_below_the_trend_in_even_steps() -> None:
    days = [date(2026, 9, 1) + timedelta(days=number) for number in range(90)]
    named = charts._labelled(days)
    assert (len(named) <= charts.MOST_LABELS, named[-1]) == (True, days[-1])
    assert len({(after - before).days for before, after in pairwise(named)}) == 1
    assert charts._labelled(days[:2]) == days[:2]
    assert charts._labelled([]) == []


def test_the_list_is_filtered_and_paged(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    both = steward.see("/quality/quarantine").text
    assert all(f"/quality/records/quarantined/{pages.entry(one)}" in both for one in ("labour", "other"))
    only = steward.see("/quality/quarantine?source=labour&rule=unknown_code").text
    assert f'/quality/records/quarantined/{pages.entry("other")}"' not in only
    assert "(nothing)" in steward.see("/quality/quarantine?rule=missing_key").text
    after = max(pages.entry(one) for one in ("labour", "other"))
    assert "(nothing)" in steward.see(f"/quality/quarantine?after={after}").text
    assert steward.see("/quality/quarantine?kind=nothing").status_code == 404
    assert steward.see("/quality/quarantine?after=-1").status_code == 400
    assert steward.see("/quality/issues?status=new&severity=medium&from=0").status_code == 200
