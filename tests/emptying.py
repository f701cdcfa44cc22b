"""Which tables a test may empty to begin again: those that pulls write, but for what is only ever added to."""

from __future__ import annotations

from sharedrepo.models import metadata

_ONLY_ADDED = frozenset({"quality.work_log"})


def emptied() -> list[str]:
    """Name them, those first that others are named by; logs, seals and what supervision keeps are left alone."""
    every = [one for one in reversed(metadata.sorted_tables) if one.schema not in ("audit", "supervision")]
    return [name for one in every if (name := f"{one.schema}.{one.name}") not in _ONLY_ADDED]
