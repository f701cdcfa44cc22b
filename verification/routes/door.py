"""The door of the routes: an access token, a body within its limits, an idempotency key, and threads to work in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Request
from fastapi.security import OAuth2
from fastapi.security.utils import get_authorization_scheme_param
from pydantic import BaseModel, ValidationError

from hub.refusals import Fault, Malformed, NotAuthenticated, RequestRefused, TooLarge, TooMany, TooSlow, UnsupportedForm
from verification.opened import Verification
from verification.questions import faults_of
from verification.rights.callers import Caller

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)
JSON = "application/json"
KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LARGEST_CHECK = 64 * 1024
LARGEST_BULK = 2 << 20
BODY_SECONDS = 30.0
_LONGEST_KEY = 200
_scheme = OAuth2(
    flows={"clientCredentials": {"tokenUrl": "/v1/token", "scopes": {"check": "check approvals"}}},
    scheme_name="checks", auto_error=False,
    description="An access token of POST /v1/token.",
)  # fmt: skip

KEY_HEADER: dict[str, Any] = {
    "name": KEY, "in": "header", "schema": {"type": "string", "pattern": "^[ -~]{1,200}$"},
    "description": "Names this request: a repeat with the same body gets the same answer, and is no new check.",
}  # fmt: skip


def opened(request: Request) -> Verification:
    """Return what the application has open for checks."""
    return cast("Verification", request.app.state.verification)


async def admit(request: Request, said: Annotated[str | None, Depends(_scheme)]) -> None:
    """Let in who brings a good access token, note the caller, and count the request."""
    kind, token = get_authorization_scheme_param(said)
    made = opened(request)
    try:
        request.state.caller = made.tokens.read(token if kind.lower() == "bearer" else "")
    except NotAuthenticated:
        await note_refusal(request, None, "not_authenticated")
        raise
    await minded(request, lambda: made.rates.mind(request.state.caller.client_id))


async def minded(request: Request, deed: Callable[[], T]) -> T:
    """Do something that may refuse the request before it becomes a check; a refusal is logged."""
    try:
        return deed()
    except RequestRefused as refusal:
        await note_refusal(request, caller_of(request), type(refusal).__name__)
        raise


async def note_refusal(request: Request, caller: Caller | None, reason: str) -> None:
    """Log a refused call, as long as its caller's refusals are not more than the log takes."""
    made = opened(request)
    try:
        made.refusals.mind(0 if caller is None else caller.client_id)
    except TooMany:
        return
    await run(request, lambda: made.checker.refused(caller, reason))


def asking() -> Any:
    """Return the dependency that the application mounts the routes with."""
    return Depends(admit)


def caller_of(request: Request) -> Caller:
    """Return who asks."""
    return cast("Caller", request.state.caller)


async def run(request: Request, work: Callable[[], T]) -> T:
    """Do blocking work in the threads of checks."""
    return await asyncio.get_running_loop().run_in_executor(opened(request).workers, work)


def key_of(request: Request) -> str | None:
    """Return the idempotency key.

    Raises:
        Malformed: it is empty, too long or unprintable.
    """
    key = request.headers.get(KEY)
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Malformed(
            f"{KEY} is no printable ASCII text of 1 to {_LONGEST_KEY} characters",
            faults=[Fault(KEY, "unreadable_text", "1 to 200 printable ASCII characters")],
        )  # fmt: skip
    return key


def read(model: type[Model], body: bytes, what: str) -> Model:
    """Read a body as what it must be; `what` names it where it is something else.

    Raises:
        Malformed: with every fault.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Malformed(f"{what} cannot be read", hint="Mend the fields.", faults=faults_of(error)) from None


async def body_of(request: Request, *, limit: int, form: str = JSON) -> bytes:
    """Read the body, as it must come.

    Raises:
        UnsupportedForm: it is said to be something else.
        TooLarge: it is larger than the limit; no more than that was read.
        TooSlow: it did not come in time.
    """
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != form or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedForm(f"the body is not said to be {form}", hint=f"Send Content-Type: {form}.")
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    pieces, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    raise _too_large(limit)
                pieces.append(piece)
    except TimeoutError:
        raise TooSlow(f"the body did not come within {BODY_SECONDS:g} s", hint="Send it again.") from None
    return b"".join(pieces)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit // 1024} KiB", hint="Ask less at once.")
