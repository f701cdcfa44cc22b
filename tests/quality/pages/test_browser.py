"""The pages in a real browser: the steward's way, by keyboard alone, in both languages, without barriers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from hub.visitor import DEPARTMENT
from quality.pages.routes import today
from quality.scores import service as scores
from tests.departments import ORGAN
from tests.quality.pages import chromium, province
from tests.quality.pages.conftest import Pages
from tests.quality.pages.journey import Mend, mended
from web.accounts import service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium, in which each person has a window that knows nothing of the others."""
    with chromium.running() as running:
        yield running


@pytest.fixture
def stewards(pages: Pages) -> Pages:
    """The hub, with two stewards."""
    for code in ("anna", "bernd"):
        service.make(
            pages.runtime.engine, code=code, name="王萍", roles=["steward"], organ=None, actor="cli:test",
            password="correct horse battery staple",
        )  # fmt: skip
    return pages


def test_two_stewards_mend_a_record_and_see_the_fault_close(browser: Browser, stewards: Pages) -> None:
    seen = []
    worst = scores.overview(stewards.runtime.engine, today())[0].organ
    source = "labour" if worst == ORGAN else "other"
    mend = Mend(source, "unknown_code", "PHASE_CODE", "ACCEPT")
    mended(browser, stewards.url, mend, stewards.refresh, lambda page, name: seen.append((name, page.title())))
    assert len(seen) == 7


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_has_a_barrier(browser: Browser, stewards: Pages, language: str) -> None:
    entry, issue = stewards.entry("labour"), stewards.issue(ORGAN)
    paths = [
        "/quality", f"/quality/organs/{ORGAN}", "/quality/issues", f"/quality/issues/{issue}", "/quality/quarantine",
        f"/quality/records/quarantined/{entry}", "/quality/quarantine?kind=flagged", "/quality/batches",
    ]  # fmt: skip
    with chromium.person(browser, stewards.url, "anna", language) as page:
        for path in paths:
            page.goto(stewards.url + path)
            assert chromium.barriers(page) == [], path
        page.set_viewport_size({"width": 360, "height": 700})
        page.goto(f"{stewards.url}/quality")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, "a narrow screen scrolls the table only"
        report = f"{stewards.url}/quality/organs/{ORGAN}/report/{today():%Y-%m}?show=1&language={language}"
        page.goto(report)
        assert chromium.barriers(page) == []
    with browser.new_context(locale=chromium.LOCALES[language]) as context:
        page = context.new_page()
        page.goto(f"{stewards.url}/sign-in")
        assert chromium.barriers(page) == []


@pytest.mark.long
def test_the_way_on_the_demonstrations_own_data(browser: Browser, tmp_path: Path) -> None:
    with province.demonstrated(tmp_path / "home") as (url, runtime):
        mended(browser, url, province.MEND, lambda: province.quality(runtime), lambda page, name: None)


def test_barriers_are_found(browser: Browser) -> None:
    """A check that finds nothing on a bad page would be none."""
    page = browser.new_page()
    page.set_content(
        "<h1>a</h1><h3>b</h3><img src='data:,'><a href='/'></a><input><table><tr><th>x</th></tr></table>"
        "<p style='color:#aaa'>pale</p><p id='x'></p><p id='x'></p><div tabindex='3'></div>"
    )
    found = " ".join(chromium.barriers(page))
    for what in ("language", "main", "skips", "alt", "name", "label", "caption", "scope", "contrast", "twice", "order"):
        assert what in found


