"""The ranking in a real Chromium: both languages, no barrier, by keyboard from the ranking down to one case."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.quality.pages import chromium
from tests.supervision.appraisal.filling import LATE, ORGAN
from tests.supervision.appraisal.site import MONTH, Site, site

__all__ = ["site"]

PAGE = f"/ranking/{MONTH}"
EVERY = {
    "months": "/ranking",
    "month": PAGE,
    "cities": f"{PAGE}?level=city",
    "unit": f"{PAGE}/unit?level=department&unit={ORGAN}",
    "unranked": f"{PAGE}/unit?level=department&unit={LATE}",
    "evidence": f"{PAGE}/evidence?level=department&unit={ORGAN}&measure=cards_time_yellow",
    "year": "/ranking/years/2026-H2",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    with chromium.running() as running:
        yield running


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_has_a_barrier_and_none_needs_a_script(browser: Browser, site: Site, language: str) -> None:
    with chromium.stranger(browser, site.url, language, java_script_enabled=True) as page:
        for name, path in EVERY.items():
            page.goto(site.url + path)
            assert chromium.barriers(page) == [], path
            page.set_viewport_size({"width": 360, "height": 700})
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, "a narrow screen scrolls tables only"
            page.set_viewport_size({"width": 1280, "height": 900})
            _picture(page, f"{name}-{language}")
        assert page.evaluate("document.scripts.length") == 0


def test_from_the_months_to_the_number_of_one_case_by_keyboard_alone(browser: Browser, site: Site) -> None:
    with chromium.person(browser, site.url, "watch", "zh") as page:
        page.goto(f"{site.url}/ranking")
        _follow(page, f"document.activeElement.getAttribute('href') === '{PAGE}'")
        page.wait_for_url(f"**{PAGE}")
        _follow(page, "document.activeElement.textContent === '人力资源和社会保障厅'")
        page.wait_for_url("**/unit?*")
        _follow(page, "(document.activeElement.getAttribute('href') || '').includes('cards_time_yellow')")
        page.wait_for_url("**/evidence?*")
        assert "C-1008" in page.inner_text("main")
        _picture(page, "evidence-signed-in")


def test_a_department_objects_in_the_hearing(browser: Browser, site: Site) -> None:
    with chromium.person(browser, site.url, "labour", "zh") as page:
        page.goto(f"{site.url}{PAGE}?edition=draft")
        assert chromium.barriers(page) == []
        page.fill("#about", "期限合法")
        page.fill("#said", "黄牌 HP-2026-10-0007 所涉办件已按时办结，请核实。")
        page.press("#about", "Enter")
        page.wait_for_url("**edition=draft*")
        assert "请核实" in page.inner_text("main")
        _picture(page, "hearing")


def _follow(page: Page, there: str) -> None:
    """Press the tabulator until somewhere, then enter; or fail."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate(there):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not reach it: {there}")


def _picture(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for them: `PICTURES=folder pytest …`."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"ranking-{name}.png", full_page=True)
