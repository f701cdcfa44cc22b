"""`GET /v1/log`: what your organ's programs have checked, and what was refused to them."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from hub.refusals import Malformed, TooMany, documented
from verification.reading import inbox
from verification.routes import door

router = APIRouter()


class Logged(BaseModel):
    """One row of the log; whom it was about stands in the check itself."""

    model_config = ConfigDict(extra="forbid")

    number: int
    at: str
    kind: str
    """credential, prerequisites, refused or read."""
    outcome: str
    check: str | None
    client: str | None
    purpose: str | None
    case: str | None
    """Whether the asker's own case was found: confirmed, not_yet, no_such_case or not_a_party."""


class Log(BaseModel):
    """A page of the log, in order of number."""

    model_config = ConfigDict(extra="forbid")

    entries: list[Logged]
    next: int | None
    """Give it as `after` to read on; null at the end."""


@router.get(
    "/v1/log", summary="Read your organ's own log", response_model=Log, responses=documented(Malformed, TooMany)
)
async def get_log(
    request: Request,
    after: Annotated[int, Query(ge=0, le=2**62, description="Begin after this number: `next` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="So many at most.")] = 100,
) -> dict[str, Any]:
    """Read the rows of the caller's organ, and of no other; reading the log is logged."""
    caller, made = door.caller_of(request), door.opened(request)
    rows = await door.run(request, lambda: inbox.log_of(made.checker, caller, after=after, limit=limit))
    entries = [{**row, "at": row["at"].astimezone(UTC).isoformat().replace("+00:00", "Z")} for row in rows]
    return {"entries": entries, "next": rows[-1]["number"] if len(rows) == limit else None}
