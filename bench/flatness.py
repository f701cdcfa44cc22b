"""Says whether the hub grows slow as the repository grows: its last slices beside its first ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

LEAST_SLICES = 10
"""Below this, a fifth is less than two slices and a median says nothing."""


@dataclass(frozen=True, slots=True)
class Flatness:
    """The median slice of the first and of the last fifth of one stream, in seconds."""

    stream: str
    slices: int
    first: float
    last: float

    @property
    def ratio(self) -> float:
        """Return how much longer the last ones took."""
        return self.last / self.first


def flatness(slices: Sequence[tuple[str, float, int]], size: int) -> list[Flatness]:
    """Compare like with like: the full slices of each stream, the first of a stream (which opens it) left out.

    `slices` are (stream, seconds since the pull began, records); streams with too few full slices are left out.
    """
    times: dict[str, list[float]] = {}
    before, stream_before = 0.0, ""
    for stream, at, read in slices:
        if stream == stream_before and read == size:
            times.setdefault(stream, []).append(at - before)
        before, stream_before = at, stream
    found = []
    for stream, took in times.items():
        if len(took) >= LEAST_SLICES:
            fifth = len(took) // 5
            found.append(Flatness(stream, len(took), median(took[:fifth]), median(took[-fifth:])))
    return found
