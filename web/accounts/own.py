"""A person's own account: what it may, and another password for it."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from hub.refusals import TooMany
from web.accounts import cookies, entry, passwords, service
from web.accounts.door import address_of
from web.pages import Pages
from web.state import state_of

router = APIRouter(include_in_schema=False)


@router.get("/account")
async def own_account(request: Request) -> Response:
    """Show a person's own account, with the form for another password where it has one here."""
    return await _page(request, changed=request.query_params.get("changed") == "1")


@router.post("/account/password")
async def own_password(request: Request) -> Response:
    """Change a person's own password: the old one is asked for, all other sessions end, this browser begins a new one.

    The old password is counted as at sign-in: an open browser is no way to guess it.
    """
    runtime, form, code = state_of(request).runtime, request.state.form, request.state.visitor.code
    new, again = form.get("new", ""), form.get("again", "")
    if not hmac.compare_digest(new.encode(), again.encode()):
        return await _page(request, trouble="own.differs")
    if passwords.faults_of(new, code):
        return await _page(request, trouble="own.unfit")
    try:
        account = await run_in_threadpool(
            entry.by_password, runtime, code=code, password=form.get("old", ""),
            address=address_of(request), mark=cookies.read(request, cookies.KNOWN),
        )  # fmt: skip
    except TooMany as error:
        return await _page(request, trouble="sign_in.pause", refused=error)
    if account is None:
        return await _page(request, trouble="own.wrong")
    await run_in_threadpool(service.set_password, runtime.engine, code, new, actor=account.visitor.actor)
    token = await run_in_threadpool(
        entry.begin, runtime, account, address=address_of(request), manner="password", before=None
    )
    answer = RedirectResponse("/account?changed=1", HTTPStatus.SEE_OTHER)
    cookies.put(request, answer, cookies.SESSION, token, seconds=runtime.settings.session_hours * 3600)
    return answer


async def _page(
    request: Request, *, changed: bool = False, trouble: str | None = None, refused: TooMany | None = None
) -> Response:
    account = await run_in_threadpool(service.find, state_of(request).runtime.engine, request.state.visitor.code)
    status: Any = 200 if trouble is None else HTTPStatus.UNPROCESSABLE_ENTITY if refused is None else refused.status
    pages: Pages = request.app.state.pages
    answer = pages.answer(
        request, "own_account.html", status=status, back="/account", changed=changed, trouble=trouble, refused=refused,
        local=account is not None and account.password_hash is not None, shortest=passwords.SHORTEST,
        longest=passwords.LONGEST, different=passwords.SHORTEST // 2,
    )  # fmt: skip
    if refused is not None and refused.after_seconds is not None:
        answer.headers["Retry-After"] = str(max(1, round(refused.after_seconds)))
    return answer
