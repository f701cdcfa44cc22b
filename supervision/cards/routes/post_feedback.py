"""`POST /v1/cards/{id}/feedback`: a department answers a card, or appeals against it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.refusals import Contradicted, Fault, Malformed, NotFound, TooLarge, TooSlow, UnsupportedForm, documented
from supervision.cards import deeds, reading
from supervision.cards.errors import CardRefuses
from supervision.cards.routes import door

router = APIRouter()
_SAID = r"^[^\x00]*[0-9A-Za-z\u4e00-\u9fff][^\x00]*$"
"""Some letter, digit or Chinese character must be in it."""


class Feedback(BaseModel):
    """What a department says to a card."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["feedback", "appeal"] = "feedback"
    """`appeal`: the department holds the card to be wrong, and the supervisors decide."""
    text: str = Field(min_length=1, max_length=deeds.LONGEST, json_schema_extra={"pattern": _SAID})
    """What was done, or why the card is wrong; no data of persons."""


_BODY = {
    "required": True,
    "content": {door.JSON: {"schema": {"$ref": "#/components/schemas/Feedback"}}},
}


@router.post(
    "/v1/cards/{id}/feedback",
    summary="Answer a card, or appeal against it",
    response_model=door.Card,
    responses=documented(Malformed, NotFound, TooSlow, TooLarge, UnsupportedForm, Contradicted),
    openapi_extra={"requestBody": _BODY},
)
async def post_feedback(
    request: Request, id: Annotated[str, Path(max_length=40, description="The card's number.")]  # noqa: A002  # the name that the address has
) -> dict[str, Any]:  # fmt: skip
    """Keep the feedback with the card; the same words again are no second feedback."""
    said, organ, actor = _read(await door.body_of(request)), door.organ_of(request), door.client_of(request).code

    def deed(connection: sa.Connection) -> dict[str, Any]:
        if said.kind == "appeal":
            deeds.appeal(connection, id, actor=f"client:{actor}", reason=said.text, organ=organ)
        else:
            deeds.answer(connection, id, actor=f"client:{actor}", text=said.text, organ=organ)
        return door.card_of(reading.found(connection, id, organ=organ))

    try:
        return await door.work(request, deed)
    except CardRefuses as error:
        raise Contradicted(error.got, hint=error.next_step) from None


def _read(body: bytes) -> Feedback:
    try:
        said = Feedback.model_validate_json(body)
    except ValidationError as error:
        faults = [Fault(".".join(map(str, one["loc"])), one["type"], one["msg"]) for one in error.errors()]
        raise Malformed("the feedback cannot be read", hint="Mend the fields.", faults=faults) from None
    if re.fullmatch(_SAID, said.text, re.DOTALL) is None:
        fault = Fault("text", "unreadable_text", "some printable text")
        raise Malformed("the feedback cannot be read", hint="Mend the fields.", faults=[fault])
    return said
