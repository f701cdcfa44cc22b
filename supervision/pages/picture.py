"""Pictures of the pages, as SVG that stands in them: no script, no style of its own, words beside every colour."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from xml.etree import ElementTree as ET

from markupsafe import Markup

from hub.words import Words
from hub.workdays import ZONE
from supervision.pages.cases import Case
from supervision.pages.terms import LIGHTS, STAGES

WIDE: Final = 1000
_LEFT, _RIGHT, _TOP, _LANE, _BAR = 116, 16, 34, 38, 20
_UNFIT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""
_STEPS: Final = (1, 2, 5, 7, 14, 30, 61, 91, 182, 365, 730, 1826, 3652, 36525)
"""Days between two ticks of the axis."""
_MOST_TICKS: Final = 11


def bar(counts: Mapping[str, int], words: Words) -> Markup:
    """Draw how many cases stand in which light, as one bar whose whole length is all of them."""
    total = sum(counts.values())
    root = ET.Element("svg", {"class": "bar", "viewBox": "0 0 100 8", "preserveAspectRatio": "none", "role": "img"})
    said = ", ".join(f"{words.or_code('light', one)} {counts[one]:,}" for one in LIGHTS if counts.get(one))
    ET.SubElement(root, "title").text = said or "0"
    at = 0.0
    for one in LIGHTS:
        if counts.get(one):
            wide = 100 * counts[one] / total
            ET.SubElement(root, "rect", {"class": one, "x": f"{at:.2f}", "width": f"{wide:.2f}", "height": "8"})
            at += wide
    return _markup(root)


def timeline(case: Case, words: Words) -> Markup | None:
    """Draw a case's stages over time with its pauses, its limit and the present; None where nothing has a time."""
    moments = list(_moments(case))
    if not moments:
        return None
    scale = _Scale(min(moments), max(*moments, min(moments) + timedelta(days=1)))
    high = _TOP + _LANE * len(STAGES) + 34
    root = ET.Element("svg", {"class": "timeline", "viewBox": f"0 0 {WIDE} {high}", "role": "img"})
    ET.SubElement(root, "title").text = words("case.timeline")
    _hatching(root)
    _axis(root, scale, high)
    for pause in case.suspensions:
        if pause["started_at"] is not None:
            _band(root, scale, pause["started_at"], pause["ended_at"] or case.facts["closed_at"] or case.at, high)
    for lane, stage in enumerate(STAGES):
        y = _TOP + lane * _LANE
        _text(root, 8, y + 20, words.or_code("stage", stage), "lane")
        for round_ in (one for one in case.stages if one["stage"] == stage):
            _round(root, scale, y + (_LANE - _BAR) / 2, round_, case.facts["closed_at"] or case.at, words)
    if case.facts["closed_at"] is None:
        _line(root, scale, case.at, high, "now", words("case.now"), high - 8)
    else:
        _line(root, scale, case.facts["closed_at"], high, "closed", words("case.closed_at"), high - 8)
    if case.facts["legal_due_at"] is not None and case.facts["legal_due_at"] != case.facts["due_at"]:
        _line(root, scale, case.facts["legal_due_at"], high, "legal", words("case.legal"), high - 22)
    if case.facts["due_at"] is not None:
        _line(root, scale, case.facts["due_at"], high, "due", words("case.due"), high - 22)
    return _markup(root)


def _moments(case: Case) -> Iterator[datetime]:
    facts = case.facts
    for name in ("applied_at", "accepted_at", "started_at", "due_at", "legal_due_at", "closed_at"):
        if facts[name] is not None:
            yield facts[name]
    if facts["closed_at"] is None and facts["started_at"] is not None:
        yield case.at
    spans = [(one["started_at"], one["finished_at"]) for one in case.stages]
    spans += [(one["started_at"], one["ended_at"]) for one in case.suspensions]
    yield from (moment for span in spans for moment in span if moment is not None)


class _Scale:
    """Where a moment lies on the drawing."""

    def __init__(self, first: datetime, last: datetime) -> None:
        self.first, self.last = first, last

    def __call__(self, at: datetime) -> float:
        share = (at - self.first) / (self.last - self.first)
        return _LEFT + min(max(share, 0), 1) * (WIDE - _LEFT - _RIGHT)


def _hatching(root: ET.Element) -> None:
    size = {"id": "hatch", "width": "6", "height": "6", "patternUnits": "userSpaceOnUse"}
    pattern = ET.SubElement(ET.SubElement(root, "defs"), "pattern", {**size, "patternTransform": "rotate(45)"})
    ET.SubElement(pattern, "path", {"d": "M0 0V6", "class": "hatching"})


