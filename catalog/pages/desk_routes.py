"""The desks of the catalogue at `/catalogue`: each seat sees what is under way, and does its own deeds."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from catalog import life, service
from catalog.disclosure import Said
from catalog.errors import ContentRefused, Fault, NoSuchItem
from catalog.life import Doer, Proposal, Seat
from catalog.pages import desk
from catalog.pages.wording import in_words
from hub import asking
from hub.asking import chosen, form_of, named, page, visitor_of
from hub.errors import HubError
from hub.refusals import Malformed, NotAllowed, NotFound, RequestRefused
from hub.visitor import CATALOGUE, Visitor
from sharedrepo.models.catalog import CHANGES

router = APIRouter(include_in_schema=False)


@router.get("/catalogue")
async def waiting(request: Request) -> Response:
    """Show what is under way, first of all what waits for this seat."""
    return await _list(request)


@router.post("/catalogue")
async def propose(request: Request) -> Response:
    """Draft a new item, or the next version of one, as its department."""
    visitor, seat, form = _seated(request)
    code = form.get("code", "").strip()
    try:
        content = _content(form)
        if seat == "department":
            await run_in_threadpool(_must_be_own, _engine(request), visitor, code)
        said = Proposal(
            code, cast("life.Change", _known(form.get("change", ""), CHANGES)),
            form.get("reason", ""), content, visitor.organ or "",
            successors=tuple(form.get("successors", "").split()),
        )  # fmt: skip
        await run_in_threadpool(service.propose, _engine(request), said, Doer(visitor.actor, seat))
    except RequestRefused:
        raise
    except HubError as error:
        return await _list(request, trouble=error, typed=form, status=HTTPStatus.CONFLICT)
    return _to(code, "proposed")


@router.get("/catalogue/{code:path}")
async def one(request: Request, code: str) -> Response:
    """Show one item: its life, what is proposed, and the deeds of this seat."""
    return await _shown(request, code)


@router.post("/catalogue/{code:path}")
async def do(request: Request, code: str) -> Response:
    """Do the deed that a form names on the version under way."""
    visitor, seat, form = _seated(request)
    await _desk(request, code)
    what = _known(form.get("deed", ""), (*life.DEEDS, "answer"))
    try:
        await run_in_threadpool(_done, _engine(request), code, what, form, Doer(visitor.actor, seat))
    except RequestRefused:
        raise
    except HubError as error:
        return await _shown(request, code, trouble=error, typed=form, status=HTTPStatus.CONFLICT)
    return _to(code, what)


def _done(engine: sa.Engine, code: str, what: str, form: Any, doer: Doer) -> None:
    opinion = form.get("opinion", "")
    if what == "publish":
        service.publish(engine, code, asking.day(form.get("effective"), "effective"), doer, opinion=opinion)
    elif what == "revise":
        service.revise(engine, code, _content(form) or {}, doer, reason=opinion)
    elif what == "answer":
        if doer.seat != "department":
            raise NotAllowed("the department answers the public", hint="Return the version with an opinion instead.")
        service.answer(engine, code, asking.number(form.get("number"), "number"), opinion, doer)
    else:
        service.act(engine, code, what, doer, opinion=opinion)


async def _list(
    request: Request, *, status: int = 200, trouble: str | HubError | None = None, typed: Any = None
) -> Response:
    visitor, seat, _ = _seated(request)
    rows = await run_in_threadpool(desk.waiting, _engine(request), organ=visitor.organ, seat=seat)
    shown: Response = page(
        request, "catalog/desk.html", status=status, back="/catalogue", rows=rows, seat=seat,
        changes=CHANGES, typed=Said(typed or {}), trouble=trouble,
    )  # fmt: skip
    return shown


async def _shown(
    request: Request, code: str, *, status: int = 200, trouble: str | HubError | None = None, typed: Any = None
) -> Response:
    found, (_, seat, _) = await _desk(request, code), _seated(request)
    text = "" if found.under_way is None else json.dumps(found.under_way["content"], ensure_ascii=False, indent=1)
    shown: Response = page(
        request, "catalog/version.html", status=status, back=f"/catalogue/{quote(code)}", desk=found, item=found.item,
        seat=seat, text=text, done=chosen(request, "done", 20), in_words=in_words, typed=Said(typed or {}),
        trouble=trouble,
    )  # fmt: skip
    return shown


async def _desk(request: Request, code: str) -> desk.Desk:
    visitor, seat, _ = _seated(request)
    try:
        return await run_in_threadpool(desk.desk, _engine(request), named(code), organ=visitor.organ, seat=seat)
    except NoSuchItem:
        raise NotFound("there is no such item, or it is another department's", hint="Go back to the list.") from None


def _seated(request: Request) -> tuple[Visitor, Seat, Any]:
    """Return who asks, the person's seat, and the form, if there is one."""
    visitor = visitor_of(request)
    visitor.must(CATALOGUE)
    return visitor, cast("Seat", visitor.seat), form_of(request) if request.method == "POST" else {}


def _must_be_own(engine: sa.Engine, visitor: Visitor, code: str) -> None:
    """Refuse to propose a version of another department's item; a new item is of the own organ."""
    try:
        desk.desk(engine, code, organ=None, seat="department")
    except NoSuchItem:
        return
    try:
        desk.desk(engine, code, organ=visitor.organ, seat="department")
    except NoSuchItem:
        raise NotFound("this number is another department's", hint="Propose items of your own organ.") from None


def _content(form: Any) -> dict[str, Any] | None:
    """Read the content of a form; None where it is left empty, to take over what stands."""
    text = form.get("content", "").strip()
    if not text:
        return None
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise ContentRefused("", [Fault("/content", "shape", "it is no JSON")]) from None
    if not isinstance(said, dict):
        raise ContentRefused("", [Fault("/content", "shape", "it is no object")])
    return said


def _known(said: str, known: tuple[str, ...]) -> str:
    if said not in known:
        raise Malformed("the form names no deed that there is", hint="Send the form of the page.")
    return said


def _engine(request: Request) -> sa.Engine:
    return cast("sa.Engine", request.app.state.hub.runtime.engine)


def _to(code: str, done: str) -> Response:
    return RedirectResponse(f"/catalogue/{quote(code)}?done={done}", HTTPStatus.SEE_OTHER)
