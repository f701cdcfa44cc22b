"""`POST /v1/progress`: how the cases of a project stand, across departments."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from hub.refusals import Malformed, TooLarge, TooMany, TooSlow, Unavailable, UnsupportedForm, documented
from verification.questions import Progress
from verification.reading import telling
from verification.routes import door

router = APIRouter()
_BODY = {"required": True, "content": {door.JSON: {"schema": {"$ref": "#/components/schemas/Progress"}}}}


class CaseTold(BaseModel):
    """One case of the project; nobody's name is in it."""

    model_config = ConfigDict(extra="forbid")

    evidence: int
    """The hub's number of the record."""
    case: str
    item: str | None
    item_name: str | None
    organ: str | None
    """The organ that handles it."""
    state: Literal["applied", "not_accepted", "accepted", "in_progress", "suspended", "closed"]
    stage: str
    applied_at: str | None
    accepted_at: str | None
    due: str | None
    closed_at: str | None
    outcome: str | None
    complete_through: str | None
    """Up to this instant the case's feed is complete; what happened since, nobody can tell yet."""
    complete_basis: Literal["declared", "inferred", "envelope"] | None


class ProgressTold(BaseModel):
    """The cases of a project that your organ may see, by the time of application; of others there is no sign."""

    model_config = ConfigDict(extra="forbid")

    project: str
    cases: list[CaseTold]


@router.post(
    "/v1/progress", summary="Read how the cases of a project stand across departments", response_model=ProgressTold,
    responses=documented(Malformed, TooSlow, TooLarge, UnsupportedForm, TooMany, Unavailable),
    openapi_extra={"requestBody": _BODY},
)  # fmt: skip
async def post_progress(request: Request) -> dict[str, Any]:
    """Read the cases that name a project number, as far as items are shared with your organ; it is logged."""
    caller, made = door.caller_of(request), door.opened(request)
    body = await door.body_of(request, limit=door.LARGEST_CHECK)
    asked = await door.minded(request, lambda: door.read(Progress, body, "the question"))
    rows = await door.run(request, lambda: telling.of_project(made.checker, caller, asked))
    return {"project": asked.project, "cases": rows}
