"""The steward's way through the pages, in a real browser: from the worst department to a fault that is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Browser, Page

from tests.quality.pages.chromium import person


@dataclass(frozen=True)
class Mend:
    """A refused record of a source: which field is wrong, and what is right."""

    source: str
    rule: str
    field: str
    right: str


Look = Callable[[Page, str], None]


def mended(browser: Browser, url: str, mend: Mend, refresh: Callable[[], None], look: Look) -> None:
    """Two stewards mend a record; `refresh` does what the quality DAG does, `look` is shown each page by name."""
    with person(browser, url, "anna") as anna:
        look(anna, "overview")
        anna.click("table.heat tbody tr:first-child th a")
        anna.wait_for_selector(f"td:has-text('{mend.source}'), th:has-text('{mend.source}')")
        look(anna, "department")
        anna.click("a[href^='/quality/quarantine?organ=']")
        look(anna, "quarantine")
        row = anna.locator("tbody tr", has_text=mend.source).first
        row.locator("th a").click()
        anna.wait_for_url("**/quality/records/quarantined/*")
        record = anna.url
        assert anna.locator("tr.faulty th").first.inner_text().strip().endswith(mend.field)
        look(anna, "record")
        anna.fill(f"input[name='to:/{mend.field}']", mend.right)
        anna.fill("#reason-propose", "部门来函确认")
        anna.get_by_role("button", name="提交更正建议").click()
        anna.wait_for_selector("p.done")
        assert anna.get_by_role("button", name="批准并执行").count() == 0, "nobody approves their own"
    with person(browser, url, "bernd") as bernd:
        bernd.goto(f"{url}/quality/issues?rule={mend.rule}")
        bernd.locator("tbody tr", has_text=mend.source).locator("th a").click()
        bernd.wait_for_url("**/quality/issues/*")
        issue = bernd.url
        look(bernd, "issue")
        bernd.goto(record)
        look(bernd, "proposal")
        bernd.get_by_role("button", name="批准并执行").click()
        bernd.wait_for_selector("p.done")
        assert "该记录已无问题" in bernd.inner_text("main") or "枢纽已更正" in bernd.inner_text("main")
        bernd.goto(f"{url}/quality/quarantine?source={mend.source}&rule={mend.rule}")
        bernd.get_by_role("button", name="重新处理").click()
        bernd.wait_for_selector("p.done")
        assert mend.source not in bernd.inner_text("tbody"), "nothing of this fault waits any more"
        refresh()
        bernd.goto(issue)
        assert "已解决" in bernd.inner_text("dl.facts"), "the issue has closed by itself"
        look(bernd, "fixed")
