"""`POST /v1/audit/balances/{day}`: an organ's own signature under the balance of a day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hub.refusals import Malformed, NotFound, TooLarge, TooMany, TooSlow, UnsupportedForm, documented
from verification.audit import balances
from verification.questions import iso_day
from verification.routes import door
from verification.routes.get_balances import BETWEEN, FIRST, LAST

router = APIRouter()
_LARGEST = 16 * 1024
_BODY = {"required": True, "content": {door.JSON: {"schema": {"$ref": "#/components/schemas/Countersignature"}}}}


class Countersignature(BaseModel):
    """A compact JWS (RFC 7515) of typ `hub-countersignature+jws` over `{"balance": …, "verdict": …}`."""

    model_config = ConfigDict(extra="forbid")

    jws: str = Field(min_length=1, max_length=8_000)


class Countersigned(BaseModel):
    """What was taken."""

    model_config = ConfigDict(extra="forbid")

    day: str
    verdict: Literal["agrees", "differs"]


@router.post(
    "/v1/audit/balances/{day}", summary="Countersign the balance of a day", response_model=Countersigned,
    responses=documented(Malformed, NotFound, TooSlow, TooLarge, UnsupportedForm, TooMany),
    openapi_extra={"requestBody": _BODY},
)  # fmt: skip
async def post_balance(
    request: Request,
    day: Annotated[
        date,
        BeforeValidator(iso_day),
        Path(description="The day.", ge=FIRST, le=LAST, json_schema_extra=dict(BETWEEN)),
    ],
) -> dict[str, Any]:  # fmt: skip
    """Keep the signature for ever; it is compared with the log by `hub audit verify`."""
    caller, made = door.caller_of(request), door.opened(request)
    body = await door.body_of(request, limit=_LARGEST)
    await door.run(request, lambda: made.checker.mind(caller))
    said = await door.minded(request, lambda: door.read(Countersignature, body, "the countersignature"))
    verdict = await door.run(request, lambda: balances.countersign(made.engine, caller.organ, day, said.jws))
    return {"day": day.isoformat(), "verdict": verdict}
