"""The picture of a process map as SVG that needs nothing else: stages from top to bottom, ways forward and back.

Ways to the next stage go straight; longer ones run in lanes, forward on the right, back on the left. A line is as wide
as the way is frequent, and says how often it was gone and how long was waited on it. Ways that few cases take are left
out of the picture, not out of the map; the picture says how many.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from supervision.logs.events import NAMES
from supervision.logs.process_map import END, START, Edge, ProcessMap

WIDE, HIGH, GAP, EDGE = 260, 54, 70, 24
_LANE: Final = 92
MOST_NODES: Final = 40
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST = 24
_ROUND_THE_CLOCK = 24
_STYLE = (
    "text{font:13px 'Noto Sans CJK SC',sans-serif;fill:#1d2733}.node rect{fill:#f4f7fa;stroke:#51606f}"
    ".end rect{fill:#12406b;stroke:#12406b}.end text{fill:#fff}.small{font-size:11px;fill:#51606f}"
    "path{fill:none;stroke:#12406b}.back path{stroke:#a3122a}.node text,.end text{text-anchor:middle}"
    ".way text{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:4px}"
    ".way.left text{text-anchor:end}marker path{fill:#12406b;stroke:none}.note{font-size:12px}"
)
_ENDS: Final = {START: "开始 start", END: "结束 end"}


def svg(found: ProcessMap, *, least: float = 0.01) -> str:
    """Draw a map; ways of fewer than this share of its cases are left out, and said to be."""
    nodes = [START, *(one.name for one in sorted(found.nodes, key=lambda one: one.place)[:MOST_NODES]), END]
    place = {name: number for number, name in enumerate(nodes)}
    shown = [
        one for one in found.edges
        if one.source in place and one.target in place and one.cases >= least * max(found.cases, 1)
    ]  # fmt: skip
    lanes = _lanes(shown, place)
    right = max((lane for lane in lanes.values() if lane > 0), default=0)
    left = -min((lane for lane in lanes.values() if lane < 0), default=0)
    middle = EDGE + left * _LANE + WIDE / 2
    wide, high = 2 * EDGE + (left + right) * _LANE + WIDE, 3 * EDGE + len(nodes) * HIGH + (len(nodes) - 1) * GAP
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img", viewBox=f"0 0 {wide:g} {high:g}")
    root.set("width", f"{wide:g}")
    root.set("height", f"{high:g}")
    ET.SubElement(root, "title").text = f"流程图 Process map: {found.cases} 件 cases"
    ET.SubElement(root, "style").text = _STYLE
    _arrow(root)
    most = max((one.count for one in shown), default=1)
    for one in shown:
        _way(root, one, place, lanes[one.source, one.target], middle, most)
    counts = {one.name: one for one in found.nodes}
    for name in nodes:
        known = counts.get(name) if name not in _ENDS else None
        under = "" if known is None else f"{known.events} 次 times · {known.cases} 件 cases · {duration(known.hours)}"
        _box(root, _ENDS.get(name) or _title(name), under, middle, _top(place[name]), end=name in _ENDS)
    hidden = len(found.edges) - len(shown)
    note = ET.SubElement(root, "text", {"class": "note", "x": str(EDGE), "y": f"{high - 8:g}"})
    note.text = f"未画出的少见路径 {hidden} 条（低于 {least:.0%}）; {hidden} rare ways are not drawn" if hidden else ""
    return ET.tostring(root, encoding="unicode")


def duration(hours: float | None) -> str:
    """Say how long something took: hours below two days, days above."""
    if hours is None:
        return ""
    return f"{hours:.1f} h" if hours < 2 * _ROUND_THE_CLOCK else f"{hours / _ROUND_THE_CLOCK:.1f} d"


def _lanes(edges: Sequence[Edge], place: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """Give each way its lane: 0 straight on, 1, 2, … on the right, -1, … on the left, where it has room."""
    found: dict[tuple[str, str], int] = {}
    taken: dict[int, list[tuple[int, int]]] = {}
    for one in sorted(edges, key=lambda edge: (abs(place[edge.target] - place[edge.source]), place[edge.source])):
        step = place[one.target] - place[one.source]
        if step == 1:
            found[one.source, one.target] = 0
            continue
        low, high = sorted((place[one.source], place[one.target]))
        side, lane = (1 if step > 0 else -1), 1
        while any(low <= other[1] and other[0] <= high for other in taken.get(side * lane, ())):
            lane += 1
        taken.setdefault(side * lane, []).append((low, high))
        found[one.source, one.target] = side * lane
    return found


def _top(number: int) -> float:
    return EDGE + number * (HIGH + GAP)


def _arrow(root: ET.Element) -> None:
    size = {"id": "arrow", "viewBox": "0 0 8 8", "refX": "8", "refY": "4", "markerWidth": "13", "markerHeight": "11"}
    marker = ET.SubElement(
        ET.SubElement(root, "defs"), "marker", {**size, "orient": "auto", "markerUnits": "userSpaceOnUse"}
    )
    ET.SubElement(marker, "path", d="M0 0 8 4 0 8z")


def _way(root: ET.Element, one: Edge, place: Mapping[str, int], lane: int, middle: float, most: int) -> None:
    group = ET.SubElement(root, "g", {"class": "way left back" if lane < 0 else "way"})
    start, end = _top(place[one.source]), _top(place[one.target])
    if lane == 0:
        line, x, y = f"M{middle:g} {start + HIGH:g}V{end:g}", middle, (start + HIGH + end) / 2 + 4
    else:
        side = 1 if lane > 0 else -1
        edge, x = middle + side * WIDE / 2, middle + side * (WIDE / 2 + (abs(lane) - 0.5) * _LANE)
        from_, to = (start + HIGH * 0.7, end + HIGH * 0.3)
        line, y = f"M{edge:g} {from_:g}H{x:g}V{to:g}H{edge:g}", (from_ + to) / 2 + 4
    path = ET.SubElement(group, "path", {"d": line, "marker-end": "url(#arrow)"})
    path.set("stroke-width", f"{1 + 4 * math.log1p(one.count) / math.log1p(most):.1f}")
    x += -7 if lane < 0 else 7
    text = ET.SubElement(group, "text", x=f"{x:g}", y=f"{y:g}")
    text.text = f"{one.count}"
    if one.hours is not None:
        ET.SubElement(text, "tspan", x=f"{x:g}", dy="13").text = duration(one.hours)


def _box(root: ET.Element, title: str, under: str, middle: float, top: float, *, end: bool) -> None:
    group = ET.SubElement(root, "g", {"class": "end" if end else "node"})
    ET.SubElement(group, "rect", x=f"{middle - WIDE / 2:g}", y=f"{top:g}", width=str(WIDE), height=str(HIGH), rx="10")
    middle_y = top + (HIGH / 2 + 5 if end else HIGH / 2 - 4)
    ET.SubElement(group, "text", x=f"{middle:g}", y=f"{middle_y:g}").text = title
    if under:
        ET.SubElement(
            group, "text", {"class": "small", "x": f"{middle:g}", "y": f"{top + HIGH / 2 + 15:g}"}
        ).text = under


def _title(name: str) -> str:
    said = " ".join(NAMES[name]) if name in NAMES else _UNFIT.sub("�", name)
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
