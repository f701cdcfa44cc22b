"""The one shape of an error: `application/problem+json` (RFC 9457), with the way to mend it.

No text of a request stands in it but names of streams, sources and fields; no fault of our own says where it lies.
"""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import Match

from hub.refusals import PROBLEM, Fault, Malformed, MethodNotAllowed, NotAuthenticated, NotFound, RequestRefused
from hub.sentences import sentence
from web.pages import Pages, wants_page

log = logging.getLogger("hub.web")


class FieldFault(BaseModel):
    """One thing that is wrong with a request."""

    model_config = ConfigDict(extra="forbid")

    field: str
    """Where in the request, parts separated by dots."""
    code: str
    """A word that programs may rely on."""
    said: str


class Problem(BaseModel):
    """Why a request was not done, and what to do next."""

    model_config = ConfigDict(extra="forbid")

    type: str
    """`urn:approval-exchange-hub:` and a word that programs may rely on."""
    title: str
    status: int
    detail: str
    hint: str
    """What to do next."""
    request: str
    """The number under which the hub's log knows the request."""
    faults: list[FieldFault] = []
    """Everything that is wrong, by field, where it is known."""


def answer(request: Request, refused: RequestRefused) -> JSONResponse:
    """Answer a refused request."""
    headers = {}
    if refused.after_seconds is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refused.after_seconds)))
    if isinstance(refused, NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    kind = type(refused).__name__
    return _shaped(request, refused.status, kind, refused.title, refused.got, refused.hint, headers, refused.faults)


def install(app: FastAPI) -> None:
    """Have every error that is raised in an application answered in the one shape; faults go through `Framing`."""
    app.add_exception_handler(RequestRefused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _of_the_framework)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefused)  # noqa: S101  # it is registered for no other
    return shown(request, error)


def shown(request: Request, refused: RequestRefused) -> Response:
    """Answer a refused request: a person with a page, a program in the one shape."""
    if wants_page(request):
        pages: Pages = request.app.state.pages
        return pages.refusal(request, refused)
    return answer(request, refused)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # it is registered for no other
    places = sorted({".".join(map(str, fault["loc"])) for fault in error.errors()})
    return shown(
        request,
        Malformed(
            sentence("unreadable: {known}", known=", ".join(places)), hint="See the API's document, openapi.json."
        ),
    )


async def _of_the_framework(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: unknown addresses and methods."""
    assert isinstance(error, HTTPException)  # noqa: S101  # it is registered for no other
    if error.status_code == HTTPStatus.NOT_FOUND:
        hint = "Choose on the page." if wants_page(request) else "See the API's document, openapi.json."
        return shown(request, NotFound("nothing lies at this address", hint=hint))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and wants_page(request):
        return shown(request, MethodNotAllowed("this address is not opened in this way", hint="Choose on the page."))
    words = HTTPStatus(error.status_code)
    kind = "".join(part.capitalize() for part in words.name.split("_"))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return _shaped(request, error.status_code, kind, words.phrase, words.description, "", headers)


def _methods(request: Request) -> set[str]:
    """Return all methods of an address (RFC 9110, 15.5.6); the framework names those of its first route only."""
    found = (one for one in request.app.routes if one.matches(request.scope)[0] is not Match.NONE)
    return {method for one in found for method in getattr(one, "methods", None) or ()}


def fault(request: Request, error: Exception) -> Response:
    """Answer a fault of our own: its words may hold anything, so the log has its type and place only."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    log.error("request %s: %s at %s:%d", number(request), type(error).__name__, Path(last.filename).name, last.lineno)
    if wants_page(request):
        pages: Pages = request.app.state.pages
        return pages.answer(request, "fault.html", status=500, number=number(request))
    hint = "Send it again with the same Idempotency-Key; if it stays so, tell the hub's operators the request's number."
    return _shaped(request, 500, "InternalError", "a fault of the hub itself", "the request was not done", hint, {})


def _shaped(
    request: Request, status: int, kind: str, title: str, detail: str, hint: str, headers: dict[str, str],
    faults: Sequence[Fault] = (),
) -> JSONResponse:  # fmt: skip
    body = Problem(
        type=f"urn:approval-exchange-hub:{kind}", title=title, status=status, detail=detail, hint=hint,
        request=number(request), faults=[FieldFault(field=one.field, code=one.code, said=one.said) for one in faults],
    )  # fmt: skip
    return JSONResponse(body.model_dump(), status, headers, media_type=PROBLEM)


def number(request: Request) -> str:
    """Return the number of a request."""
    return str(getattr(request.state, "number", ""))
