"""`GET /v1/items`: items of the published catalogue, by words, organ, state and type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict

from catalog.pages import public
from hub.refusals import Malformed, TooMany, Unavailable, documented
from hub.workdays import local_day
from verification.questions import iso_day
from verification.routes import door
from verification.routes.get_item import LATEST, TO_LATEST

router = APIRouter()


class ItemListed(BaseModel):
    """An item as it stands on the day; `content` is what its disclosure class lets everybody see."""

    model_config = ConfigDict(extra="forbid")

    code: str
    organ: str
    organ_name: str | None
    status: str
    valid_from: str
    content: dict[str, Any]


class Items(BaseModel):
    """A page of items, in order of organ and code."""

    model_config = ConfigDict(extra="forbid")

    items: list[ItemListed]
    total: int
    next: int | None
    """Give it as `after` to read on; null at the end."""


@router.get(
    "/v1/items", summary="Find items of the catalogue", response_model=Items,
    responses=documented(Malformed, TooMany, Unavailable),
)  # fmt: skip
async def get_items(
    request: Request,
    q: Annotated[str | None, Query(max_length=100, description="Words of the name, or part of a number.")] = None,
    organ: Annotated[str | None, Query(max_length=18, description="The organ that carries it out.")] = None,
    status: Annotated[str | None, Query(max_length=20, description="in_force, suspended, abolished, devolved.")] = None,
    type_: Annotated[str | None, Query(alias="type", max_length=2, description="The type, two digits.")] = None,
    on: Annotated[
        date | None,
        BeforeValidator(iso_day),
        Query(description="As it stands on this day; today.", le=LATEST, json_schema_extra=dict(TO_LATEST)),
    ] = None,
    after: Annotated[int, Query(ge=0, le=10**6, description="`next` of the page before.")] = 0,
) -> dict[str, Any]:  # fmt: skip
    """Find items by words of their name or number; internal ones are not there."""
    caller, made = door.caller_of(request), door.opened(request)
    await door.run(request, lambda: made.checker.mind(caller))
    asked = public.Asked(_said(q), _said(organ), _said(status), _said(type_), after)
    rows, total = await door.run(request, lambda: public.listed(made.engine, asked, on or local_day(datetime.now(UTC))))
    items = [
        {name: row[name] for name in ("code", "organ", "organ_name", "status", "content")}
        | {"valid_from": row["valid_from"].isoformat()}
        for row in rows
    ]
    more = after + len(rows)
    return {"items": items, "total": total or after, "next": more if more < total else None}


def _said(text: str | None) -> str | None:
    """Return a filter; one that is empty, or holds what no text of the catalogue can, filters nothing."""
    return text.replace("\x00", "") or None if text else None
