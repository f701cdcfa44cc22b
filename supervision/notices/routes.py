"""`POST /v1/notices/receipts`: the SMS gateway reports what became of the texts that it was given."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict

from hub.refusals import Malformed, NotAuthenticated, NotFound, TooLarge, TooSlow, documented
from supervision.notices import receipts, store
from supervision.notices.opened import Notices

router = APIRouter()
BODY_SECONDS = 20.0
_scheme = HTTPBearer(
    scheme_name="gateway", auto_error=False,
    description="The password that the deployment gave its SMS gateway; also as the password of HTTP Basic.",
)  # fmt: skip


class ReceiptsTaken(BaseModel):
    """How many receipts were of texts that the hub sent, and how many were not; nothing is changed by those."""

    model_config = ConfigDict(extra="forbid")

    taken: int
    unknown: int


@router.post(
    "/v1/notices/receipts",
    summary="Report what became of text messages (the SMS gateway's callback)",
    response_model=ReceiptsTaken,
    responses=documented(Malformed, NotAuthenticated, NotFound, TooLarge, TooSlow),
)
async def post_receipts(request: Request, _said: Annotated[Any, Depends(_scheme)]) -> dict[str, int]:
    """Take receipts in the form that the gateway's file describes; a repeat changes nothing."""
    made = cast("Notices", request.app.state.notices)
    _known(request, made)
    gateway = made.sender.gateway
    if gateway is None or gateway.of.receipts is None:
        raise NotFound("no gateway reports receipts to this hub", hint="Describe them in the gateway's file.")
    try:
        lines = receipts.read(gateway.of.receipts, await _body(request), gateway.of.charset)
    except receipts.BadCallback as bad:
        raise Malformed(f"the receipts cannot be read: {bad}", hint="See the gateway's file.") from None
    ours, foreign = await asyncio.to_thread(
        store.reported, made.engine, lines, gateway=gateway.name, now=datetime.now(UTC)
    )  # fmt: skip
    return {"taken": ours, "unknown": foreign}


def _known(request: Request, made: Notices) -> None:
    """Let in the gateway, by the password that was given to it: as a bearer token, or as in https://name:PASSWORD@…"""
    kind, _, said = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            said = base64.b64decode(said, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            said = ""
    elif kind.lower() != "bearer":
        said = ""
    expected = "" if made.receipt_secret is None else made.receipt_secret.get_secret_value()
    if not expected or not hmac.compare_digest(said.encode(), expected.encode()):
        raise NotAuthenticated("this is not the gateway's password", hint="It is HUB_SMS_RECEIPT_SECRET.")


async def _body(request: Request) -> bytes:
    pieces, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > receipts.LARGEST:
                    raise TooLarge(f"the body is larger than {receipts.LARGEST // 1024} KiB", hint="Send fewer.")
                pieces.append(piece)
    except TimeoutError:
        raise TooSlow(f"the body did not come within {BODY_SECONDS:g} s", hint="Send it again.") from None
    return b"".join(pieces)
