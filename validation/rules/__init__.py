"""The rules of meaning: pure functions on canonical columns, one a rule, listed in RULES_OF_MEANING.

A rule states what it looks at by the kinds of the columns (`x-kind` in the canonical schemas) and the table; it sees
whole columns and yields the rows that break it. All of them flag: the record is kept as said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from hub.documents import Document
from hub.findings import Finding
from validation.rules.identifiers import (
    certificate_id_invalid,
    credit_code_invalid,
    item_code_invalid,
    organisation_code_invalid,
    phone_invalid,
    resident_id_invalid,
)
from validation.rules.placeholders import placeholder_value
from validation.rules.times import ended_before_started, future_time, valid_to_before_from, written
from validation.rules.view import Breach, MeaningRule, View

__all__ = ["RULES_OF_MEANING", "judge_meaning"]

RULES_OF_MEANING: Mapping[str, MeaningRule] = {
    "placeholder_value": placeholder_value,
    "credit_code_invalid": credit_code_invalid,
    "resident_id_invalid": resident_id_invalid,
    "organisation_code_invalid": organisation_code_invalid,
    "certificate_id_invalid": certificate_id_invalid,
    "item_code_invalid": item_code_invalid,
    "phone_invalid": phone_invalid,
    "future_time": future_time,
    "ended_before_started": ended_before_started,
    "valid_to_before_from": valid_to_before_from,
}
"""Every rule by its code, in the order in which they run: placeholders first, since no other rule judges those."""

_OPEN = frozenset({"public", "internal"})


class Surroundings(Protocol):
    """What rules need to know of the source: the clock by which it writes."""

    @property
    def time_zone(self) -> str:
        """The IANA name of the source's time zone."""


def judge_meaning(
    table: str,
    frame: pd.DataFrame,
    record: npt.NDArray[np.int64],
    *,
    documents: Mapping[str, Document],
    read_at: datetime,
    context: Surroundings,
) -> list[Finding]:
    """Judge the canonical rows of one table; `record[i]` is the record in the slice that row i belongs to.

    Returns all findings, by record, column and rule. They name canonical columns: the pipeline finds the source's own
    pointer through the mapping.
    """
    view = View(documents[table], frame.reset_index(drop=True), read_at, context.time_zone)
    findings: list[tuple[int, Finding]] = []
    for code, rule in RULES_OF_MEANING.items():
        for breach in rule(view):
            if code == "placeholder_value":
                view.invented[breach.column] = np.isin(np.arange(len(frame)), breach.rows)
            findings += zip(breach.rows.tolist(), _findings(view, code, breach, record), strict=True)
    order = {name: place for place, name in enumerate(view.document.columns)}
    findings.sort(key=lambda one: (one[1].record, one[0], order[one[1].field or ""], one[1].rule))
    return [finding for _, finding in findings]


def _findings(view: View, code: str, breach: Breach, record: npt.NDArray[np.int64]) -> list[Finding]:
    column = view.document.columns[breach.column]
    personal = column.personal or column.privacy not in _OPEN
    values: list[Any] = view.frame[breach.column].iloc[breach.rows].tolist()
    return [
        Finding(
            record=int(record[row]),
            rule=code,
            table=view.document.name,
            field=breach.column,
            value=written(value),
            personal=personal,
            detail=detail,
        )
        for row, value, detail in zip(breach.rows.tolist(), values, breach.details, strict=True)
    ]
