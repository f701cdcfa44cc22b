"""How cases really go and who carries them: load of staff and posts, the process map of an item, logs for mining."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub.asking import chosen, named, page
from hub.protect import Protector
from hub.refusals import NotFound
from hub.visitor import Visitor
from supervision.logs import map_picture, ocel, xes
from supervision.logs.load import Load, load
from supervision.logs.process_map import ProcessMap, process_map
from supervision.logs.scope import BadScope
from supervision.logs.scope import Scope as Cases
from supervision.logs.trends import end_of
from supervision.pages import names, store
from supervision.pages.asking import admitted, engine_of, looking, month, one_of, today
from supervision.pages.picture import bar
from supervision.pages.scope import Scope

T = TypeVar("T")
router = APIRouter(include_in_schema=False)

_DRAWING: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""What a browser lets the picture do: show itself. Its style stands in it."""
_MOST: Final = 200
_ITEMS: Final = """
SELECT c.item_code, count(*) AS cases, count(*) FILTER (WHERE c.closed_at IS NULL) AS open,
    count(*) FILTER (WHERE c.verdict = 'late') AS late
FROM supervision.clock AS c WHERE c.item_code IS NOT NULL{where}
GROUP BY 1 ORDER BY cases DESC, 1 LIMIT :most
"""
_LOGS: Final = {
    "xes": ("application/xml", xes.write),
    "jsonocel": ("application/json", ocel.write),
}


@router.get("/supervision/load")
async def the_load(request: Request) -> Response:
    """Show what posts carry, and inside a department its staff: time used, finished, open, overdue."""
    visitor, scope = admitted(request)
    first, organ = month(chosen(request, "month", 7)) or today().replace(day=1), _organ(request, visitor)
    by = "staff" if visitor.organ is not None and one_of(request, "by", ("staff", "post")) != "post" else "post"

    def look(connection: sa.Connection) -> tuple[list[Load], Any]:
        found = load(
            connection, _protector(request), since=first, until=end_of(first), organ=organ, area=scope.area,
            by=cast("Any", by), limit=_MOST,
        )  # fmt: skip
        return found, names.organs(connection, {organ, *(one.organ for one in found)})

    rows, organs = await run_in_threadpool(looking, engine_of(request), look)
    shown: Response = page(
        request, "supervision/load.html", rows=rows, organs=organs, organ=organ, first=first, by=by,
        bar=bar, before=first - timedelta(days=1), after=end_of(first) + timedelta(days=1), today=today(),
    )  # fmt: skip
    return shown


@router.get("/supervision/processes")
async def items(request: Request) -> Response:
    """List the items by how many cases they have, each with its process map."""
    _, scope = admitted(request)

    def look(connection: sa.Connection) -> tuple[list[store.Row], Any]:
        query = _ITEMS.format(where=scope.where("c"))
        rows = store.rows(connection, query, {**scope.values, "most": _MOST})
        return rows, names.items(connection, {row["item_code"] for row in rows})

    rows, named_items = await run_in_threadpool(looking, engine_of(request), look)
    shown: Response = page(request, "supervision/processes.html", rows=rows, items=named_items)
    return shown


@router.get("/supervision/processes/{item}/map.svg")
async def picture(request: Request, item: str) -> Response:
    """Draw the process map of an item."""
    found = await _map(request, item)
    drawn = await run_in_threadpool(map_picture.svg, found)
    return Response(drawn, media_type="image/svg+xml", headers={"Content-Security-Policy": _DRAWING})


@router.get("/supervision/processes/{item}/log.{kind}")
async def log(request: Request, item: str, kind: str) -> Response:
    """Hand out the log of an item's cases for process mining: XES, or OCEL 2.0 as JSON."""
    _, scope = admitted(request)
    if kind not in _LOGS:
        raise NotFound("there is no such log", hint="There are log.xes and log.jsonocel.")
    media, write = _LOGS[kind]

    def make() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            to = Path(folder) / f"log.{kind}"
            write(engine_of(request), _protector(request), _cases(scope, item), to)
            return to.read_bytes()

    data = await _mined(make)
    return Response(data, media_type=media, headers={"Content-Disposition": f'attachment; filename="cases.{kind}"'})


@router.get("/supervision/processes/{item}")
async def one_item(request: Request, item: str) -> Response:
    """Show how the cases of an item go: the map, the frequent courses, the waiting between stages."""
    found = await _map(request, item)
    named_items = await run_in_threadpool(
        looking, engine_of(request), lambda connection: names.items(connection, {named(item)})
    )
    ways = sorted((one for one in found.edges if one.hours is not None), key=lambda one: -(one.hours or 0) * one.count)
    shown: Response = page(
        request, "supervision/process.html", item=item, items=named_items, found=found, ways=ways,
        duration=map_picture.duration,
    )  # fmt: skip
    return shown


async def _map(request: Request, item: str) -> ProcessMap:
    _, scope = admitted(request)
    return await _mined(lambda: process_map(engine_of(request), _cases(scope, item)))


async def _mined(make: Callable[[], T]) -> T:
    """Do work on the cases of an item, of which there may be none that the person sees."""
    try:
        return await run_in_threadpool(make)
    except BadScope:
        raise NotFound("there are no cases of this item", hint="Choose an item of the list.") from None


def _cases(scope: Scope, item: str) -> Cases:
    return Cases(item=named(item), organ=scope.organ, area=scope.area)


def _organ(request: Request, visitor: Visitor) -> str | None:
    return visitor.organ if visitor.organ is not None else chosen(request, "organ", 100)


def _protector(request: Request) -> Protector:
    return cast("Protector", request.app.state.hub.runtime.protector)
