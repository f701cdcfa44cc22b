"""The catalogue for everybody, without signing in: items, their changes, and what is under review."""

from __future__ import annotations

from datetime import UTC, date, datetime
from graphlib import CycleError
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from catalog import picture
from catalog.errors import DeedRefused, TooMuchToDraw
from catalog.imports.entries import ITEM_TYPES
from catalog.pages import feed, public, review
from catalog.pages.public import SIZE, Asked
from catalog.pages.senders import Senders
from catalog.pages.wording import in_words
from hub import asking
from hub.asking import chosen, named, page
from hub.errors import HubError
from hub.refusals import Malformed, NotFound
from hub.sentences import sentence
from hub.words import LANGUAGES
from hub.workdays import local_day
from sharedrepo.models.catalog import CHANGES, STATUSES

router = APIRouter(include_in_schema=False)
_SENDERS = Senders()

_FURTHEST = 1_000_000
"""Nobody pages further down a list than this."""
_DRAWING = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""What a browser lets the picture do: show itself. Its style stands in it."""
_UNPUBLISHED = "未公布的事项 not published"
_SINCE, _UNTIL = date(1949, 10, 1), date(2199, 12, 31)


@router.get("/items")
async def items(request: Request) -> Response:
    """List the items with what each says on a day, by words, organ, state and type."""
    asked = Asked(
        words=chosen(request, "q", 100),
        organ=chosen(request, "organ", 18),
        status=_one_of(request, "status", STATUSES),
        type=_one_of(request, "type", tuple(ITEM_TYPES)),
        first=_first(request),
    )
    day = _day(request)
    rows, total = await run_in_threadpool(public.listed, _engine(request), asked, day)
    organs = await run_in_threadpool(public.organs, _engine(request), day)
    shown: Response = page(
        request, "catalog/items.html", asked=asked, rows=rows, total=total, organs=organs, day=day, today=_today(),
        statuses=STATUSES, types=ITEM_TYPES, size=SIZE,
    )  # fmt: skip
    return shown


@router.get("/items/changes")
async def changes(request: Request) -> Response:
    """Show every published change, the newest first."""
    organ, change, first = chosen(request, "organ", 18), _one_of(request, "change", CHANGES), _first(request)
    rows = await run_in_threadpool(
        public.changes, _engine(request), organ=organ, change=change, first=first, size=SIZE + 1
    )
    shown: Response = page(
        request, "catalog/changes.html", rows=rows[:SIZE], further=len(rows) > SIZE, first=first, size=SIZE,
        organ=organ, change=change, changes=CHANGES,
    )  # fmt: skip
    return shown


@router.get("/items/changes.atom")
async def changes_feed(request: Request) -> Response:
    """Hand the changes out as an Atom feed, page by page."""
    organ, change, first = chosen(request, "organ", 18), _one_of(request, "change", CHANGES), _first(request)
    rows = await run_in_threadpool(
        public.changes, _engine(request), organ=organ, change=change, first=first, size=SIZE + 1
    )
    query = {name: value for name, value in (("organ", organ), ("change", change)) if value}
    text = feed.made(
        rows[:SIZE], base=_base(request), language=_language(request), query=query,
        further=first + SIZE if len(rows) > SIZE else None,
    )  # fmt: skip
    return Response(text, media_type=feed.TYPE)


@router.get("/items/review")
async def reviews(request: Request) -> Response:
    """Show the proposals that are under review and open to comments."""
    first = _first(request)
    rows = await run_in_threadpool(review.listed, _engine(request), first)
    shown: Response = page(
        request, "catalog/reviews.html", rows=rows[:SIZE], further=len(rows) > SIZE, first=first, size=SIZE
    )
    return shown


@router.get("/items/review/{code:path}")
async def one_review(request: Request, code: str) -> Response:
    """Show one proposal with what was said to it and answered."""
    return await _proposal(request, named(code))


@router.post("/items/review/{code:path}")
async def comment(request: Request, code: str) -> Response:
    """Take in what somebody says to a proposal; who it is, is not asked and not kept.

    Raises:
        TooMany: this sender, or all together, have said very much of late.
    """
    said = asking.form_of(request).get("said", "")
    try:
        await run_in_threadpool(
            review.comment, _engine(request), named(code), said, lambda: _SENDERS.mind(request.state.sender)
        )
    except DeedRefused as error:
        return await _proposal(request, named(code), status=HTTPStatus.CONFLICT, trouble=error, typed=said)
    return RedirectResponse(f"/items/review/{quote(code)}?done=said", HTTPStatus.SEE_OTHER)


@router.get("/items/graph/{code:path}")
async def graph(request: Request, code: str) -> Response:
    """Draw what an item rests on."""
    asked, found, names = await run_in_threadpool(public.graph, _engine(request), named(code), _day(request))
    try:
        text = await run_in_threadpool(picture.svg, found, asked, names, unknown=_UNPUBLISHED)
    except (TooMuchToDraw, CycleError):
        raise NotFound("this cannot be drawn", hint="See the list of prerequisites of the item.") from None
    return Response(text, media_type="image/svg+xml", headers={"Content-Security-Policy": _DRAWING})


@router.get("/items/{code:path}")
async def one_item(request: Request, code: str) -> Response:
    """Show one item: what it says on a day, what it rests on, and its published versions."""
    day = _day(request)
    found = await run_in_threadpool(public.item, _engine(request), named(code), day)
    shown: Response = page(
        request, "catalog/item.html", item=found, content=found["content"], day=day, today=_today(),
        types=ITEM_TYPES,
    )  # fmt: skip
    return shown


async def _proposal(
    request: Request, code: str, *, status: int = 200, trouble: str | HubError | None = None, typed: str = ""
) -> Response:
    found = await run_in_threadpool(review.one, _engine(request), code)
    shown: Response = page(
        request, "catalog/review.html", status=status, back=f"/items/review/{quote(code)}", item=found, typed=typed,
        trouble=trouble, done=chosen(request, "done", 20), in_words=in_words,
    )  # fmt: skip
    return shown


def _engine(request: Request) -> sa.Engine:
    return cast("sa.Engine", request.app.state.hub.runtime.engine)


def _base(request: Request) -> str:
    settings: Any = request.app.state.hub.runtime.settings
    return str(settings.web_url or str(request.base_url).rstrip("/"))


def _language(request: Request) -> str:
    picked = request.query_params.get("language")
    pages: asking.Pages = request.app.state.pages
    return picked if picked in LANGUAGES else pages.language(request)


def _today() -> date:
    return local_day(datetime.now(UTC))


def _day(request: Request) -> date:
    said = chosen(request, "day", 10)
    found = _today() if said is None else asking.day(said, "day")
    if not _SINCE <= found <= _UNTIL:
        raise Malformed(
            "there is no catalogue of this day",
            hint=sentence("Name one from {since} to {until}.", since=_SINCE, until=_UNTIL),
        )
    return found


def _first(request: Request) -> int:
    said = chosen(request, "from", 18)
    return 0 if said is None else min(asking.number(said, "from"), _FURTHEST)


def _one_of(request: Request, name: str, known: tuple[str, ...]) -> str | None:
    said = chosen(request, name, 20)
    if said is not None and said not in known:
        raise Malformed(
            sentence("the filter {name} has no such choice", name=name),
            hint=sentence("There are: {known}.", known=", ".join(known)),
        )
    return said
