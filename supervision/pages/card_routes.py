"""The work list of cards and one card, with the deeds of the person who looks."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from hub.asking import chosen, form_of, named, number, page
from hub.errors import HubError
from hub.refusals import Malformed, NotFound, RequestRefused
from supervision.cards.errors import NoSuchCard, NoSuchOrder
from supervision.pages import cards, names
from supervision.pages.asking import SIZE, admitted, engine_of, first, looking, one_of

router = APIRouter(include_in_schema=False)


def cards_asked(request: Request) -> cards.Asked:
    """Read which cards are asked for."""
    case = chosen(request, "case_id", 18)
    return cards.Asked(
        level=one_of(request, "level", cards.LEVELS),
        state=one_of(request, "state", cards.STATES),
        kind=one_of(request, "kind", cards.KINDS),
        organ=chosen(request, "organ", 100),
        case_id=None if case is None else number(case, "the case"),
        ended=chosen(request, "ended", 1) == "1",
        asked_down=chosen(request, "asked_down", 1) == "1",
        first=first(request),
    )


def cards_query(asked: cards.Asked) -> str:
    """Return what addresses of these cards end with; the place in the list left out."""
    said = {
        "level": asked.level, "state": asked.state, "kind": asked.kind, "organ": asked.organ, "case_id": asked.case_id,
        "ended": "1" if asked.ended else None, "asked_down": "1" if asked.asked_down else None,
    }  # fmt: skip
    return urlencode({name: value for name, value in said.items() if value is not None})


@router.get("/supervision/cards")
async def card_list(request: Request) -> Response:
    """List the cards that are under way, the gravest first and then by when feedback is due."""
    _, scope = admitted(request)
    asked = cards_asked(request)

    def look(connection: sa.Connection) -> tuple[Any, int, Any]:
        rows, total = cards.listed(connection, scope, asked)
        return rows, total, names.organs(connection, {asked.organ, *(row["organ"] for row in rows)})

    rows, total, organs = await run_in_threadpool(looking, engine_of(request), look)
    shown: Response = page(
        request, "supervision/cards.html", asked=asked, rows=rows, total=total, size=SIZE, query=cards_query(asked),
        organs=organs, card_levels=cards.LEVELS, states=cards.STATES, kinds=cards.KINDS,
    )  # fmt: skip
    return shown


@router.get("/supervision/cards/{card}")
async def one_card(request: Request, card: str) -> Response:
    """Show one card: its evidence, its life, and the deeds of this person."""
    return await _shown(request, named(card))


@router.post("/supervision/cards/{card}")
async def do(request: Request, card: str) -> Response:
    """Do the deed that a form names, in this person's name."""
    visitor, scope = admitted(request)
    form, code = form_of(request), named(card)
    what = form.get("deed", "")
    if what not in cards.DEEDS:
        raise Malformed("the form names no deed that there is", hint="Send the form of the page.")

    def deed() -> None:
        with engine_of(request).begin() as connection:
            cards.do(connection, visitor, scope, code, what, form)

    try:
        await run_in_threadpool(deed)
    except RequestRefused:
        raise
    except (NoSuchCard, NoSuchOrder):
        raise _nothing() from None
    except HubError as error:
        return await _shown(request, code, trouble=error, tried=what, typed=form, status=HTTPStatus.CONFLICT)
    return RedirectResponse(f"/supervision/cards/{quote(code)}?done={what}", HTTPStatus.SEE_OTHER)


async def _shown(
    request: Request, code: str, *, status: int = 200, trouble: object = None, tried: str = "", typed: Any = None
) -> Response:
    visitor, scope = admitted(request)

    def look(connection: sa.Connection) -> tuple[dict[str, Any], Any]:
        card = cards.one(connection, scope, code)
        return card, names.organs(connection, {card["organ"]})

    try:
        card, organs = await run_in_threadpool(looking, engine_of(request), look)
    except NoSuchCard:
        raise _nothing() from None
    shown: Response = page(
        request, "supervision/card.html", status=status, back=f"/supervision/cards/{quote(code)}", card=card,
        organs=organs, deeds=cards.open_deeds(visitor, card), causes=cards.CAUSES, trouble=trouble, tried=tried,
        typed=typed or {}, done=chosen(request, "done", 20),
        evidence=json.dumps(card["evidence"], ensure_ascii=False, indent=1),
    )  # fmt: skip
    return shown


def _nothing() -> NotFound:
    return NotFound("there is no such card, or it is another's", hint="Go back to the list.")
