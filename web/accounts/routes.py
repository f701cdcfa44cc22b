"""Signing in and out, picking a language, and the administrators' view of accounts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from hub.refusals import NotFound, RequestRefused, TooMany
from hub.sentences import sentence
from hub.visitor import ACCOUNTS, CARDS, CATALOGUE, CONFIRM, SEE, SETTLE, Visitor
from hub.words import LANGUAGES
from pipeline.runtime import Runtime
from web import forms
from web.accounts import cookies, entry, oidc, service, sessions
from web.accounts.door import address_of, seated
from web.accounts.service import Account
from web.pages import Pages, local
from web.state import state_of

open_router = APIRouter(include_in_schema=False)
"""What anybody may ask for: the way in."""
router = APIRouter(include_in_schema=False)
"""What only persons who are signed in may ask for."""

_A_YEAR = 365 * 24 * 3600


@open_router.get("/sign-in")
async def sign_in_page(request: Request) -> Response:
    """Show the sign-in form; who is signed in already goes on."""
    target = local(request.query_params.get("next"))
    if await run_in_threadpool(seated, request) is not None:
        return _to(target)
    return _form(request, target)


@open_router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Sign a person in by code and password."""
    form = await forms.read(request)
    runtime = state_of(request).runtime
    forms.must_be_ours(form, _browsers_word(runtime, cookies.read(request, cookies.FORM)))
    target = local(form.get("next"))
    try:
        account = await run_in_threadpool(
            entry.by_password, runtime, code=form.get("code", ""), password=form.get("password", ""),
            address=address_of(request), mark=cookies.read(request, cookies.KNOWN),
        )  # fmt: skip
    except TooMany as error:
        return _form(request, target, trouble="sign_in.pause", refused=error, code=form.get("code", ""))
    if account is None:
        return _form(request, target, trouble="sign_in.wrong", code=form.get("code", ""))
    return await _seat(request, account, target, manner="password")


@open_router.get("/sign-in/provider")
async def to_provider(request: Request) -> Response:
    """Send a person to the OpenID provider."""
    provider = _provider(request)
    secret = sessions.new_token()
    address = await run_in_threadpool(provider.way_there, secret, _return_address(request))
    answer = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    target = local(request.query_params.get("next"))
    cookies.put(request, answer, cookies.PROVIDER, f"{secret}.{target}", seconds=oidc.SECONDS)
    return answer


@open_router.get("/sign-in/return")
async def from_provider(request: Request) -> Response:
    """Sign a person in whom the OpenID provider sends back."""
    provider, runtime = _provider(request), state_of(request).runtime
    secret, _, target = (cookies.read(request, cookies.PROVIDER) or "").partition(".")
    try:
        person = await run_in_threadpool(provider.person, secret, _return_address(request), str(request.url))
        account = await run_in_threadpool(oidc.account_of, runtime.engine, person)
    except RequestRefused as error:
        answer = _form(request, local(target), trouble="sign_in.provider", refused=error)
    else:
        answer = await _seat(request, account, local(target), manner="provider")
    cookies.drop(request, answer, cookies.PROVIDER)
    return answer


@open_router.get("/language/{language}")
async def pick_language(request: Request, language: str) -> Response:
    """Keep the language that a reader picked, and go back to the page."""
    if language not in LANGUAGES:
        raise NotFound(
            "this language is not spoken here", hint=sentence("There are {known}.", known=", ".join(LANGUAGES))
        )
    answer = _to(local(request.query_params.get("to")))
    cookies.put(request, answer, cookies.LANGUAGE, language, seconds=_A_YEAR)
    return answer


@router.get("/")
async def home(request: Request) -> Response:
    """Go to the first page that the person may see."""
    visitor: Visitor = request.state.visitor
    first = {
        CARDS: "/supervision", SEE: "/quality", CATALOGUE: "/catalogue", CONFIRM: "/inquiries", SETTLE: "/unmatched",
        ACCOUNTS: "/accounts",
    }  # fmt: skip
    return _to(next((address for right, address in first.items() if visitor.may(right)), "/items"))


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session."""
    runtime, seat = state_of(request).runtime, request.state.seat
    await run_in_threadpool(sessions.end, runtime.engine, runtime.protector, seat.token)
    answer = _to("/sign-in")
    cookies.drop(request, answer, cookies.SESSION)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.get("/accounts")
async def accounts(request: Request) -> Response:
    """Show the accounts and the newest lines of their log."""
    request.state.visitor.must(ACCOUNTS)
    engine = state_of(request).runtime.engine
    rows = await run_in_threadpool(service.listed, engine)
    events = await run_in_threadpool(service.events, engine)
    return _pages(request).answer(request, "accounts.html", rows=rows, events=events)


async def _seat(request: Request, account: Account, target: str, *, manner: str) -> Response:
    runtime = state_of(request).runtime
    before = cookies.read(request, cookies.SESSION)
    token = await run_in_threadpool(
        entry.begin, runtime, account, address=address_of(request), manner=manner, before=before
    )
    answer = _to(target)
    cookies.put(request, answer, cookies.SESSION, token, seconds=runtime.settings.session_hours * 3600)
    cookies.drop(request, answer, cookies.FORM)
    if manner == "password":
        mark = entry.new_mark(runtime.protector, account.visitor.code)
        cookies.put(request, answer, cookies.KNOWN, mark, seconds=_A_YEAR)
    return answer


def _form(request: Request, target: str, *, trouble: str | None = None, **values: Any) -> Response:
    """Answer with the sign-in form, bound to this browser by a number in a cookie."""
    runtime = state_of(request).runtime
    browser = cookies.read(request, cookies.FORM) or sessions.new_token()
    refused: RequestRefused | None = values.pop("refused", None)
    status = 200 if trouble is None else HTTPStatus.UNAUTHORIZED if refused is None else refused.status
    shown = {
        "target": target, "trouble": trouble, "refused": refused, "code": "",
        "browser_word": _browsers_word(runtime, browser),
        "provider": oidc.configured(runtime.settings),
    }  # fmt: skip
    answer = _pages(request).answer(request, "sign_in.html", status=status, **(shown | values))
    if refused is not None and refused.after_seconds is not None:
        answer.headers["Retry-After"] = str(max(1, round(refused.after_seconds)))
    cookies.put(request, answer, cookies.FORM, browser)
    return answer


def _browsers_word(runtime: Runtime, browser: str | None) -> str:
    """Return the word of a browser's sign-in form; without its cookie no form fits."""
    return sessions.form_word(runtime.protector, f"browser {browser or sessions.new_token()}")


def _provider(request: Request) -> oidc.Provider:
    found: oidc.Provider | None = request.app.state.provider
    if found is None:
        raise NotFound("no OpenID provider is set", hint="Sign in with code and password.")
    return found


def _return_address(request: Request) -> str:
    base = state_of(request).runtime.settings.web_url or str(request.base_url).rstrip("/")
    return f"{base}/sign-in/return"


def _pages(request: Request) -> Pages:
    found: Pages = request.app.state.pages
    return found


def _to(target: str) -> Response:
    return RedirectResponse(target, HTTPStatus.SEE_OTHER)
