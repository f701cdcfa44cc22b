"""Figures over months as lines, drawn as SVG: nothing is loaded, and what is printed is what was seen.

Lines are told apart by colour, dash and the name at their end; a point says its figure where the pointer rests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from markupsafe import Markup

from hub.words import Words
from supervision.logs.rates import Rate
from supervision.logs.trends import Month

WIDE: Final = 1000
HIGH: Final = 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 14, 34
_APART: Final = 16
"""Two names at the ends of lines lie at least so far apart."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its key among the words of trends, and its value in each month; None where there is none."""

    key: str
    values: Sequence[float | None]


def volumes(months: Sequence[Month], words: Words) -> Markup:
    """Draw cases received and closed a month."""
    lines = [Line(name, [one.measures[name] for one in months]) for name in ("received", "closed")]
    most = max((value for line in lines for value in line.values if value is not None), default=0)
    return _drawn(months, lines, 0, _round_up(most), lambda value: f"{value:,.0f}", words, "trend.volumes")


def rates(months: Sequence[Month], words: Words) -> Markup:
    """Draw the shares closed early and in time, and the speed-up against the legal limits, a month."""
    shown = ("early_a", "on_time_a", "speed_up_a")
    lines = [Line(code, [_share(one.rate(code)) for one in months]) for code in shown]
    lowest = min((value for line in lines for value in line.values if value is not None), default=0.0)
    return _drawn(months, lines, math.floor(min(lowest, 0) * 4) / 4, 1, lambda value: f"{value:.0%}", words,
                  "trend.rates")  # fmt: skip


def _share(rate: Rate) -> float | None:
    return rate.numerator / rate.denominator if rate.denominator else None


def _round_up(most: float) -> float:
    """Return a round number that is not below."""
    if most <= 4:  # noqa: PLR2004  # four steps of the axis, each a whole case
        return 4
    step = 10 ** math.floor(math.log10(most))
    return float(next(step * factor for factor in (1, 2, 4, 5, 8, 10) if step * factor >= most))


def _drawn(
    months: Sequence[Month], lines: Sequence[Line], low: float, high: float, said: Callable[[float], str],
    words: Words, title: str,
) -> Markup:  # fmt: skip
    root = ET.Element("svg", {"class": "lines", "viewBox": f"0 0 {WIDE} {HIGH}", "role": "img"})
    ET.SubElement(root, "title").text = words(title)

    def x(place: int) -> float:
        return _LEFT + place * (WIDE - _LEFT - _RIGHT) / max(len(months) - 1, 1)

    def y(value: float) -> float:
        return HIGH - _BOTTOM - (value - low) / (high - low) * (HIGH - _TOP - _BOTTOM)

    for step in range(5):
        value = low + (high - low) * step / 4
        ET.SubElement(root, "path", {"class": "grid", "d": f"M{_LEFT} {y(value):.1f}H{WIDE - _RIGHT}"})
        _text(root, _LEFT - 8, y(value) + 4, said(value), "tick end")
    for place, month in enumerate(months):
        _text(root, x(place), HIGH - 12, f"{month.month:%Y-%m}", "tick middle")
    _ends(root, lines, y, words)
    for number, line in enumerate(lines):
        group = ET.SubElement(root, "g", {"class": f"line line-{number}"})
        for part in _parts(line.values):
            drawn = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in part)
            ET.SubElement(group, "polyline", {"points": drawn})
        for place, value in ((place, value) for part in _parts(line.values) for place, value in part):
            dot = ET.SubElement(group, "circle", {"cx": f"{x(place):.1f}", "cy": f"{y(value):.1f}", "r": "4"})
            name = words.or_code("trend", line.key)
            ET.SubElement(dot, "title").text = f"{months[place].month:%Y-%m} {name}: {said(value)}"
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  # ElementTree has escaped every text in it


def _parts(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Return the runs of months that have a value: a month without one breaks the line."""
    found: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append((place, value))
    return [one for one in found if one]


def _ends(root: ET.Element, lines: Sequence[Line], y: Callable[[float], float], words: Words) -> None:
    """Write the names beside the ends of the lines, moved apart where the ends lie close together."""
    last = [(number, next((v for v in reversed(line.values) if v is not None), None)) for number, line in
            enumerate(lines)]  # fmt: skip
    below = -math.inf
    for place, number in sorted((y(value), number) for number, value in last if value is not None):
        below = max(place, below + _APART)
        _text(root, WIDE - _RIGHT + 12, below + 4, words.or_code("trend", lines[number].key), f"name line-{number}")


def _text(root: ET.Element, x: float, y: float, said: str, kind: str) -> None:
    ET.SubElement(root, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "class": kind}).text = said
