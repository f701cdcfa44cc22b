"""The wall, the lists and a case, as people read them over HTTP."""

from __future__ import annotations

import re

import pytest

from tests.supervision.pages.conftest import EVIL, Site


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
