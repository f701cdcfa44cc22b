"""`POST /v1/checks/{id}/live`: ask the issuing department's own system where its feed is behind."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict

from hub.refusals import (
    Contradicted,
    Malformed,
    NotAllowed,
    NotFound,
    TooLarge,
    TooMany,
    TooSlow,
    Unavailable,
    UnsupportedForm,
    documented,
)
from verification.questions import Organ
from verification.routes import door
from verification.routes.told import Checked

router = APIRouter()
_BODY = {"required": True, "content": {door.JSON: {"schema": {"$ref": "#/components/schemas/AskingLive"}}}}


class AskingLive(BaseModel):
    """Whose system to ask: needed only where the check names no issuer, and several departments issue such."""

    model_config = ConfigDict(extra="forbid")

    issuer: Organ | None = None


@router.post(
    "/v1/checks/{id}/live",
    summary="Ask the issuing department's system where its feed is behind",
    response_model=Checked,
    response_description="The check with its new receipt; as it was where the system brought nothing",
    responses=documented(
        Malformed, NotFound, NotAllowed, TooSlow, Contradicted, TooLarge, UnsupportedForm, TooMany, Unavailable
    ),
    openapi_extra={"requestBody": _BODY},
)
async def post_live(
    request: Request, number: Annotated[UUID, Path(alias="id", description="The number of the check.")]
) -> Response:
    """Ask the system for this one credential, take in what it brings, and answer the check anew."""
    caller, made = door.caller_of(request), door.opened(request)
    body = await door.body_of(request, limit=door.LARGEST_CHECK)
    said = await door.minded(request, lambda: door.read(AskingLive, body, "the question"))
    document = await made.asking.ask(made.checker, caller, str(number), issuer=said.issuer)
    return Response(orjson.dumps(document), media_type=door.JSON)
