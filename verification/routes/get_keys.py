"""`GET /v1/keys`: the public keys of receipts and heads, for everybody."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from sharedrepo.keyring import signing
from verification.routes import door

router = APIRouter()


class Keys(BaseModel):
    """A JWK set (RFC 7517) of every key that was ever signed with."""

    model_config = ConfigDict(extra="forbid")

    keys: list[dict[str, Any]]


@router.get("/v1/keys", summary="Read the public keys that receipts are checked by", response_model=Keys)
async def get_keys(request: Request) -> dict[str, Any]:
    """Return the keys; who keeps them can check receipts without the hub."""
    made = door.opened(request)
    return await door.run(request, lambda: signing.published(made.engine))
