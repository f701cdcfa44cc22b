"""`GET /v1/findUsage`: who checked a person or an organisation, for the portal that it signed in to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from hub.refusals import Fault, Malformed, TooMany, documented
from verification.questions import HolderNumber, Instant, faults_of
from verification.reading import usage
from verification.routes import door

router = APIRouter()
VIEWER = "X-Road-UserId"
REPRESENTED = "X-Road-Represented-Party"
_NUMBER: TypeAdapter[str] = TypeAdapter(HolderNumber)


class Usage(BaseModel):
    """One check."""

    model_config = ConfigDict(extra="forbid")

    logtime: str
    action: str
    """What was done and why, in plain words."""
    receiverCode: str  # noqa: N815  # the protocol's own word
    receiverName: str  # noqa: N815  # as above
    receiverSystem: str  # noqa: N815  # as above
    hiddenUntil: str | None = None  # noqa: N815  # as above
    """Until when it was not shown, because it belonged to an investigation."""
    hiddenReason: str | None = None  # noqa: N815  # as above
    """The legal basis of that."""


class Usages(BaseModel):
    """A page of checks, newest first, and how many there are in all."""

    model_config = ConfigDict(extra="forbid")

    totalUsages: int  # noqa: N815  # the protocol's own word
    usages: list[Usage]


@router.get(
    "/v1/findUsage", summary="Read who checked a person or organisation", response_model=Usages,
    response_model_exclude_none=True, responses=documented(Malformed, TooMany),
)  # fmt: skip
async def find_usage(
    request: Request,
    viewer: Annotated[
        str,
        Header(
            alias=VIEWER,
            description="The number of the person who signed in.",
            max_length=40,
            pattern=r"^[!-~]([ -~]*[!-~])?$",
        ),
    ],
    represented: Annotated[
        str | None,
        Header(
            alias=REPRESENTED,
            description="Whom the person acts for, as CLASS/NUMBER or NUMBER.",
            max_length=80,
            pattern=r"^([!-.0-~]{1,39}/)?[!-.0-~]([ -.0-~]{0,38}[!-.0-~])?$",
        ),
    ] = None,
    since: Annotated[Instant | None, Query(alias="periodStart", description="Checks from this instant on.")] = None,
    until: Annotated[Instant | None, Query(alias="periodEnd", description="Checks before this instant.")] = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="Leave out so many of the newest.")] = 0,
    limit: Annotated[int, Query(ge=1, le=usage.MOST, description="So many at most.")] = usage.MOST,
) -> dict[str, Any]:
    """Read the checks about the person who signed in, or whom it acts for; reading them is logged."""
    if "userCode" in request.query_params:
        raise Malformed(
            "the number of a person stands in the address, where lines and proxies write it down",
            hint=f"Send it as {REPRESENTED}.", faults=[Fault("userCode", "personal_in_url", "send it as a header")],
        )  # fmt: skip
    who = _number(viewer, VIEWER)
    whom = who if represented is None else _number(represented.rpartition("/")[2], REPRESENTED)
    caller, made = request.state.caller, door.opened(request)
    await door.minded(request, lambda: made.rates.mind(caller.client_id))
    period: dict[str, datetime | None] = {"since": since, "until": until}
    return await door.run(
        request,
        lambda: usage.find(
            made.checker, client_id=caller.client_id, organ=caller.organ, viewer=who, subject=whom, offset=offset,
            limit=limit, **period,
        ),
    )  # fmt: skip


def _number(said: str, header: str) -> str:
    try:
        return _NUMBER.validate_python(said.strip())
    except ValidationError as error:
        faults = [Fault(header, one.code, one.said) for one in faults_of(error)]
        raise Malformed(f"{header} is no number of a person or organisation", hint="Mend it.", faults=faults) from None
