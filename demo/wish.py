"""What a case must be like, where a defect or a change of day 2 needs one of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Wish:
    """What a story must have; what stays None is left to chance.

    `pace`: `swift` closes within hours, `slow` stays open beyond day 2, `calm` has neither overdue days nor
    an application after hours. `plain` leaves out certificate and contact, so that the applicant stands once.
    """

    kind: Literal["immediate", "promised"] | None = None
    applicant: Literal["natural", "enterprise"] | None = None
    outcome: Literal["granted", "refused", "not_accepted"] | None = None
    certificate: bool | None = None
    pause: str | None = None
    delivery: bool | None = None
    pace: Literal["swift", "slow", "calm"] | None = None
    plain: bool = False
    item: str | None = None
    """The base code of the item."""
    company: int | None = None
    """The index of the company that applies."""

    @property
    def bends(self) -> bool:
        """Say whether anything is asked for."""
        return self != Wish()
