"""An officer answers about an option in a real browser, without a mouse, in either language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from pipeline.runtime import Runtime
from tests.quality.pages import chromium
from tests.verification.conftest import Asker
from tests.verification.registry import FIRM, FIRM_NAME, ISSUER, LICENCE, Registry
from tests.verification.test_officers_of_options import LICENSED, asked, catalogue, now, option, undetermined
from tests.web.browser import PASSWORD
from web.accounts import service as accounts

__all__ = ["catalogue"]
WORDS = {
    "zh": ("该持有人是否持有本部门颁发的此类证照", "询问部门的前置条件对持有人的要求", "答复已发出"),
    "en": ("Does the holder have such", "What a prerequisite at the asking", "The answer is given"),
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as running:
        yield running


def tabbed_to(page: Page, name: str, most: int = 40) -> None:
    """Press Tab until the focus is on the element of this name."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('name') || document.activeElement.tagName") == name:
            return
    raise AssertionError(f"no way to {name} by keyboard")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_officer_answers_about_an_option_by_keyboard(
    registry: Registry, asker: Asker, runtime: Runtime, service: str, browser: Browser, language: str
) -> None:
    accounts.make(
        runtime.engine, code="ma.li", name="马丽", roles=["issuing_officer"], organ=ISSUER, password=PASSWORD,
        actor="cli:test",
    )  # fmt: skip
    check = undetermined(asker)
    asked(asker, check, **LICENSED)
    question, caption, done = WORDS[language]
    with chromium.person(browser, service, "ma.li", language) as page:
        page.goto(f"{service}/inquiries/1")
        text = page.locator("main").inner_text()
        assert all(one in text for one in (question, caption, LICENCE, FIRM, FIRM_NAME))
        tabbed_to(page, "answer")
        page.keyboard.press("ArrowDown")  # from yes to no
        tabbed_to(page, "reason")
        page.keyboard.type("依登记簿无此证照")
        tabbed_to(page, "BUTTON")
        page.keyboard.press("Enter")
        page.locator(".done").wait_for()
        assert done in page.locator(".done").inner_text()
    assert option(now(asker, check)["answer"], LICENSED)["state"] == "denied"
