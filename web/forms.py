"""Forms that browsers send: read whole within limits, and only those that our own pages gave out."""

from __future__ import annotations

import asyncio
import hmac
from urllib.parse import parse_qsl

from fastapi import Request

from hub.refusals import Forged, Malformed, TooLarge, TooSlow, UnsupportedForm
from hub.sentences import sentence

MOST_BYTES = 256 * 1024
MOST_FIELDS = 300
SECONDS = 30
WORD = "form_word"
"""The field that brings back the word of the session."""
_KIND = "application/x-www-form-urlencoded"


async def read(request: Request) -> dict[str, str]:
    """Read a form; line ends become single ones.

    Raises:
        UnsupportedForm, TooLarge, TooSlow, Malformed: it is no form that our pages send.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise UnsupportedForm(sentence("a form comes as {kind}", kind=_KIND), hint="Send the form of the page.")
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > MOST_BYTES:
                    raise TooLarge(
                        sentence("the form has more than {most_bytes:,} bytes", most_bytes=MOST_BYTES),
                        hint="Write less.",
                    )
    except TimeoutError:
        raise TooSlow(
            sentence("the form did not come within {seconds} seconds", seconds=SECONDS), hint="Send it again."
        ) from None
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict",
            max_num_fields=MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise Malformed("the form cannot be read", hint="Send the form of the page.") from None
    found = {name: value.replace("\r\n", "\n").replace("\r", "\n") for name, value in pairs}
    if len(found) < len(pairs):
        raise Malformed("a field of the form stands twice", hint="Send the form of the page.")
    if any("\0" in value for value in found.values()):
        raise Malformed("a field of the form holds a character that is no text", hint="Write it without.")
    return found


def must_be_ours(form: dict[str, str], word: str) -> None:
    """Go on only if a form brings the word that our page put into it.

    Raises:
        Forged: it brings none or another: another site sent it, or the sign-in has changed since the page was opened.
    """
    if not hmac.compare_digest(form.pop(WORD, "").encode(), word.encode()):
        raise Forged("this form was not given out for your present sign-in", hint="Open the page again and repeat it.")
