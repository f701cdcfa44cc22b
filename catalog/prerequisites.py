"""Prerequisites (前置审批) between items as a graph: which item must be decided before which.

Requirements stand in an item's content: AND between groups, OR inside one. An option that names a base code stands for
every item of that base.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Any

import sqlalchemy as sa

from catalog import store
from catalog.errors import Cycle

Graph = Mapping[str, frozenset[str]]
"""For each node (the base code of an item, or its own code where it has none) the nodes that must be there before."""


Item = tuple[str, str | None, Mapping[str, Any]]
"""An item as the graph sees it: code, base code and content."""
CREDENTIAL = "credential:"
"""What stands before the type of a credential where it is named beside items."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of prerequisites: one of its options is enough (nodes, or credentials)."""

    name: str
    options: tuple[str, ...]


Needs = Mapping[str, tuple[Group, ...]]
"""For each node the groups of which all must be met."""


def named(content: Mapping[str, Any]) -> frozenset[str]:
    """Return the codes of the items that a content's requirements name."""
    groups = content.get("requirements", [])
    return frozenset(option["item"] for group in groups for option in group["any_of"] if "item" in option)


def node(code: str, base_code: str | None) -> str:
    """Return the node that an item stands at: items of one base require the same."""
    return base_code or code


def graph(items: Iterable[Item]) -> dict[str, frozenset[str]]:
    """Build the graph of items; codes that no item has stay as they are."""
    return {one: frozenset(_items(groups)) for one, groups in needs(items).items()}


def needs(items: Iterable[Item]) -> dict[str, tuple[Group, ...]]:
    """Return what each node needs; items of one base that say the same say it once."""
    listed = list(items)
    nodes = {code: node(code, base) for code, base, _ in listed}
    nodes |= {base: base for _, base, _ in listed if base}
    found: dict[str, dict[Group, None]] = {}
    for code, base, content in listed:
        groups = found.setdefault(node(code, base), {})
        for said in content.get("requirements", ()):
            options = [
                nodes.get(one["item"], one["item"]) if "item" in one else f"{CREDENTIAL}{one['credential']}"
                for one in said["any_of"]
            ]
            groups[Group(said["name"], tuple(dict.fromkeys(options)))] = None
    return {one: tuple(groups) for one, groups in found.items()}


def resting(found: Needs, start: str) -> dict[str, tuple[Group, ...]]:
    """Return the part of the needs that a node rests on, itself included."""
    edges = {one: frozenset(_items(groups)) for one, groups in found.items()}
    return {one: found.get(one, ()) for one in before(edges, start)}


def _items(groups: Iterable[Group]) -> Iterable[str]:
    return (one for group in groups for one in group.options if not one.startswith(CREDENTIAL))


def must_have_no_cycle(found: Graph) -> None:
    """Refuse a graph in which items require each other.

    Raises:
        Cycle: with the items of one cycle in order, the first again at its end.
    """
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        raise Cycle(list(reversed(error.args[1]))) from None


def must_never_have_a_cycle(connection: sa.Connection, since: date) -> None:
    """Refuse items that would require each other on some day from `since` on, though their newest contents do not.

    Versions take effect on different days: one may ask for what another one asks of it until next month.

    Raises:
        Cycle: with the items of one cycle in order.
    """
    held = store.held_from(connection, since)
    for day in sorted({max(one.valid_from, since) for one in held}):
        must_have_no_cycle(graph((one.code, one.base_code, one.content) for one in held if one.holds_on(day)))


def before(found: Graph, start: str) -> dict[str, frozenset[str]]:
    """Return the part of a graph that an item rests on, itself included."""
    part: dict[str, frozenset[str]] = {}
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if one not in part:
            part[one] = found.get(one, frozenset())
            waiting.extend(part[one])
    return part
