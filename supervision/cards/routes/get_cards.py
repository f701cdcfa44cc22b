"""`GET /v1/cards`: the supervision cards of the caller's organ."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from hub.refusals import Malformed, documented
from supervision.cards import reading
from supervision.cards.routes import door

router = APIRouter()


class Cards(BaseModel):
    """A page of cards, in the order in which they were made."""

    model_config = ConfigDict(extra="forbid")

    cards: list[door.Card]
    next: int | None
    """Give it as `after` to read on; null at the end."""


@router.get(
    "/v1/cards",
    summary="Read the supervision cards of your organ",
    response_model=Cards,
    responses=documented(Malformed),
)
async def get_cards(
    request: Request,
    level: Annotated[Literal["warning", "yellow", "red"] | None, Query(description="Only this level.")] = None,
    state: Annotated[
        Literal["sent", "answered", "appealed", "upheld", "withdrawn"] | None, Query(description="Only this state.")
    ] = None,
    ended: Annotated[bool, Query(description="Also those that are upheld or withdrawn.")] = False,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="Begin after this: `next` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=reading.MOST, description="So many at most.")] = 100,
) -> dict[str, Any]:  # fmt: skip
    """Read the cards that were sent to the caller's organ, page by page; held ones are nobody's yet."""
    organ = door.organ_of(request)
    rows = await door.work(
        request,
        lambda connection: reading.listed(
            connection, organ=organ, level=level, state=state, ended=ended, own=True, after=after, limit=limit
        ),
    )
    return {"cards": list(map(door.card_of, rows)), "next": int(rows[-1]["id"]) if len(rows) == limit else None}
