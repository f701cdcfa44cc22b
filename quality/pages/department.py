"""One department: its scores and their trend, its issues, its feeds and what they cover."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa

from connectors.loading import load_sources
from connectors.source import Source
from hub.errors import ConfigError
from hub.settings import Settings
from pipeline.telling import health
from pipeline.telling.health import Feed
from quality.issues import service as issues
from quality.issues.service import Issue
from quality.pages.organs import Organ, organs
from quality.pages.overview import DIMENSIONS, Cell
from quality.scores import service as scores
from quality.scores.service import Part, Point
from sharedrepo.telling.coverage import Coverage, Scope, coverage

log = logging.getLogger("hub.pages")

TREND_DAYS = 90
_KEPT_FOR = 60.0
"""Seconds that the source folders are taken as they were read: 144 of them take a second."""


class Sources:
    """The declared sources as the pages see them; a folder that is wrong hides no other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: tuple[float, tuple[Path, ...], list[Source]] | None = None

    def of(self, settings: Settings) -> list[Source]:
        """Return the sources of the settings, as they were within the last minute."""
        with self._lock:
            kept = self._read
            if kept is None or kept[1] != settings.sources or time.monotonic() - kept[0] > _KEPT_FOR:
                kept = self._read = (time.monotonic(), settings.sources, _readable(settings.sources))
            return kept[2]


SOURCES = Sources()
"""One for the process."""


def _readable(paths: Sequence[Path]) -> list[Source]:
    try:
        return load_sources(paths)
    except (ConfigError, FileNotFoundError):
        found: dict[str, Source] = {}
        for folder in (inner for path in paths if path.is_dir() for inner in (path, *sorted(path.iterdir()))):
            if (folder / "source.yml").is_file():
                try:
                    found |= {one.code: one for one in load_sources([folder]) if one.code not in found}
                except (ConfigError, FileNotFoundError):
                    log.warning("source folder %s cannot be read; `hub source list` tells its faults", folder.name)
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Department:
    """All that the page of one department shows."""

    organ: Organ
    day: date | None
    overall: Cell
    cells: dict[str, Cell]
    parts: list[Part]
    trend: list[Point]
    issues: list[Issue]
    feeds: list[Feed]
    coverage: Coverage


def department(engine: sa.Engine, settings: Settings, code: str, today: date) -> Department | None:
    """Return what is known of one organ; None where nothing is."""
    scored = next((one for one in scores.overview(engine, today) if one.organ == code), None)
    open_issues = issues.listed(engine, organ=code)
    sources = [one for one in SOURCES.of(settings) if code in (one.organ, one.owner.organ)]
    named = organs(engine, [code])[code]
    if scored is None and not open_issues and not sources and not named.title_zh:
        return None
    return Department(
        organ=named,
        day=None if scored is None else scored.day,
        overall=Cell(0, 0) if scored is None else Cell(scored.clean, scored.records),
        cells={name: Cell(*((0, 0) if scored is None else scored.dimensions.get(name, (0, 0)))) for name in DIMENSIONS},
        parts=[] if scored is None else scores.parts(engine, today, code),
        trend=scores.trend(engine, code, TREND_DAYS),
        issues=open_issues,
        feeds=health.feeds(engine, sources, now=datetime.now(UTC)) if sources else [],
        coverage=coverage(engine, Scope(today, organ=code)),
    )
