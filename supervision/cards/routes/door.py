"""The door of the routes: who asks, the repository, and a body read no further than its limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar, cast

import sqlalchemy as sa
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict

from hub.refusals import NotFound, TooLarge, TooSlow, UnsupportedForm
from sharedrepo.access.clients import Client
from supervision.cards.errors import NoSuchCard

T = TypeVar("T")
JSON: Final = "application/json"
LARGEST: Final = 64 * 1024
BODY_SECONDS: Final = 30.0


class Card(BaseModel):
    """A supervision card of your organ."""

    model_config = ConfigDict(extra="forbid")

    number: str
    level: str
    """warning, yellow or red."""
    kind: str
    """What its rule looks at: time, process, content, fee, item or statistical."""
    rule: str
    rule_version: int
    state: str
    """sent, answered, appealed, upheld or withdrawn."""
    case: str | None
    """Your own number of the case; null where the card speaks of a month."""
    item: str | None
    clock: str
    """What was late or wrong: `case`, `notice`, `delivery`, `STAGE#ROUND`, `!RULE` or `month:MONTH!RULE`."""
    stage: str | None
    round: int | None
    raised_at: datetime
    sent_at: datetime | None
    due_at: datetime | None
    """Until when feedback is awaited."""
    ended_at: datetime | None
    contradicted: bool
    """Whether facts that came later speak against it: its withdrawal can be asked for."""


def card_of(row: dict[str, Any]) -> dict[str, Any]:
    """Return a card as the API tells it."""
    names = set(Card.model_fields) - {"item", "contradicted"}
    told = {name: row[name] for name in names}
    return {**told, "item": row["item_code"], "contradicted": row["contradicted_at"] is not None}


def organ_of(request: Request) -> str:
    """Return the organ whose cards the caller sees."""
    return client_of(request).organ


def client_of(request: Request) -> Client:
    """Return who asks."""
    return cast("Client", request.state.caller)


async def work(request: Request, deed: Callable[[sa.Connection], T]) -> T:
    """Do something in a transaction, beside the loop.

    Raises:
        NotFound: there is no such card, or it is another organ's.
    """
    engine: sa.Engine = request.app.state.hub.runtime.engine

    def run() -> T:
        with engine.begin() as connection:
            return deed(connection)

    try:
        return await run_in_threadpool(run)
    except NoSuchCard:
        raise NotFound("there is no such card of your organ", hint="GET /v1/cards lists them.") from None


async def body_of(request: Request) -> bytes:
    """Read the body, as it must come.

    Raises:
        UnsupportedForm: it is said to be something else.
        TooLarge: it is larger than the limit; no more than that was read.
        TooSlow: it did not come in time.
    """
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != JSON or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedForm(f"the body is not said to be {JSON}", hint=f"Send Content-Type: {JSON}.")
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > LARGEST:
        raise _too_large()
    pieces, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > LARGEST:
                    raise _too_large()
                pieces.append(piece)
    except TimeoutError:
        raise TooSlow(f"the body did not come within {BODY_SECONDS:g} s", hint="Send it again.") from None
    return b"".join(pieces)


def _too_large() -> TooLarge:
    return TooLarge(f"the body is larger than {LARGEST // 1024} KiB", hint="Say it in 2,000 characters.")
