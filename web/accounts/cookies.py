"""The cookies of the pages: out of reach of scripts, of other sites' requests, and of plain HTTP off this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from web.state import state_of

SESSION = "hub_session"
"""The number of a session."""
FORM = "hub_form"
"""The number of a browser that is not signed in, to which its sign-in form is bound."""
KNOWN = "hub_known"
"""The mark of a browser from which an account signed in before."""
PROVIDER = "hub_provider"
"""The secret of a sign-in that is under way at the OpenID provider."""
LANGUAGE = "hub_language"
"""The language that was picked."""

_HOST_ONLY = "__Host-"


def on_this_machine(request: HTTPConnection) -> bool:
    """Say whether the browser reached the hub under a loopback name: only then may cookies go over plain HTTP.

    The address that the settings give counts more than the one that a request (or a proxy that passes it on) names.
    """
    said = state_of(request).runtime.settings.web_url
    host = (request.url.hostname if said is None else urlsplit(said).hostname) or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read(request: HTTPConnection, name: str) -> str | None:
    """Return a cookie's value; None where the browser sent none."""
    return request.cookies.get(_full(request, name))


def put(request: HTTPConnection, answer: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """Give the browser a cookie; without `seconds` it lives as long as the browser runs."""
    answer.set_cookie(
        _full(request, name), value, max_age=seconds, path="/", secure=not on_this_machine(request), httponly=True,
        samesite="lax",
    )  # fmt: skip


def drop(request: HTTPConnection, answer: Response, name: str) -> None:
    """Take a cookie away from the browser."""
    answer.delete_cookie(
        _full(request, name), path="/", secure=not on_this_machine(request), httponly=True, samesite="lax"
    )


def _full(request: HTTPConnection, name: str) -> str:
    """Return the name with the prefix that keeps a neighbouring host from planting it, where cookies are secure."""
    return name if on_this_machine(request) else _HOST_ONLY + name
