"""Now: one place for all deeds of the appraisal."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)
