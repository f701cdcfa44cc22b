"""What an issue is due by: working days by severity, and the days after which silence climbs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hub.findings import RULES, Rule, Severity
from hub.workdays import Due, after

TERM: Final[dict[Severity, int]] = {"high": 3, "medium": 10, "low": 20}
"""Working days within which a fault is to be mended, from the day on which it was opened."""
STEP: Final[dict[Severity, int]] = {"high": 2, "medium": 5, "low": 10}
"""Working days of silence after which an overdue issue climbs one level further."""

LEVELS: Final = ("none", "contact", "division_head", "leader", "bulletin")
"""Whom silence has reached: nobody yet, the contact, the division head, the leader in charge, the monthly bulletin."""
TOP: Final = len(LEVELS) - 1

FEED_RULES: Final = ("late_feed", "missing_feed", "thin_feed")
"""Rules that no record and no delivery breaks but the clock: only who knows the schedules looks at them."""

_UNKNOWN: Final = ("medium", "steward", "record")
"""Severity, owner and scope of a rule that is registered no more."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The due days of one severity, counted from one day."""

    severity: Severity
    due: Due
    step: Due

    @classmethod
    def counted(cls, severity: Severity, day: date) -> Terms:
        """Count the terms of a severity from a day."""
        return cls(severity, after(day, TERM[severity]), after(day, STEP[severity]))


def of_rules(day: date) -> list[dict[str, Any]]:
    """Return what each registered rule makes of an issue that is opened on this day, for a query."""
    terms = {severity: Terms.counted(severity, day) for severity in TERM}
    return [_terms_of(one, terms[one.severity]) for one in RULES.values()]


def fallback(day: date) -> dict[str, Any]:
    """Return the same for a rule that is registered no more but whose findings still stand."""
    terms = Terms.counted("medium", day)
    severity, owner, scope = _UNKNOWN
    return {"severity": severity, "owner": owner, "scope": scope, **_days(terms)}


def _terms_of(rule: Rule, terms: Terms) -> dict[str, Any]:
    return {
        "rule": rule.code, "severity": rule.severity, "owner": rule.owner, "scope": rule.scope, **_days(terms),
    }  # fmt: skip


def _days(terms: Terms) -> dict[str, Any]:
    return {
        "due": terms.due.day.isoformat(), "provisional": terms.due.provisional, "step": terms.step.day.isoformat(),
    }  # fmt: skip
