"""`GET /v1/items/{code}`: one item of the published catalogue, by any of its numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict

from catalog.pages import public
from hub.refusals import Malformed, NotFound, TooMany, Unavailable, documented
from hub.workdays import local_day
from verification.questions import iso_day
from verification.routes import door

router = APIRouter()
LATEST = date(2999, 12, 31)
TO_LATEST = {"pattern": r"^[0-2]\d{3}-\d{2}-\d{2}$"}
"""The same, as the API's document says it."""


class Number(BaseModel):
    """Another number of the item."""

    model_config = ConfigDict(extra="forbid")

    scheme: str
    number: str


class Version(BaseModel):
    """A published version, from its first day until the day on which it no longer holds."""

    model_config = ConfigDict(extra="forbid")

    version: int
    status: str
    change: str
    reason: str
    valid_from: str
    valid_to: str | None


class ItemTold(BaseModel):
    """One item; `content` is what its disclosure class lets everybody see."""

    model_config = ConfigDict(extra="forbid")

    code: str
    base_code: str | None
    organ: str
    organ_name: str | None
    region: str | None
    version: int
    status: str
    valid_from: str
    valid_to: str | None
    comes: bool
    """It holds on no day yet: this is what it will say first."""
    open: bool
    """All of its content is public."""
    content: dict[str, Any]
    numbers: list[Number]
    versions: list[Version]


@router.get(
    "/v1/items/{code}", summary="Read one item of the catalogue", response_model=ItemTold,
    responses=documented(Malformed, NotFound, TooMany, Unavailable),
)  # fmt: skip
async def get_item(
    request: Request,
    code: Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00]+$", description="Any of its numbers.")],
    on: Annotated[
        date | None,
        BeforeValidator(iso_day),
        Query(description="As it stands on this day; today.", le=LATEST, json_schema_extra=dict(TO_LATEST)),
    ] = None,
) -> dict[str, Any]:
    """Read what an item asks for and gives on a day, and its published versions."""
    caller, made = door.caller_of(request), door.opened(request)
    await door.run(request, lambda: made.checker.mind(caller))
    found = await door.run(request, lambda: public.item(made.engine, code, on or local_day(datetime.now(UTC))))
    plain = ("code", "base_code", "organ", "organ_name", "region", "version", "status", "comes", "open", "content")
    return {name: found[name] for name in plain} | {
        **_days(found), "numbers": found["numbers"],
        "versions": [
            {name: one[name] for name in ("version", "status", "change", "reason")} | _days(one)
            for one in found["versions"]
        ],
    }  # fmt: skip


def _days(row: Any) -> dict[str, str | None]:
    last = row["valid_to"]
    return {"valid_from": row["valid_from"].isoformat(), "valid_to": None if last is None else last.isoformat()}
