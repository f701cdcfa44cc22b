"""Reads the receipts that a gateway posts: bounded lists of what became of which text, as its file describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from supervision.notices.template import Receipts
from supervision.notices.terms import Receipt, Reported

LARGEST: Final = 256 * 1024
MOST: Final = 1_000
"""Receipts of one callback."""
_LONGEST = 100


class BadCallback(ValueError):
    """A callback is not as the gateway's file says."""


def read(how: Receipts, body: bytes, charset: str) -> list[Reported]:
    """Return what a callback reports.

    Raises:
        BadCallback: it is not in the form that the gateway's file names, or too long.
    """
    entries = _form(body, charset) if how.form == "form" else _json(how, body)
    if len(entries) > MOST:
        raise BadCallback(f"more than {MOST:,} receipts")
    return [_line(how, one) for one in entries]


def _form(body: bytes, charset: str) -> list[Mapping[str, Any]]:
    try:
        return [dict(parse_qsl(body.decode("ascii"), encoding=charset, max_num_fields=50))]
    except ValueError:
        raise BadCallback("no form") from None


def _json(how: Receipts, body: bytes) -> list[Mapping[str, Any]]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadCallback("no JSON") from None
    for step in filter(None, how.entries.split(".")):
        found = found.get(step) if isinstance(found, dict) else None
    entries = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in entries):
        raise BadCallback("no list of receipts where the file says that it is")
    return entries


def _line(how: Receipts, entry: Mapping[str, Any]) -> Reported:
    state = _word(entry.get(how.state))
    receipt = (
        Receipt.NO_ANSWER if state is None
        else Receipt.DELIVERED if state in how.delivered
        else Receipt.UNDER_WAY if state in how.under_way
        else Receipt.UNDELIVERED
    )  # fmt: skip
    key = _word(entry.get(how.key)) if how.key else None
    return Reported(receipt, key, _word(entry.get(how.number)) if how.number else None)


def _word(said: object) -> str | None:
    """Return a short printable word; numbers stand for their digits, all else for nothing."""
    text = str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""
    return text if 0 < len(text) <= _LONGEST and text.isprintable() else None
