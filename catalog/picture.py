"""The picture of what an item rests on: its prerequisites from left to right, as SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from catalog.prerequisites import Graph, layers

_WIDE, _HIGH, _GAP_X, _GAP_Y, _EDGE = 210, 52, 70, 18, 16
_LONGEST = 14
_STYLE = (
    "text{font:13px 'Noto Sans CJK SC',sans-serif;fill:#1d2733}.code{font-size:10px;fill:#51606f}"
    "rect{fill:#f4f7fa;stroke:#51606f}.asked rect{fill:#e2efe6;stroke:#1c6b3a;stroke-width:2}"
    ".unknown rect{stroke-dasharray:4 3}path{fill:none;stroke:#51606f}"
)


def svg(found: Graph, asked: str, names: Mapping[str, str]) -> str:
    """Draw a graph without cycles; `asked` is marked, and so is each node that `names` does not know.

    Raises:
        graphlib.CycleError: the graph has a cycle.
    """
    columns = layers(found)
    places = {
        one: (_EDGE + x * (_WIDE + _GAP_X), _EDGE + y * (_HIGH + _GAP_Y))
        for x, column in enumerate(columns)
        for y, one in enumerate(column)
    }
    wide = 2 * _EDGE + len(columns) * (_WIDE + _GAP_X) - _GAP_X
    high = 2 * _EDGE + max((len(column) for column in columns), default=1) * (_HIGH + _GAP_Y) - _GAP_Y
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {wide} {high}", role="img")
    root.set("width", str(wide))
    ET.SubElement(root, "title").text = f"前置审批 Prerequisites: {names.get(asked, asked)}"
    ET.SubElement(root, "style").text = _STYLE
    for one, before in sorted(found.items()):
        for other in sorted(before):
            _line(root, places[other], places[one])
    for one, place in places.items():
        _box(root, one, place, names, marked=one == asked)
    return ET.tostring(root, encoding="unicode")


def _line(root: ET.Element, start: tuple[int, int], end: tuple[int, int]) -> None:
    (x1, y1), (x2, y2) = start, end
    x1, y1, y2 = x1 + _WIDE, y1 + _HIGH // 2, y2 + _HIGH // 2
    half = (x1 + x2) // 2
    ET.SubElement(root, "path", d=f"M{x1} {y1}C{half} {y1} {half} {y2} {x2} {y2}")


def _box(root: ET.Element, one: str, place: tuple[int, int], names: Mapping[str, str], *, marked: bool) -> None:
    x, y = place
    kinds = [kind for kind, holds in (("asked", marked), ("unknown", one not in names)) if holds]
    group = ET.SubElement(root, "g", {"class": " ".join(kinds)} if kinds else {})
    name = names.get(one, "目录中没有此事项 not in the catalogue")
    ET.SubElement(group, "title").text = f"{name} ({one})"
    ET.SubElement(group, "rect", x=str(x), y=str(y), width=str(_WIDE), height=str(_HIGH), rx="4")
    short = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    ET.SubElement(group, "text", x=str(x + 10), y=str(y + 22)).text = short
    ET.SubElement(group, "text", {"class": "code", "x": str(x + 10), "y": str(y + 40)}).text = one
