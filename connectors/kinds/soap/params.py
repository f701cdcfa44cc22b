"""Parameters as a stream declares them, made into the values of a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

_PLACE = re.compile(r"\{([\w-]+)\}")


def places(params: Mapping[str, Any]) -> set[str]:
    """Return the names that stand as `{name}` in the texts of parameters."""
    return {name for value in params.values() for text in _texts(value) for name in _PLACE.findall(text)}


def filled(params: Mapping[str, Any]) -> dict[str, Any]:
    """Fill `{name}` in texts with the parameters of these names, which then are not sent by themselves."""
    taken = {name: params[name] for name in places(params) if name in params}
    return {name: _fill(value, taken) for name, value in params.items() if name not in taken}


def _fill(value: Any, taken: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _fill(one, taken) for name, one in value.items()}
    if isinstance(value, list):
        return [_fill(one, taken) for one in value]
    if not isinstance(value, str):
        return value
    marked = "<" in value  # an XML document as text: what goes into it is text of it
    return _PLACE.sub(lambda found: _text(taken, found, marked=marked), value)


def _text(taken: Mapping[str, Any], found: re.Match[str], *, marked: bool) -> str:
    if found[1] not in taken:
        return found[0]
    return escape(str(taken[found[1]]), {'"': "&quot;"}) if marked else str(taken[found[1]])


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts within a parameter."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def nested(params: Mapping[str, Any]) -> dict[str, Any]:
    """Turn names that are paths (`query/page`) into values within values."""
    made: dict[str, Any] = {}
    for name, value in params.items():
        *above, last = name.split("/")
        here = made
        for step in above:
            inner = here.get(step)
            here[step] = inner = dict(inner) if isinstance(inner, dict) else {}
            here = inner
        here[last] = {**here[last], **value} if isinstance(value, dict) and isinstance(here.get(last), dict) else value
    return made
