"""Walks once through a document in bounded memory, for what stands beside its records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from lxml import etree

from hub.xmlsafe import Pruner, XmlFault, iterate

Way = tuple[str, ...]
"""Names from the root down, without namespaces; `*` stands for any, and a last `@name` for an attribute."""

ENVELOPE: Way = ("Envelope", "Body", "*")
"""The way to an answer."""
_MOST_RECORDS = 500_000
"""Records of one answer; within `body_bytes` there could be millions of empty ones."""


@dataclass(slots=True)
class Look:
    """What was seen: texts at the wanted paths, how many records, and whether an envelope's body came to its end."""

    texts: dict[str, str | None] = field(default_factory=dict)
    records: int = 0
    body: bool = False
    instead: list[str] = field(default_factory=list)
    """What stands where the path of the records breaks off, if there are none."""


def look(
    data: bytes, base: Way, wanted: Mapping[str, str], records: str | None, *, limit: int,
    judge_body: Callable[[etree._Element], None] | None = None,
) -> Look:  # fmt: skip
    """Return what a document says at `wanted` paths below `base`, and how many records it has.

    Raises:
        XmlFault: it is broken, unsafe, or holds more records than any answer should.
    """
    seen, pruner = Look(), Pruner()
    goals = {name: (*base, *path.split("/")) for name, path in wanted.items()}
    place = (*base, *records.split("/")) if records else None
    home: etree._Element | None = None  # where the last record stood: the next one most likely does as well
    for element in _events(data, (base[0], *ENVELOPE[1:2]), [*goals.values(), *([place] if place else [])], limit):
        parent = element.getparent()
        if place is not None and parent is home is not None and local(element.tag) == place[-1]:
            _count(seen, pruner, element)
            continue
        way = _way(element)
        if place is not None and _leads(place, way):
            home = parent
            _count(seen, pruner, element)
            continue
        _note(seen, goals, element, way)
        if judge_body is not None and way == ENVELOPE[:2]:
            seen.body = True
            judge_body(element)
        if len(way) == 1 and place is not None and seen.records == 0:
            seen.instead = _instead(element, place[1:])
    return seen


def _count(seen: Look, pruner: Pruner, record: etree._Element) -> None:
    seen.records += 1
    if seen.records > _MOST_RECORDS:
        raise XmlFault("unsafe", f"the answer holds more than {_MOST_RECORDS:,} records")
    pruner.done(record)


def root_of(data: bytes, limit: int) -> str:
    """Return the tag of a document's root.

    Raises:
        XmlFault: there is none.
    """
    for _, element in iterate(BytesIO(data), events=("start",), limit=limit):
        return str(element.tag)
    raise XmlFault("truncated", "the document is empty")


def local(tag: Any) -> str:
    """Return a name without its namespace."""
    return str(tag).rpartition("}")[2]


def _events(data: bytes, names: Iterable[str], goals: Iterable[Way], limit: int) -> Iterator[etree._Element]:
    """Yield each element that ends and bears a name that matters, and any others of these names."""
    every = {*names, *(_element(goal)[-1] for goal in goals)}
    for _, element in iterate(BytesIO(data), tags=[f"{{*}}{name}" for name in sorted(every)], limit=limit):
        yield element


def _note(seen: Look, goals: Mapping[str, Way], element: etree._Element, way: Way) -> None:
    for name, goal in goals.items():
        if _leads(_element(goal), way):
            seen.texts.setdefault(name, _text(element, goal[-1]))


def _way(element: etree._Element) -> Way:
    return (*[local(one.tag) for one in element.iterancestors()][::-1], local(element.tag))


def _leads(goal: Way, way: Way) -> bool:
    return len(goal) == len(way) and all(step in {"*", name} for step, name in zip(goal, way, strict=True))


def _element(goal: Way) -> Way:
    """Return the way to the element that a path's last attribute belongs to."""
    return goal[:-1] if goal[-1].startswith("@") else goal


def _text(element: etree._Element, last: str) -> str | None:
    if not last.startswith("@"):
        return element.text
    return next((str(value) for name, value in element.items() if local(name) == last[1:]), None)


def _instead(element: etree._Element, steps: Way) -> list[str]:
    """Follow a path as far as it leads; return what stands there instead of its next step."""
    here = element
    for step in steps:
        found = next((child for child in here if step in {"*", local(child.tag)}), None)
        if found is None:
            return [local(child.tag) for child in here]
        here = found
    return []
