"""What is wrong with data, as values: findings, and the register of the rules that raise them.

A rule states its effect. *Refuse* (the record waits in quarantine) only where the hub could not know what the
record says: an unreadable key, parent reference or version, a shape that the schema refuses, an unknown code in a
field that decides meaning. *Flag* for all else: the record is kept as said, and the finding stands beside it.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

UNIT = -1
"""`Finding.record` of a finding that speaks about a whole unit, stream or slice."""


class Effect(StrEnum):
    """What a breach does to the record that it is found on."""

    REFUSE = "refuse"
    FLAG = "flag"


Scope = Literal["record", "unit", "case", "set", "watch"]
"""What a rule looks at: a record, a whole delivery or feed, a case, all that is held of a stream, or supervision."""
Severity = Literal["high", "medium", "low"]
"""How soon somebody must act."""
Owner = Literal["department", "steward", "engineer"]
"""Who acts first on what a rule finds."""
Dimension = Literal["complete", "valid", "unique", "consistent", "timely", "accurate"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its code, its effect, who acts on it and how soon, and the words that people read."""

    code: str
    scope: Scope
    effect: Effect
    severity: Severity
    dimension: Dimension
    owner: Owner
    title: str
    title_zh: str
    hint: str
    hint_zh: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule, at one place.

    `record` is the index in the slice (`UNIT` for a finding on the whole unit or stream), `field` the canonical or
    raw field, `pointer` the source's own pointer to it, `value` the raw value, which the pipeline seals and shows
    only where `personal` is false; `detail` holds what was expected and never a personal value.
    """

    record: int
    rule: str
    table: str | None = None
    field: str | None = None
    pointer: str | None = None
    value: str | None = None
    personal: bool = False
    detail: Mapping[str, str] = dataclasses.field(default_factory=dict)
    refuse: bool | None = None

    @property
    def refuses(self) -> bool:
        """Say whether this finding sends its record to quarantine (the rule's effect unless stated here)."""
        return RULES[self.rule].effect is Effect.REFUSE if self.refuse is None else self.refuse


def _read_register() -> Mapping[str, Rule]:
    with (Path(__file__).with_name("rules.csv")).open(encoding="utf-8", newline="") as lines:
        rows = [Rule(**{**row, "effect": Effect(row["effect"])}) for row in csv.DictReader(lines)]  # type: ignore[arg-type]  # columns are the fields of Rule; a test compares the closed sets
    return {found.code: found for found in rows}


RULES: Mapping[str, Rule] = _read_register()


def rule(code: str) -> Rule:
    """Return the rule of this code.

    Raises:
        KeyError: no such rule; the message lists those that exist.
    """
    found = RULES.get(code)
    if found is None:
        raise KeyError(f"no rule {code!r}; known rules: {', '.join(sorted(RULES))}")
    return found
