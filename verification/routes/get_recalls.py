"""`GET /v1/recalls`: your organ's inbox of credentials that it relied on and that no longer hold."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from hub.refusals import Malformed, TooMany, documented
from verification.checks import answers
from verification.reading import inbox
from verification.routes import door

router = APIRouter()


class Recall(BaseModel):
    """A check that relied on a record which has changed since."""

    model_config = ConfigDict(extra="forbid")

    number: int
    check: str
    case: str | None
    """Your own case that relied on it; null where the personal parts of the log were erased."""
    evidence: int
    status: str
    """The status that it has now; `corrected`: it is valid, but not as it was; `deleted`: its source took it back."""
    since: str | None
    told_at: str


class Recalls(BaseModel):
    """A page of the inbox, in order of number."""

    model_config = ConfigDict(extra="forbid")

    recalls: list[Recall]
    next: int | None
    """Give it as `after` to read on; null at the end."""


@router.get(
    "/v1/recalls",
    summary="Read which of your checks relied on what no longer holds",
    response_model=Recalls,
    responses=documented(Malformed, TooMany),
)
async def get_recalls(
    request: Request,
    after: Annotated[int, Query(ge=0, le=2**62, description="Begin after this number: `next` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="So many at most.")] = 100,
) -> dict[str, Any]:
    """Read the inbox of the caller's organ; reading it is logged."""
    caller, made = door.caller_of(request), door.opened(request)
    rows = await door.run(request, lambda: inbox.recalls_of(made.checker, caller, after=after, limit=limit))
    told = [
        {
            **row,
            "since": row["since"] and row["since"].isoformat(),
            "told_at": answers.instant(row["told_at"]),
        }
        for row in rows
    ]
    return {"recalls": told, "next": rows[-1]["number"] if len(rows) == limit else None}
