"""`GET /v1/checks/{id}`: the newest answer to a check that the caller's organ asked."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Request, Response

from hub.refusals import Malformed, NotFound, TooMany, documented
from verification.checks import putting
from verification.routes import door
from verification.routes.told import Checked

router = APIRouter()


@router.get(
    "/v1/checks/{id}",
    summary="Read a check again, and the later answer of one that waited",
    response_model=Checked,
    responses=documented(Malformed, NotFound, TooMany),
)
async def get_check(
    request: Request, number: Annotated[UUID, Path(alias="id", description="The number of the check.")]
) -> Response:
    """Read the newest answer; the reading is logged like a check."""
    caller, made = door.caller_of(request), door.opened(request)
    document = await door.run(request, lambda: made.checker.read(caller, str(number)))
    put = await door.run(request, lambda: putting.told(made.checker, str(number)))
    return Response(orjson.dumps({**document, **put}), media_type=door.JSON)
