"""The door of the pages: who is signed in, and whether a form is one that the hub itself gave out."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from hub.refusals import NotSignedIn
from web import forms
from web.accounts import cookies, sessions
from web.senders import sender_of
from web.state import state_of


def signed_in() -> Any:
    """Return the dependency that lets in persons who are signed in.

    It leaves `visitor` (hub.visitor) in the request's state and, with a form, `form`: its fields, proven to be ours.
    """

    async def admit(request: Request) -> None:
        seat = await run_in_threadpool(seated, request)
        if seat is None:
            raise NotSignedIn("nobody is signed in here, or no longer", hint="Sign in, then open the page again.")
        request.state.seat, request.state.visitor, request.state.caller = seat, seat.visitor, seat.visitor
        if request.method == "POST":
            form = await forms.read(request)
            forms.must_be_ours(form, seat.form_word)
            request.state.form = form

    return Depends(admit)


def recognized() -> Any:
    """Return the dependency that lets everybody in, and knows those who are signed in.

    It leaves `sender` in the request's state: what tells senders apart without their addresses.

    A form of somebody who is not known needs no word of ours: it does nothing in anybody's name.
    """

    async def admit(request: Request) -> None:
        seat = await run_in_threadpool(seated, request)
        request.state.sender = sender_of(address_of(request))
        if seat is not None:
            request.state.seat, request.state.visitor, request.state.caller = seat, seat.visitor, seat.visitor
        if request.method == "POST":
            form = await forms.read(request)
            if seat is not None:
                forms.must_be_ours(form, seat.form_word)
            request.state.form = form

    return Depends(admit)


def seated(request: Request) -> sessions.Seat | None:
    """Return the session that a request belongs to; None where there is none that is valid now."""
    token = cookies.read(request, cookies.SESSION)
    runtime = state_of(request).runtime
    return None if token is None else sessions.found(runtime.engine, runtime.protector, runtime.settings, token)


def address_of(request: Request) -> str:
    """Return the address that a request came from; a proxy of ours is believed when it names its caller."""
    peer = request.client.host if request.client else ""
    proxies = state_of(request).runtime.settings.web_proxies
    named = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    while peer in proxies and named:
        peer = named.pop()
    return peer[:100]
