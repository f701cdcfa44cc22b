"""Where the parts of a picture of prerequisites stand: columns from left to right, in which no line crosses a part.

The classical way of layered drawings (Sugiyama, Tagawa, Toda 1981): each vertex stands in the column behind all that it
rests on; a line that passes a column has a place of its own there, as if it were a vertex; within the columns vertices
are ordered by the mean place of their neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Literal

from catalog.errors import TooMuchToDraw
from catalog.prerequisites import Needs

Kind = Literal["item", "or", "and", "passing"]
SIZES: Mapping[Kind, tuple[int, int]] = {"item": (236, 56), "or": (64, 26), "and": (64, 26), "passing": (0, 6)}
"""Width and height of each kind of vertex."""
GAP_X, GAP_Y, EDGE = 56, 18, 16
_SWEEPS = 8
MOST = 3_000
"""Parts of a picture, passing lines included; nobody reads a larger one, and drawing it would take long."""


@dataclass(frozen=True, slots=True)
class Place:
    """A vertex on the picture: its kind, its upper left corner and its size; `left` and `right` bound its column."""

    kind: Kind
    x: float
    y: float
    wide: float
    high: float
    left: float
    right: float

    @property
    def middle(self) -> float:
        """Return the height at which lines reach it."""
        return self.y + self.high / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """All vertices with their places, the lines between neighbouring columns, and the size of the whole."""

    places: Mapping[str, Place]
    lines: Sequence[tuple[str, str]]
    wide: float
    high: float


def arranged(needs: Needs) -> Layout:
    """Arrange items, their groups (a junction where several options or several groups meet) and all lines.

    Raises:
        graphlib.CycleError: items require each other.
        TooMuchToDraw: there is more than a picture can hold.
    """
    kinds, lines = _vertices(needs)
    depth = _depths(kinds, lines)
    lines = _stepwise(kinds, lines, depth)
    columns = _ordered(kinds, lines, depth)
    return _placed(kinds, lines, columns)


def _vertices(needs: Needs) -> tuple[dict[str, Kind], list[tuple[str, str]]]:
    """Make the vertices and lines: options lead to their group's OR, groups to their item's AND, that to the item."""
    kinds: dict[str, Kind] = {}
    lines: dict[tuple[str, str], None] = {}
    for item, groups in sorted(needs.items()):
        kinds[item] = "item"
        target = item
        if len(groups) > 1:
            target = f"and\0{item}"
            kinds[target] = "and"
            lines[target, item] = None
        for number, group in enumerate(groups):
            end = target
            if len(group.options) > 1:
                end = f"or\0{number}\0{item}"
                kinds[end] = "or"
                lines[end, target] = None
            for option in group.options:
                kinds.setdefault(option, "item")
                lines[option, end] = None
    return kinds, list(lines)


def _depths(kinds: Mapping[str, Kind], lines: Sequence[tuple[str, str]]) -> dict[str, int]:
    before: dict[str, set[str]] = {one: set() for one in kinds}
    for start, end in lines:
        before[end].add(start)
    depth: dict[str, int] = {}
    for one in TopologicalSorter(before).static_order():
        depth[one] = max((depth[other] + 1 for other in before[one]), default=0)
    return _drawn_near(depth, lines)


def _drawn_near(depth: dict[str, int], lines: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Move what rests on nothing as near to what needs it as it can stand, so that fewer lines pass columns."""
    ends = {end for _, end in lines}
    after: dict[str, list[int]] = {}
    for start, end in lines:
        after.setdefault(start, []).append(depth[end])
    return {one: at if one in ends or one not in after else min(after[one]) - 1 for one, at in depth.items()}


def _stepwise(kinds: dict[str, Kind], lines: Sequence[tuple[str, str]], depth: dict[str, int]) -> list[tuple[str, str]]:
    """Give a line that passes columns a vertex in each of them."""
    found = []
    passed = sum(depth[end] - depth[start] for start, end in lines)
    if len(kinds) + passed > MOST:
        raise TooMuchToDraw(MOST)
    for start, end in lines:
        at = start
        for column in range(depth[start] + 1, depth[end]):
            passing = f"passing\0{column}\0{start}\0{end}"
            kinds[passing], depth[passing] = "passing", column
            found.append((at, passing))
            at = passing
        found.append((at, end))
    return found


def _ordered(kinds: Mapping[str, Kind], lines: Sequence[tuple[str, str]], depth: Mapping[str, int]) -> list[list[str]]:
    """Order each column by the mean place of the neighbours, forth and back."""
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for one in sorted(kinds):
        columns[depth[one]].append(one)
    near: dict[str, tuple[list[str], list[str]]] = {one: ([], []) for one in kinds}
    for start, end in lines:
        near[end][0].append(start)
        near[start][1].append(end)
    for sweep in range(_SWEEPS):
        side = sweep % 2
        for column in columns if side == 0 else reversed(columns):
            place = {one: number / max(len(row), 1) for row in columns for number, one in enumerate(row)}
            means = {one: _mean([place[other] for other in near[one][side]], place[one]) for one in column}
            column.sort(key=means.__getitem__)
    return columns


def _mean(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _placed(kinds: Mapping[str, Kind], lines: Sequence[tuple[str, str]], columns: Sequence[Sequence[str]]) -> Layout:
    heights = [sum(SIZES[kinds[one]][1] + GAP_Y for one in column) - GAP_Y for column in columns]
    high = max((*heights, 0))
    places: dict[str, Place] = {}
    left = float(EDGE)
    for column, height in zip(columns, heights, strict=True):
        right = left + max((SIZES[kinds[one]][0] for one in column), default=0)
        y = EDGE + (high - height) / 2
        for one in column:
            wide, tall = SIZES[kinds[one]]
            places[one] = Place(kinds[one], left + (right - left - wide) / 2, y, wide, tall, left, right)
            y += tall + GAP_Y
        left = right + GAP_X
    return Layout(places, lines, max(left - GAP_X, EDGE) + EDGE, high + 2 * EDGE)
