"""The wall, the lists and a case, as people read them over HTTP."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import openpyxl
import pytest
import sqlalchemy as sa

from hub.visitor import DEPARTMENT
from hub.workdays import ZONE
from quality.issues import service as issues
from supervision import running
from tests.supervision.pages.conftest import EVIL, OTHER, Site


def test_the_wall_counts_every_open_case_by_department_stage_and_light(site: Site) -> None:
    text = site.browser("supervisor").see("/supervision").text
    assert "人力资源和社会保障厅" in text
    assert EVIL not in text
    assert "&lt;script&gt;" in text
    assert re.search(r'class="light red" href="/supervision/cases\?stage=review&amp;light=red[^"]*"', text)


@pytest.mark.parametrize(
    "path", ["/supervision", "/supervision/cases", "/supervision/cards", "/supervision/waiting", "/supervision/trends"]
)
def test_every_page_answers(site: Site, path: str) -> None:
    for language in ("zh", "en"):
        answer = site.browser("supervisor", language=language).see(path)
        assert answer.status_code == 200, answer.text


def test_the_days_of_a_case_are_told_one_by_one(site: Site) -> None:
    browser = site.browser("supervisor")
    days = f"/supervision/cases/{site.cases['A-red']}/days"
    assert days in browser.see(f"/supervision/cases/{site.cases['A-red']}").text
    text = browser.see(days).text
    assert "the clock is stopped, not counted" in text, "the days of the suspension"
    assert "after the limit" in text
    # A-red was closed by nobody: what is used is what the last of the days told says
    used = re.findall(r'<td class="n">(\d+)</td></tr>', text)[-1]
    assert f"<dt>Used</dt><dd>{used}</dd>" in text
    assert "Nothing was known of this case" in browser.see(f"{days}?known=2001-01-01").text


def test_a_case_whose_clock_stands_still_is_due_as_it_stands_now(site: Site) -> None:
    with site.runtime.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE core.suspension SET started_at = now() - INTERVAL '55 days', ended_at = NULL")
        )
    running.run(site.runtime.engine, full=True)
    case = site.cases["A-red"]
    with site.runtime.engine.connect() as connection:
        row = connection.execute(
            sa.text("SELECT due_at, paused_days, paused_since FROM supervision.clock_now WHERE case_id = :case"),
            {"case": case},
        ).one()
    assert row.paused_days > 20, "stopped 55 days ago"
    browser = site.browser("supervisor")
    due, since = (f"{one.astimezone(ZONE):%Y-%m-%d %H:%M}" for one in (row.due_at, row.paused_since))
    page = browser.see(f"/supervision/cases/{case}").text
    assert f"<b>{due}</b>" in page
    assert f"<b>{row.paused_days}</b><span>working days that do not count" in page
    days = browser.see(f"/supervision/cases/{case}/days").text
    assert f'{due} <span class="tag">stopped since {since}, as it stands now</span>' in days


@pytest.mark.parametrize(
    ("off", "en", "zh"), [(0, "overdue, not yet by a working day", "超期不足 1 日"), (1, "1 day", "1 日")]
)
def test_a_limit_that_ended_on_the_eve_of_a_free_day_is_not_said_to_have_days_left(
    site: Site, off: int, en: str, zh: str
) -> None:
    with site.runtime.engine.begin() as connection:
        connection.execute(
            sa.text("""UPDATE supervision.clock AS c SET due_at = now() + CAST(:hours AS int) * INTERVAL '1 hour',
                           due_ordinal = p.ordinal + :off
                       FROM supervision.calendar_today AS p WHERE p.calendar = c.calendar AND c.case_id = :case"""),
            {"case": site.cases["A-red"], "off": off, "hours": 24 * off or -1},
        )
    for language, said in (("en", en), ("zh", zh)):
        page = site.browser("supervisor", language=language).see(f"/supervision/cases/{site.cases['A-red']}").text
        assert f"<b>{said}</b>" in page, language


def test_a_case(site: Site) -> None:
    for name, number in site.cases.items():
        answer = site.browser("supervisor", language="zh").see(f"/supervision/cases/{number}")
        assert answer.status_code == 200, answer.text
        assert name in answer.text


def test_what_was_put_right_in_the_hub_says_so_on_the_page_of_its_case(site: Site) -> None:
    case = site.cases["A-red"]
    mended = sa.text(
        """INSERT INTO quality.finding (stream_id, record_id, rule, effect, field, pointer, state, batch_id)
           SELECT stream_id, record_id, 'value_mended', 'flag', 'f', :pointer, 'open', batch_id
           FROM ledger.source_record WHERE record_id = :record"""
    )
    with site.runtime.engine.begin() as connection:
        query = sa.text("SELECT record_id FROM core.stage_event WHERE case_id = :case ORDER BY started_at DESC LIMIT 1")
        event = connection.execute(query, {"case": case}).scalar_one()
        connection.execute(mended, [{"record": case, "pointer": "/ACCEPT_TIME"}, {"record": event, "pointer": "/NAME"}])
    text = site.browser("supervisor").see(f"/supervision/cases/{case}").text
    assert re.search(r'mended in the hub</span> <small class="value">/ACCEPT_TIME</small></p>', text)
    assert re.search(r'<th scope="row">[^<]* <span class="tag">mended in the hub</span>[^/]*/NAME', text)
    other = site.browser("supervisor").see(f"/supervision/cases/{site.cases['A-green']}").text
    assert "mended in the hub" not in other


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"deed": "answer", "reason": " "}, "反馈共 0 个字符。请填写 1 至 2000 个字符。"),
        (
            {"deed": "withdraw", "reason": "误发", "cause": "whim"},
            "“whim”不是可选的原因。可选：已整改、客观原因、数据报送迟延、数据差错。",
        ),
        ({"deed": "order", "reason": "请说明", "days": "0"}, "0 个工作日不能作为督办期限。请填写 1 至 250。"),
        ({"deed": "close_order", "reason": "可"}, "没有该牌，或不属于您的范围"),
    ],
    ids=lambda said: said.get("deed") if isinstance(said, dict) else None,
)
def test_what_a_card_refuses_is_told_in_the_readers_language(site: Site, form: dict[str, str], words: str) -> None:
    card = site.number("A-red", "red")
    role = "department_steward" if form["deed"] == "answer" else "supervisor"
    page = f"/supervision/cards/{card}"
    shown = site.browser(role, language="zh").fill_in(page, form, page=page)
    assert shown.status_code in (404, 409)
    assert words in " ".join(shown.text.split())
    assert '<span lang="en">' not in shown.text


@pytest.mark.parametrize("what", ["wall", "cases", "cards", "waiting", "trends"])
@pytest.mark.parametrize("kind", ["xlsx", "csv", "pdf"])
def test_files_hold_what_their_page_shows_and_who_reads_may_see(site: Site, what: str, kind: str) -> None:
    own, other = {
        "wall": ("人力资源和社会保障厅", "alert"), "cases": ("A-red", "B-red"), "waiting": ("A-waits", "B-waits"),
        "cards": (site.number("A-red", "red"), site.number("B-red", "red")),
        "trends": (f"{datetime.now(ZONE):%Y-%m}", ""),
    }[what]  # fmt: skip
    for role, sees in (("supervisor", True), (DEPARTMENT, False)):
        answer = site.browser(role, language="zh").see(f"/supervision/{what}.{kind}")
        assert answer.status_code == 200, answer.text
        if kind == "pdf":
            assert answer.content.startswith(b"%PDF-")
            continue
        text = answer.content.decode("utf-8-sig") if kind == "csv" else cells(answer.content)
        assert own in text
        assert (other in text) == (sees or not other), (role, "another department's")


def cells(book: bytes) -> str:
    """All that stands in a workbook."""
    sheets = openpyxl.load_workbook(io.BytesIO(book), read_only=True)
    return " ".join(str(one) for sheet in sheets for row in sheet.iter_rows(values_only=True) for one in row)


@pytest.mark.parametrize(("language", "feed"), [("en", "supervision"), ("zh", "电子监察")])
def test_cards_that_reach_nobody_stand_among_the_issues_with_a_page_of_their_own(
    site: Site, language: str, feed: str
) -> None:
    issues.refresh(site.runtime.engine, datetime.now(UTC))
    [found] = issues.listed(site.runtime.engine, rule="card_without_recipient")
    assert found.organ == OTHER, "the other department has a register"
    browser = site.browser("supervisor", language=language)
    assert f"<td>{feed}</td>" in browser.see("/quality/issues?rule=card_without_recipient").text
    page = browser.see(f"/quality/issues/{found.code}").text
    assert f"<dd>{feed}</dd>" in page
    assert site.number("B-red", "red") in page
    assert "leader_in_charge" in page
    assert "/quality/quarantine?rule" not in page, "no record of a feed shows it"
    assert f"{feed}" in browser.see(f"/quality/organs/{OTHER}").text
