"""The closed sets of words of the simulated province."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Precision = Literal["s", "m", "d"]
Stage = Literal["accept", "undertake", "review", "approve", "complete"]
PartyKind = Literal["natural", "enterprise", "institution", "social", "individual_business"]
NumberKind = Literal["resident_id", "credit_code", "organisation_code"]
Unit = Literal["working_day", "calendar_day", "month"]
Outcome = Literal["new", "updated", "unchanged", "stale", "deleted", "excluded", "quarantined", "parked"]
Level = Literal["element", "case", "record", "resend", "unit", "set"]
ChangeKind = Literal["increment", "progress", "correction", "late", "deletion", "resend_changed", "resend_older"]

STAGES: tuple[Stage, ...] = ("accept", "undertake", "review", "approve", "complete")
STAGE_NAMES: Mapping[Stage, str] = dict(zip(STAGES, ("受理", "承办", "审核", "批准", "办结"), strict=True))
