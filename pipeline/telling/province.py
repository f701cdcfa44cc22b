"""The province at a glance: which sources have delivered since their schedule, and which are missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter

from connectors.loading import load_sources
from connectors.source import Source
from hub.settings import Settings
from sharedrepo.connect import engine as make_engine
from sharedrepo.feeds.streams import last_successes

GRACE = timedelta(hours=2)
"""How long after its time a delivery may still be under way."""


def province_report(settings: Settings, *, now: datetime | None = None) -> dict[str, Any]:
    """Return which sources delivered since they were last due, and which are missing with the time they were due.

    A source is delivered when every one of its streams went through; one without a schedule is missing only if it
    never delivered.
    """
    now = now or datetime.now(UTC)
    engine = make_engine(settings)
    found = last_successes(engine)
    engine.dispose()
    delivered: list[str] = []
    missing: list[dict[str, str | None]] = []
    for source in load_sources(settings.sources):
        successes = [found.get((source.code, stream)) for stream in source.streams]
        oldest = None if None in successes or not successes else min(at for at in successes if at is not None)
        due = due_at(source, now)
        if oldest is not None and (due is None or oldest >= due):
            delivered.append(source.code)
        else:
            last = None if oldest is None else oldest.isoformat()
            missing.append({"source": source.code, "last": last, "due": None if due is None else due.isoformat()})
    return {"delivered": delivered, "missing": missing}


def due_at(source: Source, now: datetime) -> datetime | None:
    """Return when the source was last due, by its own clock, less the grace that runs now.

    The schedule of a source that posts closes a span in which it posts: its posts are due since the closing before the
    last.
    """
    if source.schedule is None or not croniter.is_valid(source.schedule):
        return None
    local = (now - GRACE).astimezone(ZoneInfo(source.time_zone))
    closings = croniter(source.schedule, local)
    due: datetime = closings.get_prev(datetime)
    return closings.get_prev(datetime) if source.kind == "push" else due