def test_the_overview_is_used_by_keyboard_alone(browser: Browser, stewards: Pages) -> None:
    with chromium.person(browser, stewards.url, "anna", "en") as page:
        page.goto(f"{stewards.url}/quality")
        page.keyboard.press("Tab")
        assert _focused(page) == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.goto(f"{stewards.url}/quality")
        reached = []
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                break  # the way round is done
            reached.append(_focused(page))
            assert page.evaluate(_VISIBLE), f"where the keyboard is cannot be seen: {reached[-1]}"
        for word in ("Overview", "Quarantine", "中文", "Sign out", "Province", "open issues"):
            assert any(word in one for one in reached), word
        page.goto(f"{stewards.url}/quality")
        page.locator("table.heat tbody th a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/quality/organs/*")
        page.locator("details summary").first.focus()
        page.keyboard.press("Enter")
        assert page.locator("details").first.get_attribute("open") is not None


def _tab_to(page: Page, word: str) -> None:
    """Go on by the Tab key until this word, or a field of this name, has the focus; where the focus is can be seen."""
    for _ in range(200):
        page.keyboard.press("Tab")
        assert page.evaluate(_VISIBLE), f"where the keyboard is cannot be seen, on the way to {word}"
        if word in (_focused(page), *page.evaluate("[document.activeElement.name, document.activeElement.id]")):
            return
    raise AssertionError(f"the keyboard never reaches {word}")


def test_a_record_is_found_and_corrected_by_keyboard_alone(browser: Browser, stewards: Pages) -> None:
    entry, issue = str(stewards.entry("labour")), stewards.issue(ORGAN)
    with chromium.person(browser, stewards.url, "anna", "zh") as page:
        page.goto(f"{stewards.url}/quality/organs/{ORGAN}")
        _tab_to(page, "本部门待处理记录")
        page.keyboard.press("Enter")
        page.wait_for_url("**/quality/quarantine?organ=*")
        _tab_to(page, entry)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/quality/records/quarantined/{entry}")
        _tab_to(page, "to:/PHASE_CODE")
        page.keyboard.type("ACCEPT")
        _tab_to(page, "reason-propose")
        page.keyboard.type("部门来函确认")
        _tab_to(page, "提交更正建议")
        page.keyboard.press("Enter")
        page.wait_for_selector("p.done")
        page.goto(f"{stewards.url}/quality/issues/{issue}")
        _tab_to(page, "受理")
        page.keyboard.press("Enter")
        page.wait_for_selector("p.done")
        assert "已受理" in page.inner_text("dl.facts")


def test_the_chart_is_drawn_and_its_table_says_the_same(browser: Browser, stewards: Pages) -> None:
    with chromium.person(browser, stewards.url, "anna", "en") as page:
        page.goto(f"{stewards.url}/quality/organs/{ORGAN}")
        page.wait_for_function("window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle")
        assert page.locator("#trend > *").count() == 1
        page.locator("summary", has_text="The trend as a table").click()
        assert page.locator("details").first.get_by_role("row").filter(has_text=today().isoformat()).count() == 1


def test_without_javascript_every_deed_is_done(browser: Browser, stewards: Pages) -> None:
    with chromium.person(browser, stewards.url, "anna", "en", java_script_enabled=False) as page:
        page.goto(f"{stewards.url}/quality/issues/{stewards.issue(ORGAN)}")
        page.get_by_role("button", name="Take up").click()
        page.wait_for_selector("p.done")
        page.goto(f"{stewards.url}/quality/records/quarantined/{stewards.entry('labour')}")
        page.locator("#reason-reveal").fill("a complaint")
        page.get_by_role("button", name="Show values").click()
        assert "机密意见" in page.inner_text("main")


def test_the_language_switch_stays_on_the_page(browser: Browser, stewards: Pages) -> None:
    stewards.browser(DEPARTMENT)
    with chromium.person(browser, stewards.url, "department-steward", "zh") as page:
        page.goto(f"{stewards.url}/quality/organs/{ORGAN}")
        page.get_by_role("link", name="English").click()
        page.wait_for_url(f"**/quality/organs/{ORGAN}")
        assert page.get_attribute("html", "lang") == "en"
        assert "Feeds" in page.inner_text("main")


_VISIBLE = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}"""


def _focused(page: Page) -> str:
    said: str = page.evaluate(
        "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || '').trim()"
    )
    return said
