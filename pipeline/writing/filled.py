"""The bounds of fill rates: a delivery in which a column is emptier than a person allows is held whole.

What the delivery brings anew is counted; records that are known as they came, that wait or that delete say nothing of
the department's export of today. How the whole of a stream stands is judged with the suites (`quality/bounds/fill.py`).
"""

from __future__ import annotations

import numpy as np

from hub.findings import UNIT, Finding
from hub.records import Slice
from pipeline.preparing.prepare import Prepared
from pipeline.work import Line
from sharedrepo.staging.incoming import Incoming

RULE = "fill_below"
LEAST_ROWS = 20
"""In fewer rows a share is chance."""


def judge(line: Line, piece: Slice, prepared: Prepared) -> tuple[Finding, ...]:
    """Count a slice's columns towards its delivery; a finding for each that is, or was before, emptier than allowed.

    What was published of the delivery before stays, as with the error budget.
    """
    found = []
    for name, least in line.spec.filled.items():
        document, _, column = name.partition(".")
        rows, full = counted(prepared.incoming, document, column)
        line.filled[f"{name} rows"] += rows
        line.filled[f"{name} full"] += full
        rows, full = line.filled[f"{name} rows"], line.filled[f"{name} full"]
        if line.filled[f"{name} low"] or (rows >= LEAST_ROWS and full < least * rows):
            line.filled[f"{name} low"] = 1
            detail = {"column": name, "filled": str(full), "rows": str(rows), "least": f"{least:g}"}
            found.append(Finding(UNIT, RULE, detail=detail))
    if piece.unit_ends:
        line.filled.clear()
    return tuple(found)


def counted(incoming: Incoming, document: str, column: str) -> tuple[int, int]:
    """Return how many rows a slice brings to a document's table, and in how many of them a column is filled."""
    made = incoming.tables.get(document)
    if made is None or column not in made.columns.column_names:
        return 0, 0
    aside = zip(incoming.deleted, incoming.excluded, incoming.refused, strict=True)
    counts = np.array([not any(one) for one in aside], dtype=bool)
    rows = made.only(counts[made.record])
    return len(rows.record), len(rows.record) - rows.columns[column].null_count
