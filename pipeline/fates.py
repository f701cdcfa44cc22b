"""What becomes of a delivery with an envelope by its number, and what was found in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_ERRORS = 1_000
"""So many records with findings are told in one receipt; the rest is counted."""


class Fate(StrEnum):
    """What becomes of a delivery by its number."""

    TAKEN = "received"
    REPEATED = "repeated"
    SUPERSEDED = "superseded"
    CONFLICTING = "refused"


PASSED = frozenset({Fate.REPEATED, Fate.SUPERSEDED})
"""Deliveries that are not read: their number is known, or a newer snapshot has come."""


@dataclass(slots=True)
class Tally:
    """What was found in a delivery so far, over all slices of it."""

    counts: Counter[str] = field(default_factory=Counter)
    errors: list[dict[str, Any]] = field(default_factory=list)
    more: int = 0

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Tally:
        """Read what `as_dict` wrote."""
        return cls(Counter(found.get("counts", {})), list(found.get("errors", [])), int(found.get("more", 0)))

    def as_dict(self) -> dict[str, Any]:
        """Return it as the ledger keeps it between two slices."""
        return {"counts": dict(self.counts), "errors": self.errors, "more": self.more}

    def add(self, outcomes: Iterable[str], errors: Sequence[Mapping[str, Any]], more: int) -> None:
        """Add a slice: what became of its records, what was found on some of them, and on how many more."""
        self.counts.update(outcomes)
        room = MOST_ERRORS - len(self.errors)
        self.errors += map(dict, errors[:room])
        self.more += more + len(errors[room:])

    def told(self) -> dict[str, Any]:
        """Return what a receipt says of it."""
        said: dict[str, Any] = {"records": self.counts.total(), "counts": dict(sorted(self.counts.items()))}
        if self.errors:
            said["errors"] = self.errors
        return said | ({"more_errors": self.more} if self.more else {})
