"""JSON as bytes, for any record that a source may send: quick where it can be, whole where it must be.

`orjson` refuses what JSON allows but it cannot hold: integers beyond 64 bits, lone surrogates, deep nesting. Those go
through the standard library; what even that cannot write stands as a mark of what was there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import orjson

_TYPES: dict[type, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def type_of(value: Any) -> str:
    """Return the JSON type of a value; the name of its Python type where JSON has none."""
    return _TYPES.get(type(value), type(value).__name__)


def dumps(value: Any) -> bytes:
    """Write a record as one line of JSON (no newline inside)."""
    try:
        return _trimmed(orjson.dumps(value))
    except TypeError:
        try:
            return json.dumps(value, separators=(",", ":")).encode()
        except (RecursionError, TypeError, ValueError) as error:
            return orjson.dumps({"unwritable": type(error).__name__, "length": len(value)})


def dumps_many(texts: Sequence[str]) -> list[bytes]:
    """Write many texts, each as its own JSON: the same as `dumps` of each."""
    written = _whole(texts)
    if written is None or b"\\" in written:
        return [dumps(text) for text in texts]
    # No character is escaped, so no quotation mark stands inside a text, and the marks between two texts part them.
    return [b'"%b"' % one for one in written[2:-2].split(b'","')]


def _whole(texts: Sequence[str]) -> bytes | None:
    if not texts:
        return None
    try:
        return orjson.dumps(texts if isinstance(texts, list) else list(texts))
    except TypeError:
        return None


def _trimmed(written: bytes) -> bytes:
    """Copy what `orjson` wrote: its own buffers are far larger than what they hold, and a slice keeps thousands."""
    return bytes(memoryview(written))


def loads(text: bytes | str) -> Any:
    """Read what `dumps` wrote.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
