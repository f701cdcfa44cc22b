"""`GET /v1/check-jobs/{id}`: how far a file of checks is answered."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request

from hub.refusals import Malformed, NotFound, TooMany, documented
from verification.checks import jobs
from verification.routes import door
from verification.routes.post_check_job import Job, told

router = APIRouter()


@router.get(
    "/v1/check-jobs/{id}", summary="Read how far a file of checks is answered", response_model=Job,
    responses=documented(Malformed, NotFound, TooMany),
)  # fmt: skip
async def get_check_job(
    request: Request, number: Annotated[UUID, Path(alias="id", description="The number of the file.")]
) -> dict[str, Any]:
    """Read the state of a file that a program of the caller's organ sent."""
    caller, made = door.caller_of(request), door.opened(request)
    return told(await door.run(request, lambda: jobs.stands(made.checker, caller, str(number))))
