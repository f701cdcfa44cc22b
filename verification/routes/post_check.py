"""`POST /v1/checks`: ask one question; 200 answered, 202 waiting for a feed."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError

from hub.refusals import (
    KeyReused,
    Malformed,
    NotAllowed,
    NotFound,
    TooLarge,
    TooMany,
    TooSlow,
    Unavailable,
    UnsupportedForm,
    documented,
)
from verification.questions import Check, CredentialCheck, PrerequisitesCheck, faults_of
from verification.routes import door
from verification.routes.told import Checked

router = APIRouter()
_CHECK: TypeAdapter[CredentialCheck | PrerequisitesCheck] = TypeAdapter(Check)
_KINDS = {
    "credential": "#/components/schemas/CredentialCheck",
    "prerequisites": "#/components/schemas/PrerequisitesCheck",
}
_BODY = {
    "required": True,
    "content": {door.JSON: {"schema": {
        "oneOf": [{"$ref": one} for one in _KINDS.values()],
        "discriminator": {"propertyName": "kind", "mapping": _KINDS},
    }}},
}  # fmt: skip


@router.post(
    "/v1/checks",
    summary="Check a credential, or the prerequisites of an item",
    response_model=Checked,
    response_description="Answered",
    responses={
        202: {"model": Checked, "description": "Answered for now; a feed is waited for"},
        **documented(
            Malformed, NotFound, NotAllowed, TooSlow, KeyReused, TooLarge, UnsupportedForm, TooMany, Unavailable
        ),
    },
    openapi_extra={"requestBody": _BODY, "parameters": [door.KEY_HEADER]},
)
async def post_check(request: Request) -> Response:
    """Answer a question, signed and logged; each repeat under its Idempotency-Key gets the same answer."""
    caller, made = door.caller_of(request), door.opened(request)
    body = await _read(request)
    key = await door.minded(request, lambda: door.key_of(request))
    asked = await door.minded(request, lambda: read_check(body))
    reply = await door.run(request, lambda: made.checker.check(caller, asked, body=body, key=key))
    headers = {door.REPLAYED: "true"} if reply.replayed else {}
    return Response(orjson.dumps(reply.document), 202 if reply.waiting else 200, headers, media_type=door.JSON)


async def _read(request: Request) -> bytes:
    return await door.body_of(request, limit=door.LARGEST_CHECK)


def read_check(body: bytes) -> CredentialCheck | PrerequisitesCheck:
    """Read a question.

    Raises:
        Malformed: with every fault.
    """
    try:
        return _CHECK.validate_json(body)
    except ValidationError as error:
        raise Malformed(
            "the question cannot be read", hint="Mend the fields.", faults=faults_of(error, kinds=True)
        ) from None
