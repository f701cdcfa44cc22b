"""JSON from outside: bounded depth, and values found by JSON pointer (RFC 6901)."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_LONG, _DIGITS_ALIKE = b"0" * 19, bytes.maketrans(b"123456789", b"0" * 9)
"""So many zeros, and the table that makes zeros of digits: a run is found ten times as fast as by an expression."""
_BIG = 1 << 63
_NESTS = frozenset({dict, list})
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""An escaped NUL: the backslash that begins it is not itself escaped."""


class JsonFault(ValueError):
    """What is wrong with a JSON text; the message never quotes it."""

    def __init__(self, message: str, *, unsafe: bool = False, cut: bool = False) -> None:
        self.unsafe, self.cut = unsafe, cut
        super().__init__(message)


def read_json(data: bytes | str, depth: int, *, nul: bool = False) -> Any:
    """Parse a JSON text of at most `depth` levels; with `nul` the caller looks for escaped NUL characters itself.

    Raises:
        JsonFault: it is none, or a deeper one; `cut` where it ends too early.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if "limit" in error.msg.lower():  # orjson stops at 1,024 levels by itself
            raise _too_deep(depth) from None
        at_end = error.pos >= len(error.doc.rstrip()) or "unexpected end" in error.msg
        raise JsonFault("the JSON ends too early" if at_end else "the text is no JSON", cut=at_end) from None
    text = _bytes(data)
    brackets = text.count(b"{") + text.count(b"[")  # it nests no deeper than it has brackets
    if brackets > depth and _levels(value, depth) > depth:
        raise _too_deep(depth)
    if not nul and has_nul(text):
        raise JsonFault("the JSON holds a NUL character")
    return _exactly(data) if _long(text) else value


def _bytes(data: bytes | str) -> bytes:
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")


def _long(text: bytes) -> bool:
    """Say whether a number may stand in the text that has more digits than orjson keeps."""
    return _LONG in text.translate(_DIGITS_ALIKE)


def _exactly(data: bytes | str) -> Any:
    """Parse once more so that a number beyond 64 bits, such as an identifier written as one, stays as its digits."""
    return json.loads(data, parse_int=lambda text: int(text) if -_BIG <= int(text) < _BIG else text)


def _too_deep(depth: int) -> JsonFault:
    return JsonFault(f"the JSON is nested deeper than {depth} levels", unsafe=True)


def _levels(value: Any, most: int) -> int:
    """Return how deep a value nests, counting no further than one beyond `most`; level by level, not recursively."""
    level, here = 0, [value]
    while here and level <= most:
        inner: list[Any] = []
        for one in here:
            within = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
            inner.extend([found for found in within if type(found) in _NESTS])
        level, here = level + 1, inner
    return level


def has_nul(data: bytes | str) -> bool:
    """Say whether a JSON text holds an escaped NUL, which no text column can keep; an escaped backslash is none."""
    text = _bytes(data)
    return b"\\u0000" in text and _NUL.search(text) is not None


def find(value: Any, pointer: str) -> Any:
    """Return what a JSON pointer leads to.

    Raises:
        KeyError: it leads nowhere.
    """
    here = value
    for step in pointer.split("/")[1:] if pointer else ():
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict) and name in here:
            here = here[name]
        elif isinstance(here, list) and name.isascii() and name.isdigit() and int(name) < len(here):
            here = here[int(name)]
        else:
            raise KeyError(pointer)
    return here
