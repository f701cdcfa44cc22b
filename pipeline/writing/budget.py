"""The error budget: a delivery of which too many records are refused is held whole, for its system has changed."""

from __future__ import annotations

from collections import Counter

from hub.findings import UNIT, Finding
from hub.records import Slice
from pipeline.preparing.prepare import Prepared
from pipeline.work import Line

_RULES = 5
"""So many rules are named, the commonest first."""


def judge(line: Line, piece: Slice, prepared: Prepared) -> Finding | None:
    """Count a slice against its delivery's budget; a finding where it is, or was before, exceeded.

    What was published of the delivery while it was within its budget stays; records that wait already do not count.
    """
    budget = line.spec.budget
    if budget is None:
        return None
    incoming, spent = prepared.incoming, line.spent
    spent["read"] += piece.read
    spent["refused"] += sum(incoming.refused)
    if budget.exceeded(spent["refused"], spent["read"]):
        spent["over"] = 1
    over, read, refused = spent["over"], spent["read"], spent["refused"]
    if piece.unit_ends:
        spent.clear()
    if not over:
        return None
    rules = Counter(one.rule for one in incoming.findings if one.refuses and one.record >= 0)
    named = ", ".join(f"{rule} {count}" for rule, count in rules.most_common(_RULES))
    borne = f"{budget.records} records and {budget.percent:g} %"
    return Finding(
        UNIT, "error_budget", detail={"read": str(read), "refused": str(refused), "borne": borne, "rules": named}
    )
