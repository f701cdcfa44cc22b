"""What is told of records that the hub mended: one finding a field, so that it says so wherever it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.findings import Finding
from hub.mends import Mend
from normalization.model import Field
from normalization.values.common import text_of
from pipeline.preparing.desk import Desk

RULE = "value_mended"


def told_of(desk: Desk, mends: Mapping[int, Mend]) -> Iterator[Finding]:
    """Yield a finding for each field of each record that was mended by hand, with what the source had said."""
    for index, mend in mends.items():
        by_field = {pointer: step for step in mend.steps for pointer in step.was}
        for pointer, was in mend.original.items():
            field, step = Field.of(pointer), by_field[pointer]
            detail = {"reason": step.reason, "proposed_by": step.proposed_by, "approved_by": step.approved_by}
            yield Finding(
                index, RULE, field=field.path[0] if len(field.path) == 1 else pointer, pointer=pointer,
                value=text_of(was), personal=field.path[0] not in desk.shown, detail=detail,
            )  # fmt: skip
