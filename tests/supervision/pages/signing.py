"""A person's window on the supervisor's pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from tests.quality.pages import chromium
from tests.web.browser import PASSWORD


@contextmanager
def person(
    browser: Browser, url: str, code: str, language: str = "zh", *, quiet: bool = False, **more: Any
) -> Iterator[Page]:
    """A person's own window at the wall, signed in by the form; `quiet` bears what the browser complains of."""
    context = browser.new_context(
        locale=chromium.LOCALES[language], viewport=more.pop("viewport", {"width": 1280, "height": 800}), **more
    )
    context.set_default_timeout(120_000)  # a busy machine is no fault of the page
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith((url, "data:")) else complaints.append(asked.url))
    page.goto(f"{url}/sign-in?next=/supervision")
    page.fill("#code", code)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(f"{url}/supervision")
    try:
        yield page
    finally:
        context.close()
    assert quiet or not complaints, f"the browser loads only what is ours, and blocks nothing of it: {complaints}"
