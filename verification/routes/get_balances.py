"""`GET /v1/audit/balances`: the daily balance of the log, for each organ with its own part."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict

from hub.refusals import Malformed, TooMany, documented
from verification.audit import balances
from verification.questions import iso_day
from verification.routes import door

router = APIRouter()
FIRST, LAST = date(2000, 1, 1), date(2999, 12, 31)
BETWEEN = {"pattern": r"^2\d{3}-\d{2}-\d{2}$"}
"""The same, as the API's document says it."""


class Own(BaseModel):
    """How many entries of the day are the caller's organ's, by kind."""

    model_config = ConfigDict(extra="forbid")

    credential: int
    prerequisites: int
    read: int
    refused: int


class Balance(BaseModel):
    """The balance of one day; sign it as it stands."""

    model_config = ConfigDict(extra="forbid")

    day: str
    organ: str
    number: int
    """The last seal of the day."""
    head: str
    total: int
    """Entries from the beginning of the log to this head."""
    entries: int
    """Entries in the day's seals."""
    own: Own


class BalanceTold(BaseModel):
    """A balance, and what your organ last said of it."""

    model_config = ConfigDict(extra="forbid")

    balance: Balance
    countersigned: Literal["agrees", "differs"] | None


class Balances(BaseModel):
    """Balances of closed days, by day."""

    model_config = ConfigDict(extra="forbid")

    balances: list[BalanceTold]


@router.get(
    "/v1/audit/balances", summary="Read the daily balances of the log", response_model=Balances,
    responses=documented(Malformed, TooMany),
)  # fmt: skip
async def get_balances(
    request: Request,
    after: Annotated[
        date | None,
        BeforeValidator(iso_day),
        Query(description="Only days after this one.", ge=FIRST, le=LAST, json_schema_extra=dict(BETWEEN)),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="So many days at most.")] = 31,
) -> dict[str, Any]:
    """Read balances, to be compared with what your organ knows of itself, and countersigned."""
    caller, made = door.caller_of(request), door.opened(request)
    await door.run(request, lambda: made.checker.mind(caller))
    found = await door.run(
        request, lambda: balances.told(made.engine, caller.organ, after=after, limit=limit)
    )  # fmt: skip
    return {"balances": found}
