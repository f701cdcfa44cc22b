"""`POST /v1/inquiries/{number}`: an officer of the issuing department answers, by its own system."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.refusals import (
    Contradicted,
    Malformed,
    NotFound,
    TooLarge,
    TooMany,
    TooSlow,
    Unavailable,
    UnsupportedForm,
    documented,
)
from sharedrepo.access.clients import Client
from verification.checks import officers
from verification.questions import Text
from verification.routes import door

router = APIRouter()
_BODY = {"required": True, "content": {door.JSON: {"schema": {"$ref": "#/components/schemas/OfficerAnswer"}}}}


class OfficerAnswer(BaseModel):
    """What an officer says: `yes` only if all that is shown is right and it is valid on the day."""

    model_config = ConfigDict(extra="forbid")

    answer: Literal["yes", "no", "not_ours"]
    """`not_ours`: your organ does not issue this."""
    reason: str = Field(
        max_length=officers.LONGEST_REASON, pattern=r"^[^\x00-\x1f\x7f]*[0-9A-Za-z\u4e00-\u9fff][^\x00-\x1f\x7f]*$"
    )
    """Why; no data of persons. The asker reads it."""
    officer: Text
    """Who says so, as your own register names the officer; the hub keeps it, and does not tell it."""


class Became(BaseModel):
    """What became of the inquiry."""

    model_config = ConfigDict(extra="forbid")

    number: int
    state: Literal["answered", "overtaken"]
    """`overtaken`: your feed had brought the answer meanwhile, and that was told."""


@router.post(
    "/v1/inquiries/{number}", summary="Answer an inquiry", response_model=Became,
    responses=documented(Malformed, NotFound, TooSlow, Contradicted, TooLarge, UnsupportedForm, TooMany, Unavailable),
    openapi_extra={"requestBody": _BODY},
)  # fmt: skip
async def post_inquiry_answer(
    request: Request, number: Annotated[int, Path(ge=1, le=2**62, description="The number of the inquiry.")]
) -> dict[str, Any]:
    """Answer what another department asks; the answer goes out as a new receipt on its check."""
    caller, made = cast("Client", request.state.caller), door.opened(request)
    await door.minded(request, lambda: made.rates.mind(caller.client_id))
    said = door.read(OfficerAnswer, await door.body_of(request, limit=door.LARGEST_CHECK), "the answer")
    state = await door.run(
        request,
        lambda: officers.answer(
            made.checker, number, caller.organ, said=said.answer, reason=said.reason,
            actor=f"client:{caller.code}/{said.officer}",
        ),
    )  # fmt: skip
    return {"number": number, "state": state}
