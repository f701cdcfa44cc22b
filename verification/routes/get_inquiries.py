"""`GET /v1/inquiries` and `GET /v1/inquiries/{number}`: what other departments ask your organ's officers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict

from hub.refusals import Malformed, NotFound, TooMany, documented
from sharedrepo.access.clients import Client
from verification.checks import answers, officers
from verification.routes import door

router = APIRouter()


class InquiryListed(BaseModel):
    """An inquiry; what is asked about whom is told where it is opened."""

    model_config = ConfigDict(extra="forbid")

    number: int
    organ: str
    """The organ that asks."""
    type: str | None
    """The credential's type; null where a decision is asked about."""
    item: str | None
    """The code of the item whose decision is asked about; null where a credential is."""
    purpose: str
    state: Literal["asked", "silent", "answered", "overtaken", "withdrawn"]
    """`silent`: open past its day; it can still be answered."""
    asked_at: str
    due: str
    answer: Literal["yes", "no", "not_ours"] | None
    ended_at: str | None


class Inquiries(BaseModel):
    """A page of inquiries, in order of number."""

    model_config = ConfigDict(extra="forbid")

    inquiries: list[InquiryListed]
    next: int | None
    """Give it as `after` to read on; null at the end."""


class Limited(BaseModel):
    """How old at most."""

    model_config = ConfigDict(extra="forbid")

    value: int
    unit: Literal["working_day", "calendar_day", "month", "year"]


class OptionAsked(BaseModel):
    """What a prerequisite asks for: whether the holder has such a credential, or such a decision was granted to it."""

    model_config = ConfigDict(extra="forbid")

    credential: str | None = None
    """The type."""
    item: str | None = None
    item_name: str | None = None
    holder: Literal["applicant", "project"]
    holder_number: str | None = None
    holder_name: str | None = None
    project: str | None = None
    not_older_than: Limited | None = None
    """On that day it must have been given no longer ago than this."""


class InquiryOpened(InquiryListed):
    """An inquiry with its question: a credential that is shown, or an option of prerequisites; null where erased."""

    on: str | None
    """The day on which it must be valid."""
    credential: dict[str, Any] | None
    """What the applicant shows, as the check asks it."""
    option: OptionAsked | None
    reason: str | None


@router.get(
    "/v1/inquiries", summary="Read what your organ's officers are asked", response_model=Inquiries,
    responses=documented(Malformed, TooMany),
)  # fmt: skip
async def get_inquiries(
    request: Request,
    state: Annotated[
        Literal["open", "silent", "ended"], Query(description="Those that are open, past their day, or ended.")
    ] = "open",
    after: Annotated[int, Query(ge=0, le=2**62, description="Begin after this number: `next` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=officers.MOST, description="So many at most.")] = 100,
) -> dict[str, Any]:
    """List the inquiries to the caller's organ; nobody's name or number is in them."""
    caller, made = cast("Client", request.state.caller), door.opened(request)
    await door.minded(request, lambda: made.rates.mind(caller.client_id))
    now = made.checker.clock()
    rows = await door.run(
        request,
        lambda: officers.listed(made.engine, issuer=caller.organ, now=now, state=state, after=after, limit=limit),
    )
    return {"inquiries": list(map(_listed, rows)), "next": int(rows[-1]["number"]) if len(rows) == limit else None}


@router.get(
    "/v1/inquiries/{number}", summary="Open an inquiry", response_model=InquiryOpened,
    responses=documented(Malformed, NotFound, TooMany),
)  # fmt: skip
async def get_inquiry(
    request: Request, number: Annotated[int, Path(ge=1, le=2**62, description="The number of the inquiry.")]
) -> dict[str, Any]:
    """Read what is asked, with whom it is about; the reading is logged."""
    caller, made = cast("Client", request.state.caller), door.opened(request)
    await door.minded(request, lambda: made.rates.mind(caller.client_id))
    row = await door.run(
        request,
        lambda: officers.opened(
            made.checker, number, caller.organ, actor=f"client:{caller.code}", client_id=caller.client_id
        ),
    )
    return {**_listed(row), **{name: row[name] for name in ("on", "credential", "option", "reason")}}


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    names = ("number", "organ", "type", "item", "purpose", "state", "answer")
    instants = {name: answers.instant(cast("datetime | None", row[name])) for name in ("asked_at", "ended_at")}
    return {**{name: row[name] for name in names}, **instants, "due": row["due"].isoformat()}
