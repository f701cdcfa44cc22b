"""What the clock says of each feed: late, missing or thin ones are faults, beside those that fall silent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from connectors.source import Source
from pipeline.telling import health
from pipeline.telling.province import due_at
from quality.issues.faults import FeedFault

VOUCHED = ("declared", "envelope")
"""Bases of `complete_through` on which a source itself says how far all has come; an inferred one proves nothing."""


def look(engine: sa.Engine, sources: Sequence[Source], now: datetime) -> list[FeedFault]:
    """Return what the clock says of every declared feed, one row a feed, those that are well with no rule.

    A feed is missing that never went through though it was due; late, whose last pull went through before it was last
    due, or whose source vouches for less than the time it was due before; thin, where today brought far less than days
    like it (see `pipeline.telling.health`). A feed without a schedule is due never.
    """
    by_code = {source.code: source for source in sources}
    return [_fault(by_code[feed.source], feed, now) for feed in health.feeds(engine, sources, now=now)]


def _fault(source: Source, feed: health.Feed, now: datetime) -> FeedFault:
    due = due_at(source, now)
    rule, since = _rule(feed, due), due or now
    return FeedFault(feed.source, feed.stream, source.organ or "", rule, since)


def _rule(feed: health.Feed, due: datetime | None) -> str | None:
    if "never" in feed.signs:
        return "missing_feed" if due is not None else None
    if "late" in feed.signs or ("behind" in feed.signs and feed.complete_basis in VOUCHED):
        return "late_feed"
    return "thin_feed" if "thin" in feed.signs else None
