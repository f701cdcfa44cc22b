"""`POST /v1/token`: an access token by OAuth 2.0 client credentials."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from hub.refusals import Malformed, NotAllowed, NotAuthenticated, TooLarge, TooSlow, UnsupportedForm, documented
from verification.rights import tokens
from verification.routes import door

router = APIRouter()
_FORM = "application/x-www-form-urlencoded"
_LARGEST = 4096
_MOST_FIELDS = 10
_FIELDS = {
    "grant_type": {"type": "string", "const": "client_credentials"}, "scope": {"type": "string", "const": "check"},
    "client_id": {"type": "string"}, "client_secret": {"type": "string"},
}  # fmt: skip
_BODY = {
    "required": True,
    "description": "Code and secret go into the form, or into HTTP Basic.",
    "content": {_FORM: {"schema": {"type": "object", "properties": _FIELDS, "required": ["grant_type"]}}},
}


class Token(BaseModel):
    """An access token."""

    model_config = ConfigDict(extra="forbid")

    access_token: str
    token_type: str
    expires_in: int
    """Seconds."""
    scope: str


@router.post(
    "/v1/token",
    summary="Get an access token for checks (OAuth 2.0 client credentials)",
    response_model=Token,
    responses=documented(Malformed, NotAuthenticated, NotAllowed, TooSlow, TooLarge, UnsupportedForm),
    openapi_extra={"requestBody": _BODY},
)
async def post_token(request: Request) -> dict[str, Any]:
    """Give a token that is good for minutes; a wrong try is logged."""
    body = await door.body_of(request, limit=_LARGEST, form=_FORM)
    try:
        form = dict(parse_qsl(body.decode("ascii", "replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise Malformed(f"the form has more than {_MOST_FIELDS} fields", hint="See docs/verify.") from None
    made = door.opened(request)
    headers = {"Authorization": request.headers.get("authorization", "")}
    secret = _basic(headers["Authorization"]) or form.get("client_secret", "")
    try:
        return await door.run(
            request,
            lambda: tokens.granted(made.engine, made.checker.protector, made.tokens, form, headers, secret),
        )
    except (NotAuthenticated, NotAllowed):
        await door.note_refusal(request, None, "token_refused")
        raise


def _basic(header: str) -> str:
    """Return the password of HTTP Basic; empty where there is none."""
    kind, _, said = header.partition(" ")
    try:
        return base64.b64decode(said, validate=True).decode().partition(":")[2] if kind.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""
