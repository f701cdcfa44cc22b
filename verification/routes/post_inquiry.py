"""`POST /v1/checks/{id}/inquiry`: put an undetermined check to an officer of the issuing department."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request

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
from verification.checks import putting
from verification.routes import door
from verification.routes.naming import Naming, place_of
from verification.routes.told import Inquiry

router = APIRouter()
_BODY = {"required": True, "content": {door.JSON: {"schema": {"$ref": "#/components/schemas/Inquiring"}}}}


class Inquiring(Naming):
    """Whom to ask, and of prerequisites about which option; each only where there is more than one that it could be."""


@router.post(
    "/v1/checks/{id}/inquiry",
    summary="Ask an officer of the issuing department where no feed can tell",
    status_code=202,
    response_model=Inquiry,
    response_description="It is asked; the answer comes as a new receipt on the check",
    responses=documented(
        Malformed, NotFound, NotAllowed, TooSlow, Contradicted, TooLarge, UnsupportedForm, TooMany, Unavailable
    ),
    openapi_extra={"requestBody": _BODY},
)
async def post_inquiry(
    request: Request, number: Annotated[UUID, Path(alias="id", description="The number of the check.")]
) -> dict[str, Any]:
    """Put the check, or one option of it, to the issuing department, once; asking again tells how it stands."""
    caller, made = door.caller_of(request), door.opened(request)
    body = await door.body_of(request, limit=door.LARGEST_CHECK)
    said = await door.minded(request, lambda: door.read(Inquiring, body, "the inquiry"))
    days, place = made.settings.check_inquiry_days, place_of(said, "the inquiry cannot be put")
    return await door.run(
        request, lambda: putting.ask(made.checker, caller, str(number), issuer=said.issuer, place=place, days=days)
    )
