"""`GET /v1/me/data`: what the hub holds of your organ's own feeds."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from hub.refusals import TooMany, documented
from verification.reading import telling
from verification.routes import door

router = APIRouter()


class Feed(BaseModel):
    """One stream of your organ: how far it is complete, and what became of its records."""

    model_config = ConfigDict(extra="forbid")

    source: str
    stream: str
    complete_through: str | None
    """Others' checks about your organ's credentials and decisions are answered as of this instant."""
    complete_basis: Literal["declared", "inferred", "envelope"] | None
    last_success_at: str | None
    kept: int
    quarantined: int
    parked: int
    findings: int
    """Open findings; `GET /v1/findings` tells them to a client with the right `quality`."""


class MyData(BaseModel):
    """The feeds of your organ."""

    model_config = ConfigDict(extra="forbid")

    organ: str
    feeds: list[Feed]


@router.get(
    "/v1/me/data", summary="Read what the hub holds of your own feeds", response_model=MyData,
    responses=documented(TooMany),
)  # fmt: skip
async def get_my_data(request: Request) -> dict[str, Any]:
    """Read counts by stream, and how far each feed is complete; for an organ without a feed the list is empty."""
    caller, made = door.caller_of(request), door.opened(request)
    return {"organ": caller.organ, "feeds": await door.run(request, lambda: telling.data(made.checker, caller))}
