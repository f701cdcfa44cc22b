"""Masks what a system holds before a person sees it: a value is personal unless its field is mapped to an open column.

What is masked keeps its shape: digits become 9, letters A and a, Chinese characters 字. The form of a date or of a code
can be told from that, and no person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from normalization.model import StreamMapping

Path_ = tuple[str, ...]
_LONGEST = 40
_SECRET = re.compile(r"(?i)(passw|secret|token|api[-_]?key|auth|sign|cookie|session)")


def shape(value: Any) -> Any:
    """Return the shape of a value; None and the empty text stay, they are nobody's."""
    if value is None or value == "":
        return value
    if isinstance(value, bool):
        return "‹boolean›"
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:5]] + (["…"] if len(value) > 5 else [])  # noqa: PLR2004  # enough to see
    text = str(value)
    drawn = "".join(map(_drawn, text[:_LONGEST]))
    return f"{drawn}…({len(text)})" if len(text) > _LONGEST else drawn


def _drawn(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind == "Nd":
        return "9"
    if sign.isascii():
        return ("A" if sign.isupper() else "a") if sign.isalpha() else sign
    return "字" if kind == "Lo" else sign if kind.startswith(("P", "Z")) else "x"


def open_paths(stream: StreamMapping, *, identity: bool = False) -> frozenset[Path_]:
    """Return the fields that may be shown: those mapped to columns of no person.

    With `identity` also those that tell records apart, which the ledger and the quarantine list show, too.
    """
    used = {field.path for made in stream.yields for column in made.columns for field in column.fields}
    if identity:
        used |= {field.path for field in stream.identity_fields}
    return frozenset(used - {field.path for field in stream.personal})


def mask_of(stream: StreamMapping | None, *, identity: bool = False) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what masks records of a stream; where no mapping speaks of it, every value."""
    shown = open_paths(stream, identity=identity) if stream else frozenset()
    hidden = frozenset(field.path for field in stream.personal) if stream else frozenset()
    return lambda record: {name: _masked(value, (name,), shown, hidden) for name, value in record.items()}


def _masked(value: Any, path: Path_, shown: frozenset[Path_], hidden: frozenset[Path_]) -> Any:
    below = any(one[: len(path)] == path and len(one) > len(path) for one in shown | hidden)
    if isinstance(value, dict) and below:
        return {name: _masked(inner, (*path, name), shown, hidden) for name, inner in value.items()}
    if isinstance(value, list) and below:
        return [_masked(inner, (*path, str(place)), shown, hidden) for place, inner in enumerate(value)]
    return value if path in shown and path not in hidden and not below else shape(value)


def request_line(method: str, url: str) -> str:
    """Write a request as people may see it: no host, no user, and no value that looks like a secret."""
    parts = urlsplit(url)
    said = [(name, "***" if _SECRET.search(name) else text) for name, text in parse_qsl(parts.query, True)]
    return f"{method} {parts.path or '/'}" + (f"?{urlencode(said, safe=':/*-')}" if said else "")
