"""`GET /v1/usagePeriod`: since when the log of checks can be asked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from verification.reading import usage
from verification.routes import door

router = APIRouter()


class Period(BaseModel):
    """Since when checks are kept; to now."""

    model_config = ConfigDict(extra="forbid")

    periodStart: str  # noqa: N815  # the protocol's own word


@router.get("/v1/usagePeriod", summary="Read since when checks are kept", response_model=Period)
async def usage_period(request: Request) -> dict[str, Any]:
    """Read when the first entry of the log was written."""
    made = door.opened(request)
    return await door.run(request, lambda: usage.period(made.checker))
