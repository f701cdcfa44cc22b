"""Prerequisites (前置审批) between items as a graph: which item must be decided before which.

Requirements stand in an item's content: AND between groups, OR inside one. An option that names a base code stands for
every item of that base.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from catalog.errors import Cycle

Graph = Mapping[str, frozenset[str]]
"""For each node (the base code of an item, or its own code where it has none) the nodes that must be there before."""


def named(content: Mapping[str, Any]) -> frozenset[str]:
    """Return the codes of the items that a content's requirements name."""
    groups = content.get("requirements", [])
    return frozenset(option["item"] for group in groups for option in group["any_of"] if "item" in option)


def node(code: str, base_code: str | None) -> str:
    """Return the node that an item stands at: items of one base require the same."""
    return base_code or code


def graph(items: Iterable[tuple[str, str | None, Mapping[str, Any]]]) -> dict[str, frozenset[str]]:
    """Build the graph of items, each given by code, base code and content; codes that no item has stay as they are."""
    listed = list(items)
    nodes = {code: node(code, base) for code, base, _ in listed}
    nodes |= {base: base for _, base, _ in listed if base}
    edges: dict[str, set[str]] = {}
    for code, base, content in listed:
        found = {nodes.get(one, one) for one in named(content)}
        edges.setdefault(node(code, base), set()).update(found)
    return {one: frozenset(before) for one, before in edges.items()}


def must_have_no_cycle(found: Graph) -> None:
    """Refuse a graph in which items require each other.

    Raises:
        Cycle: with the items of one cycle in order, the first again at its end.
    """
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        raise Cycle(list(reversed(error.args[1]))) from None


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


def layers(found: Graph) -> list[list[str]]:
    """Put a graph without cycles into layers: what rests on nothing first, each node right behind what it rests on."""
    depth: dict[str, int] = {}
    for one in TopologicalSorter(found).static_order():
        depth[one] = max((depth[other] + 1 for other in found.get(one, ())), default=0)
    rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for one in sorted(depth):
        rows[depth[one]].append(one)
    return rows
