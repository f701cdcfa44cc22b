"""Pages: templates of all packages in the reader's language, with headers that let a browser load only our own."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.refusals import NotSignedIn, RequestRefused
from hub.templating import environment
from hub.visitor import ACCOUNTS, CATALOGUE, CONFIRM, SEE, SETTLE, SUPERVISE
from hub.words import HTML_LANG, LANGUAGES, Words, chosen
from web import static
from web.accounts import cookies

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent
FOLDERS = (
    _HERE / "templates", _ROOT / "quality" / "pages" / "templates", _ROOT / "catalog" / "pages" / "templates",
    _ROOT / "supervision" / "appraisal" / "templates",
    _ROOT / "supervision" / "pages" / "templates",
    _ROOT / "verification" / "pages" / "templates",
)  # fmt: skip
"""Where the packages keep the templates of their pages."""

NAVIGATION = (
    ("/supervision", "nav.supervision", SUPERVISE),
    ("/quality", "nav.overview", SEE),
    ("/quality/issues", "nav.issues", SEE),
    ("/quality/quarantine", "nav.quarantine", SEE),
    ("/quality/batches", "nav.batches", SEE),
    ("/quality/log", "nav.log", SEE),
    ("/catalogue", "nav.catalogue", CATALOGUE),
    ("/inquiries", "nav.inquiries", CONFIRM),
    ("/inquiries", "nav.inquiries", SUPERVISE),
    ("/unmatched", "nav.unmatched", SETTLE),
    ("/accounts", "nav.accounts", ACCOUNTS),
)
"""What stands in the head of each page, and the right that it needs."""

PUBLIC = (
    ("/items", "nav.items"),
    ("/items/changes", "nav.changes"),
    ("/items/review", "nav.review"),
    ("/ranking", "nav.ranking"),
)
"""What stands there for everybody."""

_LONGEST_TARGET = 1_000
_LOCAL = re.compile(r"/(?![/\\])[!-~]*")


class Pages:
    """Fills templates and answers with them; one serves the whole application."""

    def __init__(self) -> None:
        self._templates = environment(FOLDERS)

    def answer(self, request: Request, template: str, *, status: int = 200, back: str = "/", **values: Any) -> Response:
        """Answer with a page; `back` is where a page that answers a form is found again."""
        language = language_of(request)
        nonce = secrets.token_urlsafe(16)
        seat = getattr(request.state, "seat", None)
        text = self._templates.get_template(template).render(
            t=Words(language),
            language=language,
            html_lang=HTML_LANG[language],
            other_language=next(one for one in LANGUAGES if one != language),
            visitor=None if seat is None else seat.visitor,
            form_word=None if seat is None else seat.form_word,
            here=here(request) if request.method in ("GET", "HEAD") else back,
            path=request.url.path,
            navigation=NAVIGATION,
            public_navigation=PUBLIC,
            static=static.address,
            nonce=nonce,
            **values,
        )
        return HTMLResponse(text, status, headers=_headers(nonce))

    def language(self, request: Request) -> str:
        """Return the language in which a reader is answered."""
        return language_of(request)

    def refusal(self, request: Request, refused: RequestRefused) -> Response:
        """Answer a refused request to a person: the way to the sign-in, or a page that says what to do."""
        if isinstance(refused, NotSignedIn) and request.method in ("GET", "HEAD"):
            return RedirectResponse(f"/sign-in?{urlencode({'next': here(request)})}", HTTPStatus.SEE_OTHER)
        kind = type(refused).__name__
        answer = self.answer(request, "refusal.html", status=refused.status, kind=kind, refused=refused)
        if refused.after_seconds is not None:
            answer.headers["Retry-After"] = str(max(1, round(refused.after_seconds)))
        return answer


def wants_page(request: Request) -> bool:
    """Say whether a person with a browser asks, who is to be answered with a page."""
    api = request.url.path.startswith("/v1/")
    return not api and "text/html" in request.headers.get("accept", "") and hasattr(request.app.state, "pages")


def language_of(request: Request) -> str:
    """Return the language in which a reader is answered."""
    return chosen(request.headers.get("accept-language"), cookies.read(request, cookies.LANGUAGE))


def here(request: Request) -> str:
    """Return the address of a page on this hub, to come back to after signing in."""
    query = request.url.query
    found = quote(request.url.path) + (f"?{query}" if query else "")
    return found if len(found) <= _LONGEST_TARGET else quote(request.url.path)[:_LONGEST_TARGET]


def local(target: str | None, otherwise: str = "/") -> str:
    """Return an address if it leads to a page of this hub, else another one: nobody is sent away from here."""
    if not target or len(target) > _LONGEST_TARGET or not _LOCAL.fullmatch(target):
        return otherwise
    try:
        parts = urlsplit(target)
    except ValueError:
        return otherwise
    return otherwise if parts.scheme or parts.netloc else target


def _headers(nonce: str) -> dict[str, str]:
    rules = (
        "default-src 'none'", "script-src 'self'", f"style-src 'self' 'nonce-{nonce}'", "img-src 'self' data:",
        "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )  # fmt: skip
    return {
        "Content-Security-Policy": "; ".join(rules),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        "Vary": "Accept-Language, Cookie",
    }
