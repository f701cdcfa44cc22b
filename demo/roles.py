"""What cases can play: a defect, a change of day 2, or a part in the checks that end the demonstration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from demo.habits import Habit
from demo.model import Defect
from demo.wish import Wish

TWICE = frozenset({"truncated_file", "batch_checksum"})
"""Unit plans whose department mends the unit on day 2."""

_GRANTED = Wish(kind="promised", outcome="granted", pace="calm")
_COMPANY = Wish(kind="promised", outcome="granted", pace="calm", applicant="enterprise", plain=True)
_PERSON = Wish(kind="promised", outcome="granted", pace="calm", applicant="natural", plain=True)
_CERTIFIED = Wish(kind="promised", outcome="granted", pace="calm", certificate=True)
_OPEN = Wish(kind="promised", outcome="granted", pace="slow")

WISHES: Mapping[str, Wish] = {
    "credit_code_check": _COMPANY,
    "organisation_code_check": _COMPANY,
    "resident_id_check": _PERSON,
    "phone_bad": _PERSON,
    "placeholder": _PERSON,
    "item_code_bad": _PERSON,
    "certificate_id_check": _CERTIFIED,
    "validity_reversed": _CERTIFIED,
    "pause_end_without_start": Wish(kind="promised", outcome="granted", pace="calm", pause="testing"),
    "pause_not_ended": Wish(kind="promised", outcome="granted", pace="calm", pause="expert_review"),
    "extension_without_approver": Wish(kind="promised", outcome="granted", pace="calm", pause="extension"),
    "refusal_without_reason": Wish(kind="promised", outcome="refused", pace="calm"),
    "granted_without_credential": Wish(kind="promised", outcome="granted", pace="calm", certificate=False),
    "batch_entered": Wish(kind="promised", outcome="granted", pace="calm", certificate=False),
    "late_child": Wish(kind="promised", outcome="granted", pace="calm", delivery=True),
    "open_correct": _OPEN,
    "late_open": _OPEN,
    "first": Wish(kind="immediate", outcome="granted", pace="swift"),
}
"""What a case must be like to play a role; every other role asks for a promised case that was granted."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a case plays: a kind of defect, or one of the changes of day 2."""

    kind: str
    defect: Defect | None = None
    own: Wish | None = None
    """What this one case must be like, where its kind does not say it all."""

    @property
    def wish(self) -> Wish:
        """Return what the case must be like."""
        return self.own or WISHES.get(self.kind, _GRANTED)


@dataclass(frozen=True, slots=True)
class Relied:
    """Who asks for which item, who gives what must be there first, and the indices of the cases that tell of it."""

    asker: str
    asked_item: str
    own: int
    giver: str
    given_item: str
    granted: int
    expired: int
    revoked: int


@dataclass(slots=True)
class Cast:
    """Who plays what: roles by department and index of the case, plans by department."""

    roles: dict[str, dict[int, Role]] = field(default_factory=dict)
    plans: dict[str, list[Defect]] = field(default_factory=dict)
    habits: dict[str, Habit] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    relied: Relied | None = None

    def plans_of(self, department: str, day: int) -> tuple[Defect, ...]:
        """Return the plans that the department's writer executes on this day."""
        return tuple(
            plan
            for plan in self.plans.get(department, ())
            if plan.day == day or (plan.kind in TWICE and day > plan.day)
        )
