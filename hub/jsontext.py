"""JSON as bytes, for any record that a source may send: quick where it can be, whole where it must be.

`orjson` refuses what JSON allows but it cannot hold: integers beyond 64 bits, lone surrogates, deep nesting. Those go
through the standard library; what even that cannot write stands as a mark of what was there.
"""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Write a record as one line of JSON (no newline inside)."""
    try:
        return orjson.dumps(value)
    except TypeError:
        try:
            return json.dumps(value, separators=(",", ":")).encode()
        except (RecursionError, TypeError, ValueError) as error:
            return orjson.dumps({"unwritable": type(error).__name__, "length": len(value)})


def loads(text: bytes | str) -> Any:
    """Read what `dumps` wrote.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
