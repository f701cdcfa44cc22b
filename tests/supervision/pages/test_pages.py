"""The wall, the lists and a case, as people read them over HTTP."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from quality.issues import service as issues
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
    assert "Nothing was known of this case" in browser.see(f"{days}?known=2001-01-01").text


def test_a_case(site: Site) -> None:
    for name, number in site.cases.items():
        answer = site.browser("supervisor", language="zh").see(f"/supervision/cases/{number}")
        assert answer.status_code == 200, answer.text
        assert name in answer.text


@pytest.mark.parametrize("what", ["wall", "cases", "cards", "waiting", "trends"])
@pytest.mark.parametrize("kind", ["xlsx", "csv", "pdf"])
def test_files(site: Site, what: str, kind: str) -> None:
    answer = site.browser("supervisor", language="zh").see(f"/supervision/{what}.{kind}")
    assert answer.status_code == 200, answer.text


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
