"""Requests that the hub's API refuses. The type says what the caller does next:

RequestRefused
├── Malformed         400  mend the request
├── NotAuthenticated  401  send a valid token
├── NotSignedIn       401  sign in (pages)
├── Forged            403  open the page again and repeat the deed (pages)
├── NotAllowed        403  ask the hub's operators for the right
├── NotFound          404  mend the address; the message names what there is
├── MethodNotAllowed  405  ask in a way that the address takes
├── TooSlow           408  send the body faster
├── NotYet            409  wait as long as Retry-After says, then ask again
├── KeyReused         422  take a new Idempotency-Key for a new body
├── TooLarge          413  send less at once
├── UnsupportedForm   415  send it in a form that is read
├── Contradicted      422  what is sent is not what was said of it
├── TooMany           429  wait as long as Retry-After says
└── Unavailable       503  wait as long as Retry-After says, then send the same again

Whoever answers the request turns them into `application/problem+json` (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.errors import HubError

PROBLEM = "application/problem+json"
"""The media type of a refusal (RFC 9457)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: at which field, a stable code, and a few words; never what was sent."""

    field: str
    code: str
    said: str


class RequestRefused(HubError):
    """A request is refused; carries what was got and what to do, never a value that was sent."""

    status = 400
    title = "the request cannot be read"

    def __init__(
        self, got: str, *, hint: str = "", after_seconds: float | None = None, faults: Sequence[Fault] = ()
    ) -> None:
        self.got, self.hint, self.after_seconds, self.faults = got, hint, after_seconds, tuple(faults)
        super().__init__(f"{got}. {hint}".rstrip())


class Malformed(RequestRefused):
    """The request, or its body as a whole, cannot be read."""


class NotAuthenticated(RequestRefused):
    """There is no token, or none that is valid."""

    status = 401
    title = "a valid token is needed"


class NotSignedIn(RequestRefused):
    """Nobody is signed in, or no longer."""

    status = 401
    title = "please sign in"


class Forged(RequestRefused):
    """A form does not bring the word that our own page put into it."""

    status = 403
    title = "this form is not of your present sign-in"


class NotAllowed(RequestRefused):
    """The client has no right to this."""

    status = 403
    title = "this client may not do that"


class NotFound(RequestRefused):
    """Nothing lies at this address."""

    status = 404
    title = "there is no such thing"


class MethodNotAllowed(RequestRefused):
    """The address is there, and is not asked in this way."""

    status = 405
    title = "this address is not asked in this way"


class TooSlow(RequestRefused):
    """The body did not come in time."""

    status = 408
    title = "the body came too slowly"


class TooLarge(RequestRefused):
    """The body breaks a limit."""

    status = 413
    title = "the body is too large"


class UnsupportedForm(RequestRefused):
    """The body is in a form that is not read here."""

    status = 415
    title = "this form of body is not read"


class NotYet(RequestRefused):
    """What is asked for is still being made."""

    status = 409
    title = "it is not ready yet"


class KeyReused(RequestRefused):
    """An Idempotency-Key comes a second time with something else."""

    status = 422
    title = "this Idempotency-Key belongs to another request"


class Contradicted(RequestRefused):
    """The request says something of its body that is not so."""

    status = 422
    title = "the body is not what the request says of it"


class TooMany(RequestRefused):
    """The client asks more often than it may."""

    status = 429
    title = "too many requests"


class Unavailable(RequestRefused):
    """The hub cannot do it just now; nothing was kept."""

    status = 503
    title = "not just now"


def documented(*kinds: type[RequestRefused]) -> dict[int | str, dict[str, Any]]:
    """Return how the document of the API tells of these refusals."""
    by_status: dict[int | str, list[str]] = {}
    for one in kinds:
        by_status.setdefault(one.status, []).append(f"`{one.__name__}`: {one.title}")
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": "; ".join(words), "content": {PROBLEM: {"schema": schema}}}
        for status, words in by_status.items()
    }
