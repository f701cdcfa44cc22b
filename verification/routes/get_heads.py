"""`GET /v1/audit/heads`: the signed heads of the log of checks, for departments to keep."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from hub.refusals import Malformed, TooMany, documented
from verification.audit import sealing
from verification.routes import door

router = APIRouter()


class Head(BaseModel):
    """A signed head; it binds every entry of the log before it."""

    model_config = ConfigDict(extra="forbid")

    number: int
    sealed_at: str
    entries: int
    total: int
    root: str
    head: str
    signature: str


class Heads(BaseModel):
    """Heads by number."""

    model_config = ConfigDict(extra="forbid")

    heads: list[Head]


@router.get(
    "/v1/audit/heads",
    summary="Read the signed heads of the log of checks",
    response_model=Heads,
    responses=documented(Malformed, TooMany),
)
async def get_heads(
    request: Request,
    after: Annotated[int, Query(ge=0, le=2**62, description="Only heads of a higher number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="So many at most.")] = 100,
) -> dict[str, Any]:
    """Return heads: keep one, and the hub can cut nothing off behind it without your noticing."""
    caller, made = door.caller_of(request), door.opened(request)
    await door.run(request, lambda: made.checker.mind(caller))
    return {"heads": await door.run(request, lambda: sealing.heads(made.engine, after=after, limit=limit))}
