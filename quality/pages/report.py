"""The quality report of one department and month: one HTML file without scripts that can be mailed, kept and printed.

It loads nothing and runs nothing, so that a mail gateway has no reason to hold it back: the trend is drawn as SVG.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from jinja2 import Environment

from hub.settings import Settings
from hub.templating import environment
from hub.words import HTML_LANG, Words
from pipeline.telling import health
from pipeline.telling.health import Feed
from quality.issues import service as issues
from quality.issues.service import Issue
from quality.pages.department import SOURCES
from quality.pages.organs import Organ, organs
from quality.pages.overview import DIMENSIONS, Cell
from quality.pages.returns import Returns, returns
from quality.scores import service as scores
from quality.scores.service import Part, Point

POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""What a browser lets the report do when it comes over HTTP: show itself. Its style stands in it, and has no nonce."""

TOP = 20
"""So many issues are told one by one; the others are counted."""
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_HERE = Path(__file__).resolve().parent
_WIDTH, _HEIGHT = 640, 160


@dataclass(frozen=True, slots=True)
class Report:
    """What stands in the report: the state at the month's last scored day, and the way there."""

    organ: Organ
    first: date
    last: date
    day: date
    made_at: datetime
    overall: Cell
    cells: dict[str, Cell]
    parts: list[Part]
    trend: list[Point]
    open_issues: list[Issue]
    closed_issues: list[Issue]
    feeds: list[Feed]
    returns: Returns


def month_of(said: str) -> date | None:
    """Return the first day of a month that is written as 2026-01; None where it is none."""
    found = _MONTH.fullmatch(said)
    return None if found is None else date(int(found[1]), int(found[2]), 1)


def months(today: date, count: int = 6) -> list[str]:
    """Return the last months up to today's, the newest first, as they stand in addresses."""
    newest = today.year * 12 + today.month - 1
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(newest, newest - count, -1)]


def text(engine: sa.Engine, settings: Settings, organ: str, first: date, language: str) -> str | None:
    """Return the report as HTML; None where no day of the month was scored."""
    made = gathered(engine, settings, organ, first)
    if made is None:
        return None
    return _templates().get_template("quality/report.html").render(
        t=Words(language), language=language, html_lang=HTML_LANG[language], report=made, top=TOP,
        line=line(made.trend, made.first, made.last), width=_WIDTH, height=_HEIGHT,
    )  # fmt: skip


def gathered(engine: sa.Engine, settings: Settings, organ: str, first: date) -> Report | None:
    """Gather what the report of an organ and month says; None where no day of the month was scored."""
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    points = scores.trend(engine, organ, (last - first).days + 1, last)
    if not points:
        return None
    newest = points[-1]
    sources = [one for one in SOURCES.of(settings) if organ in (one.organ, one.owner.organ)]
    told = issues.listed(engine, organ=organ, closed=True)
    return Report(
        organ=organs(engine, [organ])[organ],
        first=first,
        last=last,
        day=newest.day,
        made_at=datetime.now(UTC),
        overall=Cell(newest.clean, newest.records),
        cells={name: Cell(*newest.dimensions.get(name, (0, 0))) for name in DIMENSIONS},
        parts=scores.parts(engine, newest.day, organ),
        trend=points,
        open_issues=[one for one in told if one.closed_at is None],
        closed_issues=[one for one in told if one.closed_at is not None and first <= one.closed_at.date() <= last],
        feeds=health.feeds(engine, sources, now=datetime.now(UTC)) if sources else [],
        returns=returns(engine, organ, first, last),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """The trend as points of a drawing, from its lowest share to the whole."""

    points: Sequence[tuple[float, float, Point]]
    lowest: float

    @property
    def path(self) -> str:
        """Return the points as SVG writes them."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in self.points)


def line(trend: Sequence[Point], first: date, last: date) -> Line:
    """Lay the trend of a month out on the drawing; days without records have no point."""
    shares = [(one.clean / one.records, one) for one in trend if one.records]
    lowest = min((share for share, _ in shares), default=1.0)
    floor = max(0.0, min(0.99, int((lowest - 0.005) * 100) / 100))
    span = max((last - first).days, 1)
    return Line(
        [
            ((one.day - first).days / span * _WIDTH, (1 - share) / (1 - floor) * _HEIGHT, one)
            for share, one in shares
        ],
        floor,
    )  # fmt: skip


@cache
def _templates() -> Environment:
    return environment([_HERE / "templates"])
