"""What the pages show, as files: workbooks, CSV and PDF, within what the reader may see."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub import asking
from hub.asking import chosen
from hub.refusals import NotFound
from hub.words import Words
from hub.workdays import ZONE
from supervision.logs.trends import trends, up_to
from supervision.pages import cards, cases, tables, waiting, wall
from supervision.pages.asking import admitted, engine_of, looking, month, today
from supervision.pages.card_routes import cards_asked
from supervision.pages.routes import cases_asked, wall_asked
from supervision.pages.scope import Scope
from supervision.pages.tables import MOST, MOST_PDF, Table
from supervision.sheets import FORMS, WRITERS, Form

router = APIRouter(include_in_schema=False)

_Look = Callable[[sa.Connection, Scope, Words], Table]


@router.get("/supervision/{what}.{kind}")
async def file(request: Request, what: str, kind: str) -> Response:
    """Hand out a list of these pages as a file, with the filters of the page that it stands on."""
    _, scope = admitted(request)
    if what not in _TABLES or kind not in WRITERS:
        raise NotFound("there is no such file", hint="The files stand below the list of each page.")
    look = _TABLES[what](request)
    pages: asking.Pages = request.app.state.pages
    words = Words(pages.language(request))
    most, out = MOST_PDF if kind == "pdf" else MOST, io.BytesIO()

    def make() -> bytes:
        table = looking(engine_of(request), lambda connection: look(connection, scope, words))
        if len(table.rows) > most:
            table = tables.cut(table, most, words)
        if kind == "pdf":  # on paper nothing else says of when it is
            table = replace(table, title=f"{table.title} · {datetime.now(ZONE):%Y-%m-%d %H:%M}")
        WRITERS[kind](table.sheet(), out)
        return out.getvalue()

    data = await run_in_threadpool(make)
    name = f"supervision-{what}-{today()}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=FORMS[cast("Form", kind)], headers=headers)


def _wall(request: Request) -> _Look:
    asked = wall_asked(request)
    return lambda connection, scope, words: tables.of_wall(wall.wall(connection, scope, asked), words)


def _cases(request: Request) -> _Look:
    asked = cases_asked(request)
    return lambda connection, scope, words: tables.of_cases(
        connection, cases.all_of(connection, scope, asked, MOST + 1), words
    )


def _cards(request: Request) -> _Look:
    asked = cards_asked(request)
    return lambda connection, scope, words: tables.of_cards(
        connection, cards.listed(connection, scope, asked, most=MOST + 1)[0], words
    )


def _waiting(_: Request) -> _Look:
    return lambda connection, scope, words: tables.of_waiting(
        connection, waiting.waiting(connection, scope, None), words
    )


def _trends(request: Request) -> _Look:
    organ, last = chosen(request, "organ", 100), month(chosen(request, "month", 7)) or today()
    return lambda connection, scope, words: tables.of_trends(
        trends(connection, since=up_to(last), until=last, organ=organ, **scope.bounds), words
    )


_TABLES: Final[Mapping[str, Callable[[Request], Any]]] = {
    "wall": _wall, "cases": _cases, "cards": _cards, "waiting": _waiting, "trends": _trends,
}  # fmt: skip
