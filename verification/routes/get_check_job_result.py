"""`GET /v1/check-jobs/{id}/result`: the answers to a file of checks, a line each."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import StreamingResponse

from hub.refusals import Malformed, NotFound, NotYet, TooMany, documented
from verification.checks import filed, jobs
from verification.routes import door

router = APIRouter()


@router.get(
    "/v1/check-jobs/{id}/result", summary="Read the answers to a file of checks", response_class=StreamingResponse,
    responses={
        200: {
            "description": "A line a question, in the order of the file: a check with its receipt, or not_allowed",
            "content": {filed.LINES: {"schema": {"type": "string"}}},
        },
        **documented(Malformed, NotFound, NotYet, TooMany),
    },
)  # fmt: skip
async def get_check_job_result(
    request: Request, number: Annotated[UUID, Path(alias="id", description="The number of the file.")]
) -> StreamingResponse:
    """Read the answers of a file that is done, or of one that was stopped as far as it came."""
    caller, made = door.caller_of(request), door.opened(request)
    lines = await door.run(request, lambda: jobs.result(made.checker, caller, str(number)))
    return StreamingResponse(lines, media_type=filed.LINES)
