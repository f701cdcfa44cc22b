"""`POST /v1/bulk-checks`: up to a thousand checks of credentials, answered by one query."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request, Response

from hub.refusals import (
    KeyReused,
    Malformed,
    TooLarge,
    TooMany,
    TooSlow,
    Unavailable,
    UnsupportedForm,
    documented,
)
from verification.questions import Bulk
from verification.routes import door
from verification.routes.told import BulkChecked

router = APIRouter()
_BODY = {"required": True, "content": {door.JSON: {"schema": {"$ref": "#/components/schemas/Bulk"}}}}


@router.post(
    "/v1/bulk-checks",
    summary="Check up to a thousand credentials at once",
    response_model=BulkChecked,
    response_description="Answered, in the order of the questions",
    responses=documented(Malformed, TooSlow, KeyReused, TooLarge, UnsupportedForm, TooMany, Unavailable),
    openapi_extra={"requestBody": _BODY, "parameters": [door.KEY_HEADER]},
)
async def post_checks(request: Request) -> Response:
    """Answer many questions; each has its answer, receipt and row of the log. One bad question refuses them all."""
    caller, made = door.caller_of(request), door.opened(request)
    body = await door.body_of(request, limit=door.LARGEST_BULK)
    key = await door.minded(request, lambda: door.key_of(request))
    asked = await door.minded(request, lambda: door.read(Bulk, body, "the questions"))
    await door.minded(request, lambda: made.rates.mind(caller.client_id, len(asked.checks) - 1))
    reply = await door.run(request, lambda: made.checker.bulk(caller, asked, body=body, key=key))
    headers = {door.REPLAYED: "true"} if reply.replayed else {}
    return Response(orjson.dumps(reply.document), headers=headers, media_type=door.JSON)
