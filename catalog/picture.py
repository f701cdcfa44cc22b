"""The picture of what an item rests on: its prerequisites from left to right, as SVG that needs nothing else.

Where one of several options is enough they meet at 或 OR; where several groups must all be met they meet at 且 AND.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from unicodedata import east_asian_width
from xml.etree import ElementTree as ET

from catalog.layout import Layout, Place, arranged
from catalog.prerequisites import CREDENTIAL, Needs

_LONGEST = 30
"""Columns of text that a box holds; a Chinese character takes two."""
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""
_STYLE = (
    "text{font:13px 'Noto Sans CJK SC',sans-serif;fill:#1d2733}.code{font-size:10px;fill:#51606f}"
    "rect{fill:#f4f7fa;stroke:#51606f}.asked rect{fill:#e2efe6;stroke:#1c6b3a;stroke-width:2}"
    ".credential rect{fill:#fff8e6;stroke:#8a4b00}.unknown rect{stroke-dasharray:4 3}"
    ".or rect{fill:#fff;stroke:#12406b}.and rect{fill:#12406b;stroke:#12406b}.and text{fill:#fff}"
    ".or text,.and text{font-size:12px;text-anchor:middle}path{fill:none;stroke:#51606f;stroke-width:1.3}"
    "marker path{fill:#51606f;stroke:none}"
)
_JUNCTIONS = {"or": "或 OR", "and": "且 AND"}


MISSING = "目录中没有此事项 not in the catalogue"


def svg(found: Needs, asked: str, names: Mapping[str, str], *, unknown: str = MISSING) -> str:
    """Draw what a node rests on; `asked` is marked, and so is each item that `names` does not know (`unknown`).

    Raises:
        graphlib.CycleError: items require each other.
    """
    layout = arranged(found)
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
    root.set("viewBox", f"0 0 {layout.wide:g} {layout.high:g}")
    root.set("width", f"{layout.wide:g}")
    root.set("height", f"{layout.high:g}")
    ET.SubElement(root, "title").text = _fit(f"前置审批 Prerequisites: {names.get(asked, asked)}")
    ET.SubElement(root, "style").text = _STYLE
    _arrow(root)
    for start, end in layout.lines:
        _line(root, layout, start, end)
    for one, place in layout.places.items():
        if place.kind == "item":
            name = one.removeprefix(CREDENTIAL) if one.startswith(CREDENTIAL) else names.get(one, unknown)
            _box(root, one, place, name, asked=one == asked, unknown=name == unknown)
        elif place.kind in _JUNCTIONS:
            _junction(root, place)
    return ET.tostring(root, encoding="unicode")


def _arrow(root: ET.Element) -> None:
    size = {"id": "arrow", "viewBox": "0 0 8 8", "refX": "8", "refY": "4", "markerWidth": "8", "markerHeight": "8"}
    marker = ET.SubElement(ET.SubElement(root, "defs"), "marker", {**size, "orient": "auto"})
    ET.SubElement(marker, "path", d="M0 0 8 4 0 8z")


def _line(root: ET.Element, layout: Layout, start: str, end: str) -> None:
    """Draw a line: level within the columns of its ends, where they have the height for themselves; bent between."""
    one, other = layout.places[start], layout.places[end]
    half = (one.right + other.left) / 2
    y1, y2 = one.middle, other.middle
    bend = f"C{half:g} {y1:g} {half:g} {y2:g} {other.left:g} {y2:g}"
    # What comes to a passing line ends at the edge of its column, and the next part begins there.
    begins = one.left if one.kind == "passing" else one.x + one.wide
    ends = other.left if other.kind == "passing" else other.x
    path = ET.SubElement(root, "path", d=f"M{begins:g} {y1:g}H{one.right:g}{bend}H{ends:g}")
    if other.kind == "item":
        path.set("marker-end", "url(#arrow)")


def _junction(root: ET.Element, place: Place) -> None:
    group = ET.SubElement(root, "g", {"class": place.kind})
    _rect(group, place, round_by=13)
    text = ET.SubElement(group, "text", x=f"{place.x + place.wide / 2:g}", y=f"{place.middle + 4:g}")
    text.text = _JUNCTIONS[place.kind]


def _box(root: ET.Element, one: str, place: Place, name: str, *, asked: bool, unknown: bool) -> None:
    credential = one.startswith(CREDENTIAL)
    kinds = {"asked": asked, "credential": credential, "unknown": unknown}
    said = " ".join(kind for kind, holds in kinds.items() if holds)
    group = ET.SubElement(root, "g", {"class": said} if said else {})
    under = "证照 certificate" if credential else one
    ET.SubElement(group, "title").text = _fit(f"{name} ({under})")
    _rect(group, place, round_by=14 if credential else 4)
    x, y = f"{place.x + 12:g}", place.y
    ET.SubElement(group, "text", x=x, y=f"{y + 24:g}").text = _short(_fit(name))
    ET.SubElement(group, "text", {"class": "code", "x": x, "y": f"{y + 43:g}"}).text = _short(_fit(under), 34)


def _rect(group: ET.Element, place: Place, *, round_by: int) -> None:
    size = {"x": f"{place.x:g}", "y": f"{place.y:g}", "width": f"{place.wide:g}", "height": f"{place.high:g}"}
    ET.SubElement(group, "rect", {**size, "rx": str(round_by)})


def _fit(text: str) -> str:
    return _UNFIT.sub("\ufffd", text)


def _short(text: str, longest: int = _LONGEST) -> str:
    """Cut a text to what a box holds."""
    wide = 0
    for place, character in enumerate(text):
        wide += 2 if east_asian_width(character) in "WF" else 1
        if wide > longest:
            return f"{text[:place]}…"
    return text
