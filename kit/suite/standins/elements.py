"""Writes records as XML elements from which the reader of XML reads them again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree

from hub.records import Record

_STEPS = re.compile(r"(?:\./)?((?:(?:[\w-]+:)?[\w.-]+/)*@?(?:[\w-]+:)?[\w.-]+)(?:/text\(\))?")
"""XPaths that name one place below a record's element, and so can be written: children, and a last attribute."""


def unwritable(options: Mapping[str, Any]) -> str | None:
    """Say which field stands at a place that no example can be written to; nothing where all can."""
    for name, path in options.get("fields", {}).items():
        if not _STEPS.fullmatch(str(path)):
            return f"its field {name!r} is read by an XPath that no example can be written to"
    return None


def steps_of(path: str) -> list[str]:
    """Return the steps of an XPath that `unwritable` lets pass."""
    found = _STEPS.fullmatch(path)
    assert found is not None  # noqa: S101  # the caller asked `unwritable`
    return found[1].split("/")


def element_of(
    name: str, options: Mapping[str, Any], record: Record, *, order: Iterable[str] = (), space: str | None = None
) -> etree._Element:
    """Write a record: at the places of its stream's `fields`, else each value as a child of its own name.

    `order` is that of the children where an XSD has one, `space` the namespace of names without a prefix.

    Raises:
        ValueError: a name or a value is none that XML can hold.
    """
    spaces = {None: space, **options.get("namespaces", {})}
    fields: Mapping[str, str] = options.get("fields", {})
    out = etree.Element(_clark(name, spaces))
    for field in dict.fromkeys([*(one for one in order if one in record), *record]):
        put(out, steps_of(fields[field]) if field in fields else [field], record[field], spaces)
    return out


def put(parent: etree._Element, steps: Iterable[str], value: Any, spaces: Mapping[Any, Any] | None = None) -> None:
    """Write a value at a place below an element; what leads there is made where it is not there yet."""
    known = spaces or {}
    *above, last = steps
    for step in above:
        parent = child(parent, _clark(step, known))
    if last.startswith("@"):
        if value is not None:
            parent.set(_clark(last[1:], {**known, None: None}), text_of(value))
        return
    for one in value if isinstance(value, list) else [value]:
        made = etree.SubElement(parent, _clark(last, known))
        if isinstance(one, dict):
            for inner, said in one.items():
                put(made, [inner], said, known)
        elif one is not None:
            made.text = text_of(one)


def child(parent: etree._Element, tag: str) -> etree._Element:
    """Return the child of this name, made where there is none."""
    found = parent.find(tag)
    return etree.SubElement(parent, tag) if found is None else found


def text_of(value: Any) -> str:
    """Write one value as XML Schema writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _clark(name: str, spaces: Mapping[Any, Any]) -> str:
    prefix, _, plain = name.rpartition(":")
    space = spaces.get(prefix or None)
    return f"{{{space}}}{plain}" if space else plain
