"""What a WSDL says of an operation's messages: their elements, level by level, with the types that the WSDL names.

The values are zeep's elements and types, which have no types of their own that mypy could know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.seam import DiscoveredField

_DEEPEST = 8
_MOST = 2_000


def children(element: Any) -> Mapping[str, Any] | None:
    """Return the elements that an element may hold, by their names; None where the WSDL lets it hold any."""
    if getattr(element.type, "name", "") in {"anyType", "anySimpleType"}:
        return None
    found: dict[str, Any] = {}
    for name, one in getattr(element.type, "elements", ()):
        if getattr(one, "qname", None) is None:
            return None  # xsd:any has no name of its own
        found[str(one.attr_name or name)] = one
    return found


def lost(element: Any, steps: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the step of a path that the WSDL does not know, and what there is instead; None if the path can be."""
    here = element
    for step in steps:
        known = children(here)
        if known is None:
            return None
        if step not in known:
            return step, list(known)
        here = known[step]
    return None


def vouched(element: Any, steps: Sequence[str]) -> bool:
    """Say whether a path leads over elements that the WSDL names, and nowhere into one that may hold anything."""
    here = element
    for step in steps:
        known = children(here)
        if known is None or step not in known:
            return False
        here = known[step]
    return True


def misfit(element: Any, value: Any, path: str = "") -> str | None:
    """Say where parameters do not fit the elements of a message: a group where a value belongs, or the reverse."""
    if isinstance(value, list):
        return next((found for one in value if (found := misfit(element, one, path))), None)
    known = children(element)
    if known is None:
        return None
    if not isinstance(value, dict):
        return f"{path} holds elements, not a value" if known else None
    if not known and path:
        return f"{path} holds a value, not elements"
    for name, one in value.items():
        if name in known and (found := misfit(known[name], one, f"{path}/{name}".strip("/"))):
            return found
    return None


def fields(element: Any, prefix: str) -> tuple[DiscoveredField, ...]:
    """Return an element's leaves and attributes as paths below `prefix`, with their types; `[]` marks what repeats."""
    found: list[DiscoveredField] = []
    for one in _leaves(element, prefix, ()):
        found.append(one)
        if len(found) == _MOST:
            break
    return tuple(found)


def _leaves(element: Any, path: str, above: tuple[Any, ...]) -> Iterator[DiscoveredField]:
    for name, attribute in getattr(element.type, "attributes", ()):
        if name and getattr(attribute, "type", None) is not None:
            yield DiscoveredField(f"{path}/@{name}", str(attribute.type.name))
    known = children(element)
    if not known or element.type in above or len(above) == _DEEPEST:
        yield DiscoveredField(path, "any" if known is None else str(getattr(element.type, "name", "") or "group"))
        return
    for name, one in known.items():
        repeats = "[]" if one.accepts_multiple else ""
        yield from _leaves(one, f"{path}/{name}{repeats}", (*above, element.type))
