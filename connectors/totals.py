"""Counts what a slice holds of the totals that sources declare, for the comparison at the end of a unit."""

from __future__ import annotations

from collections import Counter

from connectors.source import Source, StreamSpec
from hub.records import Slice


def count_totals(source: Source, stream: StreamSpec, piece: Slice) -> Counter[str]:
    """Return the counts that `Unit.declared` may name: `records` and `events` (all that was read), and each activity.

    An event log declares a total for each `concept:name`; a CSV file's closing line and a REST answer's total speak
    of all records.
    """
    counts: Counter[str] = Counter()
    if source.kind == "xes" and stream.options.get("level", "event") == "event":
        counts.update(str(record["concept:name"]) for record in piece.records if record.get("concept:name") is not None)
        counts["events"] += piece.read
    counts["records"] += piece.read
    return counts
