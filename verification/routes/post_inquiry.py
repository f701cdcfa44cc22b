"""`POST /v1/checks/{id}/inquiry`: put an undetermined check to an officer of the issuing department."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from hub.refusals import (
    Contradicted,
    Fault,
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
from verification.questions import Organ
from verification.routes import door
from verification.routes.told import Inquiry
from verification.rules.words import Place

router = APIRouter()
_BODY = {"required": True, "content": {door.JSON: {"schema": {"$ref": "#/components/schemas/Inquiring"}}}}


def _number(said: object) -> object:
    """Refuse what is no number as JSON has them: 1.0 is one."""
    if isinstance(said, bool | str):
        raise PydanticCustomError("int_type", "is no number")
    return said


Where = Annotated[int, BeforeValidator(_number), Field(ge=0, le=1_000)]


class Inquiring(BaseModel):
    """Whom to ask, and of prerequisites about which option; each only where there is more than one that it could be."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"anyOf": [
        {"required": ["group", "option"], "properties": {"group": {"type": "integer"}, "option": {"type": "integer"}}},
        {"properties": {"group": {"type": "null"}, "option": {"type": "null"}}},
    ]})  # fmt: skip

    issuer: Organ | None = None
    """The department: where the check names none, and several are known to issue this, or none is."""
    group: Where | None = None
    """The place of the group in the answer's `groups`, from 0 on."""
    option: Where | None = None
    """The place of the option in the group's `options`, from 0 on."""


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
    days, place = made.settings.check_inquiry_days, _place(said)
    return await door.run(
        request, lambda: putting.ask(made.checker, caller, str(number), issuer=said.issuer, place=place, days=days)
    )


def _place(said: Inquiring) -> Place | None:
    if said.group is not None and said.option is not None:
        return said.group, said.option
    if said.group is None and said.option is None:
        return None
    fault = Fault("option" if said.option is None else "group", "missing", "group and option are named together")
    raise Malformed("the inquiry cannot be put", hint="Mend the field.", faults=[fault])
