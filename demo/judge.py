"""The case rules restated from their meaning alone, one plain function a rule: what the truth says about procedure.

This is no copy of the product's rules and shares nothing with them: it looks at one `Case` as its system can tell it
(`Shape.seen`), slowly, and says which rules of procedure the case breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise

from demo.model import STAGES, Case, Precision

_ROUNDED: Mapping[Precision, Callable[[datetime], datetime]] = {
    "s": lambda moment: moment.replace(microsecond=0),
    "m": lambda moment: moment.replace(second=0, microsecond=0),
    "d": lambda moment: moment.replace(hour=0, minute=0, second=0, microsecond=0),
}


@dataclass(frozen=True, slots=True)
class Eyes:
    """How the hub sees a case: how exact its instants are, and whether its process has a review."""

    precision: Precision
    has_review: bool

    def before(self, first: datetime | None, second: datetime | None) -> bool:
        """Say whether both are known and the first is earlier as far as the precision tells."""
        if first is None or second is None:
            return False
        rounded = _ROUNDED[self.precision]
        return rounded(first) < rounded(second)


def broken_rules(case: Case, eyes: Eyes) -> frozenset[str]:
    """Return the codes of the case rules that the case breaks."""
    return frozenset(code for code, broken in _RULES.items() if broken(case, eyes))


def _accepted(case: Case) -> datetime | None:
    said = case.acceptance
    return said.at if said is not None and said.outcome == "accepted" else None


def _closed(case: Case) -> datetime | None:
    moments = [decision.decided for decision in case.decisions]
    moments += [event.started for event in case.events if event.stage == "complete"]
    return min(moments, default=None)


def _stage_order(case: Case, eyes: Eyes) -> bool:
    firsts = [
        min(event.started for event in case.events if event.stage == stage)
        for stage in STAGES
        if any(event.stage == stage for event in case.events)
    ]
    return any(eyes.before(later, earlier) for earlier, later in pairwise(firsts))


def _approve_without_review(case: Case, eyes: Eyes) -> bool:
    stages = {event.stage for event in case.events}
    return eyes.has_review and case.kind != "immediate" and "approve" in stages and "review" not in stages


def _time_shifted(case: Case, eyes: Eyes) -> bool:
    accepted = _accepted(case)
    if eyes.precision != "s" or accepted is None:
        return False
    return accepted - case.applied in (timedelta(seconds=1), timedelta(seconds=2))


def _batch_entered(case: Case, eyes: Eyes) -> bool:  # noqa: ARG001  # all rules are called alike
    if _closed(case) is None or len(case.events) < 3:
        return False
    minutes = {event.reported_at.replace(second=0, microsecond=0) for event in case.events}
    last = max(max(event.started, event.finished) for event in case.events)
    return len(minutes) == 1 and min(event.reported_at for event in case.events) > last + timedelta(hours=24)


def _refusal_without_reason(case: Case, eyes: Eyes) -> bool:  # noqa: ARG001  # all rules are called alike
    said = case.acceptance
    at_the_door = said is not None and said.outcome == "not_accepted" and not said.reason
    return at_the_door or any(one.outcome == "refused" and not one.reason for one in case.decisions)


def _granted_without_credential(case: Case, eyes: Eyes) -> bool:  # noqa: ARG001  # all rules are called alike
    bare = any(one.outcome == "granted" and not one.document_number for one in case.decisions)
    return bare and not case.certificates


def _pause_not_ended(case: Case, eyes: Eyes) -> bool:  # noqa: ARG001  # all rules are called alike
    return _closed(case) is not None and any(one.started and not one.ended for one in case.suspensions)


def _due_before_acceptance(case: Case, eyes: Eyes) -> bool:
    due, accepted = case.acceptance.due if case.acceptance else None, _accepted(case)
    if due is not None and accepted is not None and due.time() == time():  # written as a day, which lasts to its end
        return due.date() < accepted.date()
    return eyes.before(due, accepted)


_RULES: Mapping[str, Callable[[Case, Eyes], bool]] = {
    "stage_order": _stage_order,
    "closed_before_accepted": lambda case, eyes: eyes.before(_closed(case), _accepted(case)),
    "approve_without_review": _approve_without_review,
    "pause_end_without_start": lambda case, _: any(one.ended and not one.started for one in case.suspensions),
    "pause_not_ended": _pause_not_ended,
    "due_before_acceptance": _due_before_acceptance,
    "accepted_before_applied": lambda case, eyes: eyes.before(_accepted(case), case.applied),
    "time_shifted": _time_shifted,
    "batch_entered": _batch_entered,
    "refusal_without_reason": _refusal_without_reason,
    "extension_without_approver": lambda case, _: any(
        one.kind == "extension" and one.approver is None for one in case.suspensions
    ),
    "granted_without_credential": _granted_without_credential,
    "closed_twice": lambda case, _: len({decision.outcome for decision in case.decisions}) > 1,
}
"""Every case rule by its code."""
