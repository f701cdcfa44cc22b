"""`POST /v1/checks/{id}/live`: ask the issuing departments' own systems where their feeds are behind."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Request, Response

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
from verification.routes import door
from verification.routes.naming import Naming, place_of
from verification.routes.told import Checked

router = APIRouter()
_BODY = {"required": True, "content": {door.JSON: {"schema": {"$ref": "#/components/schemas/AskingLive"}}}}


class AskingLive(Naming):
    """Whose system to ask: needed only where the check names no issuer, and several departments issue such.

    Of prerequisites every option that is open is asked about; `issuer`, or `group` and `option`, narrow that.
    """


@router.post(
    "/v1/checks/{id}/live",
    summary="Ask the issuing departments' systems where their feeds are behind",
    response_model=Checked,
    response_description="The check with its new receipt; as it was where no system brought anything",
    responses=documented(
        Malformed, NotFound, NotAllowed, TooSlow, Contradicted, TooLarge, UnsupportedForm, TooMany, Unavailable
    ),
    openapi_extra={"requestBody": _BODY},
)
async def post_live(
    request: Request, number: Annotated[UUID, Path(alias="id", description="The number of the check.")]
) -> Response:
    """Ask the system for this one credential, or of prerequisites each department's for what the applicant holds; take
    in what comes, and answer the check anew."""
    caller, made = door.caller_of(request), door.opened(request)
    body = await door.body_of(request, limit=door.LARGEST_CHECK)
    said = await door.minded(request, lambda: door.read(AskingLive, body, "the question"))
    place = await door.minded(request, lambda: place_of(said, "the source cannot be asked"))
    document = await made.asking.ask(made.checker, caller, str(number), issuer=said.issuer, option=place)
    return Response(orjson.dumps(document), media_type=door.JSON)
