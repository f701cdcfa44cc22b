"""What was said of one case, as far as its clock rests on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from supervision.clock.facts import UNITS

MOST: Final = {"year": 10, "month": 120, "hour": 87_840}
"""Ten years in each unit; other units count days."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar."""

    works: bool
    kind: str
    published: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """A suspension as it was said, in one row or paired from two."""

    kind: str | None
    start: datetime | None
    end: datetime | None
    extends: bool = False


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension as it was said."""

    start: datetime | None
    value: int | None
    unit: str | None
    approved: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as the item's version says it; `value` is None where it cannot be read."""

    value: int | None
    unit: str | None

    @property
    def fault(self) -> str | None:
        """Say why it cannot be counted."""
        if self.unit not in UNITS or self.value is None:
            return "limit_unreadable"
        if self.value < 0:
            return "limit_negative"
        if self.value == 0:
            return "limit_zero"
        return "limit_too_long" if self.value > MOST.get(self.unit, 3660) else None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a case."""

    case_number: str
    organ: str | None = None
    region: str | None = None
    calendar: str = ""
    closes_at: time = time(17, 30)
    item_code: str | None = None
    version_id: int | None = None
    version: int | None = None
    why: str | None = None
    kind: str | None = None
    basis: str = "acceptance"
    promised: Limit | None = None
    legal: Limit | None = None
    applied_at: datetime | None = None
    accepted_at: datetime | None = None
    from_stage: bool = False
    not_accepted: bool = False
    closed_at: datetime | None = None
    closing_outcome: str | None = None
    declared_due_at: datetime | None = None
    pauses: Sequence[Pause] = ()
    """Suspensions without extensions, paired."""
    extensions: Sequence[Extension] = ()
    joint: bool = False
    supplements: Sequence[tuple[datetime | None, datetime | None]] = ()
