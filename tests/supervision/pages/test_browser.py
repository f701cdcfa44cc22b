"""The supervisor's pages in a real browser: a red card from the wall to its withdrawal, and the wall that lives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from hub.visitor import CHIEF, DEPARTMENT
from pipeline.runtime import Runtime
from sharedrepo.access import clients
from tests.posters import Poster
from tests.quality.pages import chromium
from tests.supervision.pages.conftest import Site, ago
from tests.supervision.pages.signing import person
from tests.supervision.world import ITEM, ORGAN, World

HOURLY = f"{ORGAN}2330117022000"
MOST_SECONDS = 5.0
"""From the call of the department's program to the light on the supervisor's screen."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium, in which each person has a window that knows nothing of the others."""
    with chromium.running() as running:
        yield running


def test_a_red_card_goes_from_the_wall_to_its_withdrawal_by_a_superior(browser: Browser, site: Site) -> None:
    watch, chief, clerk = site.account("supervisor"), site.account(CHIEF), site.account(DEPARTMENT)
    number = site.number("A-red", "red")
    with person(browser, site.url, watch, "en") as page:
        page.locator("tr", has_text="人力资源和社会保障厅").locator("a.light.red").click()
        page.get_by_role("link", name="A-red").click()
        assert page.locator("svg.timeline").is_visible()
        page.get_by_role("link", name=number).click()
        assert "Overdue" in page.locator("main").inner_text() or "limit" in page.locator("h1").inner_text()
    with person(browser, site.url, clerk, "en") as page:
        page.goto(f"{site.url}/supervision/cards/{number}")
        said(page, "Give feedback", "申请人所在地道路中断，无法现场核查")
        said(page, "Appeal", "客观原因")
        assert page.get_by_role("button", name="Take down").count() == 0, "a department takes down no card"
    with person(browser, site.url, watch, "en") as page:
        page.goto(f"{site.url}/supervision/cards/{number}")
        page.get_by_label("Cause").select_option("objective")
        said(page, "Take down", "情况属实，建议摘牌")
        assert page.get_by_role("button", name="Approve the withdrawal").count() == 0, "nobody approves the own wish"
    with person(browser, site.url, chief, "en") as page:
        page.goto(f"{site.url}/supervision/cards?asked_down=1")
        page.get_by_role("link", name=number).click()
        said(page, "Approve the withdrawal", "同意")
        assert "Withdrawn" in page.locator("dl.facts").inner_text()
        assert page.locator("form.stacked").count() == 0, "what is withdrawn is at its end"
        life = page.locator("main").inner_text()
        assert all(code in life for code in (f"account:{watch}", f"account:{chief}", f"account:{clerk}"))


def said(page: Page, deed: str, reason: str) -> None:
    """Do a deed with a reason, by its form."""
    form = page.locator("form.stacked", has=page.get_by_role("button", name=deed, exact=True))
    form.locator("textarea").fill(reason)
    form.get_by_role("button", name=deed, exact=True).click()
    page.locator(".done").wait_for()


@pytest.fixture
def poster(place: Path, runtime: Runtime) -> Poster:
    """A department whose program posts to this hub, with an item that promises an hour."""
    made = Poster(place / "sources")
    made.token, _ = clients.make(
        runtime.engine, runtime.protector, code="labour-it", organ=ORGAN, rights=("push:labour",), days=1
    )
    World.of(runtime.engine).item(HOURLY, promised="1 hour", legal="20 working_day", name="一小时办结事项")
    return made


def test_a_stage_event_that_is_posted_changes_the_light_of_its_case_on_the_open_wall_within_five_seconds(
    poster: Poster, browser: Browser, site: Site
) -> None:
    poster.at = site.url
    applied, accepted = (f"{ago(5, hour)}:00" for hour in (9, 10))
    with person(browser, site.url, site.account("supervisor"), "zh") as page:
        green, red = (
            f"tr:has-text('人力资源和社会保障厅') td:nth-of-type(1) a.light.{one}" for one in ("green", "red")
        )
        lights = {one: count(page, one) for one in (green, red)}
        page.locator("tr", has_text="人力资源和社会保障厅").locator("a.light").last.focus()
        row = poster.row("PRE_APASINFO", PROJID="P1", SERVICECODE=HOURLY, RECEIVETIME=applied, CREATE_TIME=applied)
        assert poster.post("PRE_APASINFO", row).status_code == 200
        shown(page, green, lights[green] + 1, MOST_SECONDS)

        event = poster.row("PRE_NODE", UNID="P1-1", PROJID="P1", PHASE_CODE="ACCEPT", START_TIME=accepted,
                           END_TIME=accepted, CREATE_TIME=accepted)  # fmt: skip
        began = time.monotonic()
        assert poster.post("PRE_NODE", event).status_code == 200
        shown(page, red, lights[red] + 1, MOST_SECONDS - (time.monotonic() - began))
        took = time.monotonic() - began
        assert took < MOST_SECONDS, f"the light changed after {took:.1f} s"
        assert count(page, green) == lights[green]
        assert page.evaluate("document.activeElement.matches('a.light')"), "whoever reads by keyboard keeps the place"
        page.locator(red).click()
        assert page.locator("tr", has_text="P1").locator(".light.red").is_visible()


def count(page: Page, light: str) -> int:
    """Return the number that a light of the wall shows; 0 where it is not lit."""
    found = page.locator(light)
    return int(found.inner_text().rsplit(":", 1)[-1].replace(",", "")) if found.count() else 0


def shown(page: Page, light: str, number: int, seconds: float) -> None:
    """Wait until a light of the wall shows a number."""
    ends = time.monotonic() + seconds
    while count(page, light) != number:
        assert time.monotonic() < ends, f"{light} does not show {number}"
        page.wait_for_timeout(50)


def test_an_open_wall_says_so_when_the_hub_is_gone_and_when_the_sign_in_is_over(browser: Browser, site: Site) -> None:
    with person(browser, site.url, site.account("supervisor"), "zh", quiet=True) as page:
        page.context.set_offline(True)
        page.locator("#live.bad").wait_for(timeout=15_000)
        page.context.set_offline(False)
        page.locator("#live:not(.bad)").wait_for(timeout=15_000)
        page.context.clear_cookies()
        page.wait_for_url("**/sign-in?next=*", timeout=15_000)


def test_without_scripts_the_wall_loads_itself_anew(browser: Browser, site: Site) -> None:
    with person(browser, site.url, site.account("supervisor"), "zh", java_script_enabled=False) as page:
        assert page.locator("table.wall").is_visible()
        assert '<meta http-equiv="refresh" content="30">' in page.content().replace("&gt;", ">").replace("&lt;", "<")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_has_a_barrier(browser: Browser, site: Site, language: str) -> None:
    paths = [
        "/supervision", "/supervision?by=city", "/supervision/cases", f"/supervision/cases/{site.cases['A-red']}",
        f"/supervision/cases/{site.cases['A-late']}", "/supervision/cards",
        f"/supervision/cards/{site.number('A-red', 'red')}", "/supervision/waiting", "/supervision/load",
        "/supervision/trends", "/supervision/processes", f"/supervision/processes/{ITEM}",
    ]  # fmt: skip
    with person(browser, site.url, site.account("supervisor"), language) as page:
        for path in paths:
            page.goto(site.url + path)
            assert chromium.barriers(page) == [], path
            page.set_viewport_size({"width": 360, "height": 700})
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
            page.set_viewport_size({"width": 1280, "height": 800})
