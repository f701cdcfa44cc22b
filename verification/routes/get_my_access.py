"""`GET /v1/me/access`: who you are to the hub, and what you may check."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from hub.refusals import TooMany, documented
from verification.reading import telling
from verification.routes import door

router = APIRouter()
_STRICT = ConfigDict(extra="forbid")


class MayCheck(BaseModel):
    """A credential type or an item that may be checked; without a purpose, for every purpose."""

    model_config = _STRICT

    kind: Literal["credential_type", "item"]
    code: str
    # `class` is a word of Python; the document has it as it is.
    legal_ground: str
    fresh_hours: int
    stale_allowed: bool
    purpose: str | None
    valid_from: str | None
    valid_to: str | None
    unconditional: bool


class AskedFor(BaseModel):
    """A grant that your organ asked for and does not have."""

    model_config = _STRICT

    number: int
    kind: Literal["credential_type", "item"]
    code: str
    purpose: str
    state: Literal["asked", "refused"]
    answer_due: str | None
    reason: str | None


class MyAccess(BaseModel):
    """A client's rights, what it may check today or from a later day on, and what its organ asked for."""

    model_config = _STRICT

    client: str
    organ: str
    rights: list[str]
    made_at: str
    expires_at: str
    may_check: list[MayCheck]
    asked: list[AskedFor]


@router.get(
    "/v1/me/access", summary="Read what your client may do", response_model=MyAccess, responses=documented(TooMany)
)
async def get_my_access(request: Request) -> dict[str, Any]:
    """Read the rights of the client whose token it is, and the classes and grants that its checks stand on."""
    caller, made = door.caller_of(request), door.opened(request)
    found = await door.run(request, lambda: telling.access(made.checker, caller))
    shared = [{**row, "unconditional": row["class"] == "unconditional"} for row in found.pop("may_check")]
    for row in shared:
        row.pop("class")
    return {"client": found.pop("code"), **found, "may_check": shared}
