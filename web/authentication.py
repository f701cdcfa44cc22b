"""Who asks: the bearer token of a client (RFC 6750), and the right that a route needs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hub.refusals import NotAllowed, NotAuthenticated
from sharedrepo.access import clients
from web.state import state_of

_LONGEST = 200
_bearer = HTTPBearer(auto_error=False, scheme_name="client", description="The token that `hub client new` printed.")


def having(right: str) -> Any:
    """Return the dependency that lets in only clients with a right, and notes the caller in the request's state."""

    async def admit(request: Request, said: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
        if said is None or not 0 < len(said.credentials) <= _LONGEST:
            raise NotAuthenticated("the request has no bearer token", hint="Send Authorization: Bearer TOKEN.")
        state, address = state_of(request), request.client.host if request.client else ""
        state.knocks.mind(address, said.credentials)
        runtime = state.runtime
        caller = await run_in_threadpool(clients.find, runtime.engine, runtime.protector, said.credentials)
        if caller is None:
            state.knocks.failed(address, said.credentials)
            raise NotAuthenticated(
                "the token is unknown, expired or revoked", hint="Ask the hub's operators for a new one."
            )
        state.knocks.passed(said.credentials)
        request.state.caller = caller
        if not caller.may(right):
            raise NotAllowed(f"client {caller.code} lacks the right {right!r}", hint="Ask the hub's operators for it.")

    return Depends(admit)
