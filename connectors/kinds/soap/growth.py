"""Bounds what a schema grows to: groups that name groups, each several times, are a bomb as entities are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lxml import etree

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_GROUPS = (f"{_XSD}group", f"{_XSD}attributeGroup")
_PARTS = (f"{_XSD}element", f"{_XSD}attribute")
_DEEPEST = 50
_ENDLESS = 1 << 63

Group = tuple[str, str]
"""Its sort and its name, without namespace: groups of one name count as the larger of them."""


class Growth:
    """Counts the elements and attributes that schemas hold once their groups are laid out."""

    def __init__(self) -> None:
        self.own: Counter[Group] = Counter()
        self.names: dict[Group, Counter[Group]] = {}
        self.used: Counter[Group] = Counter()

    def note(self, tree: etree._ElementTree) -> None:
        """Take a document in."""
        for node in tree.iter(*_GROUPS):
            if node.get("name"):
                self._define(node)
            elif not any(above.get("name") and above.tag in _GROUPS for above in node.iterancestors(*_GROUPS)):
                self.used[_named(node, "ref")] += 1

    def total(self) -> int:
        """Return the count; groups within themselves, and those too deep for any honest schema, count without end."""
        sizes: dict[Group, int] = {}
        return sum(times * self._size(group, sizes, 0) for group, times in self.used.items())

    def _define(self, node: etree._Element) -> None:
        group = _named(node, "name")
        self.own[group] = max(self.own[group], sum(1 for _ in node.iter(*_PARTS)))
        self.names[group] = self.names.get(group, Counter()) | Counter(_inner(node))

    def _size(self, group: Group, sizes: dict[Group, int], depth: int) -> int:
        if depth > _DEEPEST:
            return _ENDLESS
        if group not in sizes:
            sizes[group] = _ENDLESS  # what is met again on the way down lies within itself
            inner = self.names.get(group, Counter())
            sizes[group] = self.own[group] + sum(
                times * self._size(one, sizes, depth + 1) for one, times in inner.items()
            )
        return sizes[group]


def _inner(node: etree._Element) -> Iterator[Group]:
    return (_named(one, "ref") for one in node.iter(*_GROUPS) if one.get("ref"))


def _named(node: etree._Element, attribute: str) -> Group:
    return str(node.tag), str(node.get(attribute)).rpartition(":")[2]
