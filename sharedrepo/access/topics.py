"""What packages beside verification tell departments' programs by signed notices: topics, found by entry points.

The queue of notices is one (`audit.delivery`), and so is what sends them; a package puts its own notices into the queue
in the transaction that makes them, and words them here when they are posted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Final

from hub.protect import Protector

GROUP: Final = "hub.notices"
Worded = Callable[[Any, Protector, str, int], dict[str, Any] | None]
"""Called with a cursor, the keys, the subscriber's organ and the subject's number; None: it may not be told."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: the URN of its event in a notice (RFC 8417), and what words a notice of it."""

    event: str
    worded: Worded


@cache
def topics() -> Mapping[str, Topic]:
    """Return the topics that are installed, by the name that subscriptions bear."""
    return {point.name: point.load() for point in entry_points(group=GROUP)}
