"""`GET /health`: whether the hub can take requests. The only route that anybody may ask: it says yes or no."""

from __future__ import annotations

import time
from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from hub.refusals import Unavailable, documented
from web.state import state_of

router = APIRouter()

_GOOD_FOR = 1.0
"""Seconds that an answer of the repository stands for those after it: whoever asks often costs nothing."""
_AGAIN = 5.0


class Health(BaseModel):
    """The hub can take requests."""

    status: Literal["ok"] = "ok"


@router.get("/health", summary="Whether the hub can take requests", responses=documented(Unavailable))
async def health(request: Request) -> Health:
    """Say that the hub and its repository answer."""
    state = request.app.state
    if time.monotonic() - getattr(state, "well_at", float("-inf")) > _GOOD_FOR:
        try:
            await run_in_threadpool(_ask, state_of(request).runtime.engine)
        except SQLAlchemyError:
            raise Unavailable("the repository does not answer", hint="Try again.", after_seconds=_AGAIN) from None
        state.well_at = time.monotonic()
    return Health()


def _ask(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