def _axis(root: ET.Element, scale: _Scale, high: float) -> None:
    """Draw the days; so many that they can be read."""
    begin = scale.first.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    days = (scale.last - begin).days + 1
    step = next(one for one in _STEPS if days / one <= _MOST_TICKS or one == _STEPS[-1])
    year = step > 180 or begin.year != scale.last.year  # noqa: PLR2004  # ticks half a year apart need their year
    for number in range(0, days + 1, step):
        at = begin + timedelta(days=number)
        if scale.first <= at <= scale.last:
            x = f"{scale(at):.1f}"
            ET.SubElement(root, "path", {"class": "grid", "d": f"M{x} {_TOP - 6}V{high - 34}"})
            _text(root, scale(at), _TOP - 12, f"{at:%Y-%m-%d}" if year else f"{at:%m-%d}", "tick", middle=True)
    for lane in range(len(STAGES) + 1):
        ET.SubElement(root, "path", {"class": "grid", "d": f"M0 {_TOP + lane * _LANE}H{WIDE}"})


def _band(root: ET.Element, scale: _Scale, start: datetime, end: datetime, high: float) -> None:
    wide = max(scale(end) - scale(start), 2)
    place = {"x": f"{scale(start):.1f}", "width": f"{wide:.1f}", "y": f"{_TOP}", "height": f"{high - 34 - _TOP}"}
    ET.SubElement(root, "rect", {"class": "pause", "fill": "url(#hatch)", **place})


def _round(root: ET.Element, scale: _Scale, y: float, row: Mapping[str, Any], until: datetime, words: Words) -> None:
    start = row["started_at"] or row["finished_at"]
    if start is None:
        return
    x, end = scale(start), scale(row["finished_at"] or until)
    group = ET.SubElement(root, "g", {"class": f"round {row['light']}"})
    limit = "" if row["limit_days"] is None else f" / {row['limit_days']}"
    used = f"{row['used_days']}{limit} {words('unit.days')}" if row["used_days"] is not None else "?"
    ET.SubElement(group, "title").text = f"{words.or_code('stage', row['stage'])} {row['round']}: {used}"
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{max(end - x, 4):.1f}", "height": f"{_BAR}", "rx": "3"}
    ET.SubElement(group, "rect", place)
    fits = x + max(end - x, 4) + 90 < WIDE
    if end - x > 8 * len(used) + 8:  # a digit or half a Chinese character takes some eight pixels
        _text(group, x + 6, y + 15, used, "inside")
    else:
        _text(group, x + max(end - x, 4) + 5 if fits else x - 5, y + 15, used, "used" if fits else "used before")


def _line(root: ET.Element, scale: _Scale, at: datetime, high: float, kind: str, said: str, y: float) -> None:
    x = scale(at)
    ET.SubElement(root, "path", {"class": f"mark {kind}", "d": f"M{x:.1f} {_TOP - 6}V{high - 34}"})
    label = f"{said} {at.astimezone(ZONE):%m-%d %H:%M}"
    after = x + 150 < WIDE
    _text(root, x + (3 if after else -3), y, label, f"label {kind}" if after else f"label before {kind}")


def _text(root: ET.Element, x: float, y: float, said: str, kind: str, *, middle: bool = False) -> None:
    made = ET.SubElement(root, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "class": kind})
    if middle:
        made.set("text-anchor", "middle")
    made.text = _UNFIT.sub("�", said)


def _markup(root: ET.Element) -> Markup:
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  # ElementTree has escaped every text in it


def ranked(units: Sequence[Mapping[str, Any]], words: Words) -> Markup:
    """Draw the scores of units as bars, the first at the top."""
    rows = [(f"{one['rank']}  {one['name'] or one['unit']}", float(one["score"])) for one in units]
    most = max((value for _, value in rows), default=0) or 1
    high = 26 * len(rows) + 6
    root = ET.Element("svg", {"class": "ranked", "viewBox": f"0 0 {WIDE} {high}", "role": "img"})
    ET.SubElement(root, "title").text = words("ranking.picture")
    for place, (name, value) in enumerate(rows):
        y = 26 * place + 4
        _text(root, 290, y + 14, name if len(name) <= 24 else name[:23] + "…", "name")  # noqa: PLR2004  # what fits
        size = {"x": "300", "y": f"{y}", "width": f"{max(620 * max(value, 0) / most, 1):.1f}", "height": "18"}
        ET.SubElement(root, "rect", {"class": "score", "rx": "3", **size})
        _text(root, 306 + 620 * max(value, 0) / most, y + 14, f"{value:g}", "used")
    return _markup(root)
