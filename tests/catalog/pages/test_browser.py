"""The catalogue in a real browser: without an account, in both languages, by keyboard alone, without barriers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.catalog.pages.conftest import FOOD, OLD, PROPOSED, Site
from tests.quality.pages import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    with chromium.running() as running:
        yield running


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_has_a_barrier_and_none_needs_a_script(browser: Browser, site: Site, language: str) -> None:
    with chromium.stranger(browser, site.url, language, java_script_enabled=True) as page:
        for path in ("/items", f"/items/{FOOD}", f"/items/{OLD}", "/items/changes", "/items/review",
                     f"/items/review/{PROPOSED}"):  # fmt: skip
            page.goto(site.url + path)
            assert chromium.barriers(page) == [], path
            assert page.evaluate("[...document.images].every((one) => one.complete && one.naturalWidth > 0)"), path
            page.set_viewport_size({"width": 360, "height": 700})
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, "a narrow screen scrolls tables only"
            page.set_viewport_size({"width": 1280, "height": 800})
        assert page.evaluate("document.scripts.length") == 0


def test_from_the_list_to_a_prerequisite_and_the_changes_by_keyboard_alone(browser: Browser, site: Site) -> None:
    with chromium.stranger(browser, site.url, "en") as page:
        page.goto(f"{site.url}/items")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        _tab_to(page, "document.activeElement.id === 'q'")
        page.keyboard.type("食品")
        page.keyboard.press("Enter")
        page.wait_for_url("**/items?q=*")
        _tab_to(page, "document.activeElement.textContent.trim() === '食品经营许可'")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/items/{FOOD}")
        assert "All of these must be met" in page.inner_text("main")
        _tab_to(page, "document.activeElement.textContent.trim() === 'Changes of items'")
        page.keyboard.press("Enter")
        page.wait_for_url("**/items/changes")
        assert "handed down" in page.inner_text("main")


def _tab_to(page: Page, there: str) -> None:
    """Press the tabulator until somewhere, or fail."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(there):
            return
    raise AssertionError(f"the keyboard does not reach it: {there}")
