"""What every answer gets: a number, headers that keep browsers from guessing, and a line in the log.

The line has the route's pattern and never the address as it was sent, in which anything may stand.
"""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web import problems

log = logging.getLogger("hub.web")

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of an answer that sets none of its own: it is data, to be shown by nobody and kept by nobody."""


class Broken(Exception):
    """An answer broke off in its midst."""


class Framing:
    """Numbers requests, adds headers to answers, and logs each with its status and time."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number, began, status = uuid.uuid4().hex, time.monotonic(), 0
        scope.setdefault("state", {})["number"] = number

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers["Request-Id"] = number
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001  # the server would log its words, and anything may stand in them
            if status:
                raise Broken from None  # half an answer was sent: the server ends the connection
            await problems.fault(Request(scope), error)(scope, receive, sending)
        finally:
            took = (time.monotonic() - began) * 1000
            log.info("%s %s %s %d %.0f ms %s", scope["method"], _route(scope), _caller(scope), status, took, number)


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "(no route)"))


def _caller(scope: Scope) -> str:
    caller: Any = scope["state"].get("caller")
    return "-" if caller is None else str(caller.code)
