"""`POST /v1/check-jobs`: a file of up to a hundred thousand checks of credentials, answered beside the other work."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from hub.refusals import Malformed, TooLarge, TooMany, TooSlow, Unavailable, UnsupportedForm, documented
from verification.checks import filed, jobs
from verification.checks.answers import instant
from verification.routes import door

router = APIRouter()
LARGEST = 32 << 20
_BODY = {
    "required": True,
    "description": "A question a line as JSON (as in a bulk), or CSV with a header: case, purpose, on, known_at, type, "
    "number, issuer, version, holder_number, holder_name, valid_from, valid_to.",
    "content": {
        filed.LINES: {"schema": {"type": "string", "minLength": 1}},
        filed.SHEET: {"schema": {"type": "string", "minLength": 1}},
    },
}


class Job(BaseModel):
    """A file of checks, and how far it is answered."""

    model_config = ConfigDict(extra="forbid")

    id: str
    state: Literal["waiting", "done", "stopped"]
    reason: str | None
    """Why it was stopped: client_revoked, or the name of a refusal."""
    questions: int
    answered: int
    made_at: str
    ended_at: str | None


def told(said: dict[str, Any]) -> dict[str, Any]:
    """Return a job as the API tells it."""
    ended = said["ended_at"]
    return {**said, "made_at": instant(said["made_at"]), "ended_at": None if ended is None else instant(ended)}


@router.post(
    "/v1/check-jobs", summary="Check very many credentials by a file", response_model=Job, status_code=202,
    response_description="Taken; `Location` says where it stands",
    responses=documented(Malformed, TooSlow, TooLarge, UnsupportedForm, TooMany, Unavailable),
    openapi_extra={"requestBody": _BODY},
)  # fmt: skip
async def post_check_job(request: Request) -> JSONResponse:
    """Take a file; one that has a fault is refused as a whole, with the lines of its first faults."""
    caller, made = door.caller_of(request), door.opened(request)
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await door.body_of(request, limit=LARGEST, form=filed.SHEET if form == filed.SHEET else filed.LINES)
    checker = made.checker
    asked = await door.run(request, lambda: filed.read(body, form, most=jobs.MOST, now=checker.clock()))
    job = await door.run(request, lambda: jobs.add(checker, caller, asked))
    said = await door.run(request, lambda: jobs.stands(checker, caller, job))
    made.filed.set()
    return JSONResponse(told(said), 202, {"Location": f"/v1/check-jobs/{job}"})
