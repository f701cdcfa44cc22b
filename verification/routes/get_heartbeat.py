"""`GET /v1/heartbeat`: whether the log of checks can be asked, in the data tracker's words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from verification.audit import sealing
from verification.routes import door

router = APIRouter()


class Heartbeat(BaseModel):
    """How it is."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["OK", "FAIL"]
    message: str


@router.get("/v1/heartbeat", summary="Read whether the log of checks answers and is sealed", response_model=Heartbeat)
async def heartbeat(request: Request) -> dict[str, Any]:
    """Say OK where the log answers, and no entry has waited for its seal for too long."""
    made = door.opened(request)
    oldest = await door.run(request, lambda: sealing.oldest_unsealed(made.engine))
    most = timedelta(minutes=made.settings.check_unsealed_minutes)
    if oldest is not None and datetime.now(UTC) - oldest > most:
        return {"status": "FAIL", "message": "the log has not been sealed for too long; new checks are refused"}
    return {"status": "OK", "message": "the log of checks answers"}
