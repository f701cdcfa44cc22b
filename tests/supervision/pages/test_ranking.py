"""The ranking's evidence followed down to one case, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pipeline.runtime import Runtime
from supervision.appraisal import editions, freezing
from tests.conftest import Stock
from tests.quality.pages import chromium
from tests.supervision.appraisal import filling
from tests.supervision.pages.conftest import Site
from tests.supervision.pages.signing import person
from tests.web.serving import serving


@pytest.fixture(scope="module")
def stock(template: str) -> Stock:
    """Nothing yet."""
    return Stock(template)


@pytest.fixture
def ranked(runtime: Runtime) -> Iterator[Site]:
    """October 2026, frozen and drafted, with its pages."""
    with runtime.engine.begin() as connection:
        filling.month(connection)
    freezing.freeze(runtime.engine, "2026-10", actor="cli:a", now=datetime(2026, 11, 2, tzinfo=UTC))
    editions.draft(runtime.engine, "2026-10", actor="cli:a")
    with serving(lambda: runtime) as url:
        yield Site(url, runtime)


def test_the_evidence_of_the_ranking_leads_down_to_one_case(ranked: Site) -> None:
    with chromium.running() as browser, person(browser, ranked.url, ranked.account("supervisor"), "en") as page:
        page.get_by_role("navigation", name="Pages of supervision").get_by_role("link", name="Ranking").click()
        assert page.locator("svg.ranked").is_visible()
        assert chromium.barriers(page) == []
        page.locator("tbody a", has_text="自然资源厅").click()
        page.locator("a[href*='measure=closed_late'], a[href*='measure=closed']").first.click()
        number = page.locator("a[href^='/supervision/find']").first
        said = number.inner_text()
        number.click()
        page.wait_for_url("**/supervision/cases/*")
        assert said in page.locator("h1").inner_text()
        assert page.locator("svg.timeline").is_visible()


def test_a_month_that_was_never_ranked_says_so(ranked: Site) -> None:
    browser = ranked.browser("supervisor")
    assert browser.see("/supervision/ranking?month=2020-01").status_code == 200
    assert browser.see("/supervision/ranking?month=soon").status_code == 400
