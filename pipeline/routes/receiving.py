"""Receives the body of a request within bounds: of its size, of its time, and of all bodies that are held at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from hub.refusals import Malformed, TooLarge, TooSlow, Unavailable

AGAIN_SECONDS = 2.0


class Room:
    """The memory for bodies of this process: what does not fit is turned away before it is read."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0

    def take(self, size: int) -> None:
        """Take room for so many bytes more.

        Raises:
            Unavailable: there is none just now.
        """
        if self._held and self._held + size > self._most:
            hint = "Nothing was kept. Send the same again, with the same Idempotency-Key."
            raise Unavailable("too many posts are waiting", hint=hint, after_seconds=AGAIN_SECONDS)
        self._held += size

    def leave(self, size: int) -> None:
        """Give room back."""
        self._held -= size


@asynccontextmanager
async def received(request: Request, *, limit: int, seconds: float, room: Room) -> AsyncIterator[bytes]:
    """Receive a body and give it; its room is held until the block ends.

    Raises:
        TooLarge, TooSlow, Unavailable: it breaks a bound; what has not come is not waited for.
        Malformed: the caller broke off.
    """
    _mind_length(request, limit)
    chunks: list[bytes] = []
    held = 0
    try:
        try:
            async with asyncio.timeout(seconds):
                async for chunk in request.stream():
                    room.take(len(chunk))
                    held += len(chunk)
                    if held > limit:
                        raise too_large(limit)
                    chunks.append(chunk)
        except TimeoutError:
            raise TooSlow(f"the body did not come within {seconds:g} s", hint="Send less at once.") from None
        yield b"".join(chunks)
    finally:
        room.leave(held)


def _mind_length(request: Request, limit: int) -> None:
    said = request.headers.get("content-length")
    if said is None:
        return
    if not (said.isascii() and said.isdigit()):
        raise Malformed("Content-Length is no number")
    if int(said[:20]) > limit:
        raise too_large(limit)


def too_large(limit: int) -> TooLarge:
    """Return the refusal of a body beyond the limit."""
    return TooLarge(f"the body has more than {limit:,} bytes (limit `body_bytes`)", hint="Send it in several posts.")
