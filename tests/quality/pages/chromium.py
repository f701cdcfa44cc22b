"""A real Chromium without a screen, and what a page must be like for everybody to use it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.web.browser import PASSWORD

LOCALES = {"zh": "zh-CN", "en": "en-GB"}


@contextmanager
def running() -> Iterator[Browser]:
    """Run the system's Chromium; a test skips where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium fonts-noto-cjk)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def stranger(browser: Browser, url: str, language: str = "zh", **more: Any) -> Iterator[Page]:
    """The window of somebody without an account; whatever the browser complains of fails the test."""
    size = more.pop("viewport", {"width": 1280, "height": 800})
    context = browser.new_context(locale=LOCALES[language], viewport=size, **more)
    context.set_default_timeout(120_000)  # a busy machine is no fault of the page
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("requestfailed", lambda asked: None if _left(asked) else complaints.append(f"failed: {asked.url}"))
    page.on("request", lambda asked: None if asked.url.startswith((url, "data:")) else complaints.append(asked.url))
    try:
        yield page
    finally:
        context.close()
    assert not complaints, f"the browser loads only what is ours, and blocks nothing of it: {complaints}"


@contextmanager
def person(browser: Browser, url: str, code: str, language: str = "zh", **more: Any) -> Iterator[Page]:
    """A person's own window, signed in by the form."""
    with stranger(browser, url, language, **more) as page:
        page.goto(f"{url}/sign-in")
        page.fill("#code", code)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url(lambda address: not address.endswith("/sign-in"))  # each role has its own first page
        yield page


def _left(asked: Request) -> bool:
    """Say whether it is the icon of a page that was left before the icon had come: the browser gives it up."""
    return asked.failure == "net::ERR_ABORTED" and asked.url.endswith("/mark.svg")


def barriers(page: Page) -> list[str]:
    """What keeps somebody from using a page: names, labels, captions, order, contrast (WCAG 2.2 AA)."""
    found: list[str] = page.evaluate(_RULES)
    return found


_RULES = r"""() => {
  const found = [], say = (what, one) => found.push(what + ": " + one.outerHTML.slice(0, 120));
  const all = (query) => [...document.querySelectorAll(query)];
  const name = (one) => (one.getAttribute("aria-label") || one.textContent || one.value || "").trim();
  if (!["zh-Hans", "en"].includes(document.documentElement.lang)) found.push("no language");
  if (!document.title) found.push("no title");
  if (all("h1").length !== 1) found.push("not one h1");
  if (all("main").length !== 1) found.push("not one main");
  let level = 1;
  for (const head of all("h1, h2, h3, h4")) {
    const now = Number(head.tagName[1]);
    if (now > level + 1) say("a heading skips a level", head);
    level = now;
  }
  const ids = all("[id]").map((one) => one.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => found.push("id twice: " + id));
  all("img").filter((one) => !one.hasAttribute("alt")).forEach((one) => say("no alt", one));
  all("a[href], button, summary").filter((one) => !name(one) && !one.querySelector("img[alt]:not([alt=''])"))
    .forEach((one) => say("no name", one));
  all("input:not([type=hidden]), select, textarea")
    .filter((one) => !one.labels.length && !one.getAttribute("aria-label"))
    .forEach((one) => say("no label", one));
  all("table").forEach((one) => {
    if (!one.caption || !one.caption.textContent.trim()) say("no caption", one);
    if (![...one.querySelectorAll("th")].every((head) => head.scope)) say("a head without scope", one);
    if (!one.tHead) say("no head", one);
  });
  all("[tabindex]").filter((one) => one.tabIndex > 0).forEach((one) => say("an order of its own", one));
  all(".wide").filter((one) => one.tabIndex !== 0 || !one.getAttribute("aria-label"))
    .forEach((one) => say("cannot be scrolled by keyboard", one));
  all("nav").filter((one) => !one.getAttribute("aria-label")).forEach((one) => say("a nameless nav", one));
  const parse = (said) => (said.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const part = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const said = parse(getComputedStyle(at).backgroundColor);
      if (said.length === 3 || said[3] === 1) return said;
    }
    return [255, 255, 255];
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !one.checkVisibility() || one.closest("script, style, .skip")) continue;
    const style = getComputedStyle(one), [a, b] = [light(parse(style.color)), light(ground(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.7 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) say("contrast " + ratio.toFixed(2), one);
  }
  return found;
}"""
