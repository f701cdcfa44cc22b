"""A browser without a screen: keeps cookies, follows forms; for what needs no JavaScript."""

from __future__ import annotations

import re
from typing import Any

import requests

HTML = "text/html,application/xhtml+xml"
PASSWORD = "correct horse battery staple"


class Browser(requests.Session):
    """One person's browser at one hub."""

    def __init__(self, hub: str, language: str = "en") -> None:
        super().__init__()
        self.hub = hub
        self.headers.update({"Accept": HTML, "Accept-Language": language})

    def see(self, path: str, **more: Any) -> requests.Response:
        """Open a page."""
        return self.get(self.hub + path, timeout=30, **more)

    def fill_in(self, path: str, fields: dict[str, str] | None = None, *, page: str | None = None, **more: Any) -> Any:
        """Send a form with the word that a page of the hub holds (that of `page`, or the page sent to)."""
        word = form_word(self.see(page or path).text)
        return self.post(self.hub + path, {"form_word": word, **(fields or {})}, timeout=30, **more)

    def sign_in(self, code: str, password: str = PASSWORD, **more: Any) -> requests.Response:
        """Sign in as a person would."""
        answer: requests.Response = self.fill_in("/sign-in", {"code": code, "password": password}, **more)
        return answer


def form_word(page: str) -> str:
    """The word that the forms of a page bring back."""
    found = re.search(r'name="form_word" value="([^"]+)"', page)
    assert found is not None, "the page has no form"
    return found[1]
