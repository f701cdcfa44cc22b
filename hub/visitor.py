"""Who may do what on the pages: the roles, the rights of each, and the person who looks.

An account has one role or several; their rights add up. Who is bound, to one organ (`department_steward`,
`issuing_officer`) or to one region (a `regional_supervisor`, a `chief_supervisor` of a city or county), holds no role
beside it, so that nobody sees by one role what another one hides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hub.refusals import NotAllowed, NotFound
from hub.sentences import Code, Codes, sentence

SEE = "see"
"""Look at scores, issues, feeds, waiting records (values hidden) and reports."""
ACKNOWLEDGE = "acknowledge"
"""Take an issue up, and write notes into its log."""
DECIDE = "decide"
"""Send an issue to its department, assign it, put it off, bear it with a reason."""
PROPOSE = "propose"
"""Propose a correction of a waiting record."""
APPROVE = "approve"
"""Approve or reject a correction that another person proposed; waive a record."""
REPLAY = "replay"
"""Have waiting records judged again."""
ACCEPT_BATCH = "accept_batch"
"""Publish a held batch after all."""
REVEAL = "reveal"
"""See the raw values of a record, personal ones included; each look is logged."""
ACCOUNTS = "accounts"
"""See the accounts and the log of sign-ins."""
CATALOGUE = "catalogue"
"""Work on the item catalogue from one's seat: see what is under way, and do the seat's own deeds."""
SUPERVISE = "supervise"
"""Look at the clocks, cards, loads and rankings of e-supervision, within one's organ or region."""
CARDS = "cards"
"""Uphold a card, ask that it be taken down, order that a department act (督办)."""
ANSWER_CARDS = "answer_cards"
"""Answer a card or an order as its department: feedback, appeal."""
TAKE_DOWN = "take_down"
"""Approve or refuse, as a superior, that a card is taken down (摘牌)."""
CONFIRM = "confirm"
"""Answer, as an officer of the issuing department, what other departments ask about its credentials (协查核实)."""
SETTLE = "settle"
"""Say, as the personal-data officer, what a check was whose case was never found."""

DEPARTMENT = "department_steward"
"""The role of who minds the data of one organ, and is bound to it."""
OFFICER = "issuing_officer"
"""The role of who answers for the credentials of one organ, and is bound to it."""
BOUND = (DEPARTMENT, OFFICER)
"""The roles that are bound to one organ."""
REGIONAL = "regional_supervisor"
"""The role that is bound to one region: a supervisor of a city or county (市、县级监察人员)."""
CHIEF = "chief_supervisor"
"""The superior among supervisors (监察负责人), of the province or, with a region, of a city or county."""

RIGHTS: Mapping[str, frozenset[str]] = {
    "steward": frozenset({SEE, ACKNOWLEDGE, DECIDE, PROPOSE, APPROVE, REPLAY, ACCEPT_BATCH, REVEAL}),
    DEPARTMENT: frozenset({SEE, ACKNOWLEDGE, PROPOSE, REVEAL, CATALOGUE, SUPERVISE, ANSWER_CARDS}),
    "supervisor": frozenset({SEE, CATALOGUE, SUPERVISE, CARDS}),
    REGIONAL: frozenset({SUPERVISE, CARDS}),
    CHIEF: frozenset({SUPERVISE, CARDS, TAKE_DOWN}),
    "legal_office": frozenset({CATALOGUE}),
    "reform_commission": frozenset({CATALOGUE}),
    OFFICER: frozenset({CONFIRM}),
    "personal_data_officer": frozenset({SETTLE}),
    "engineer": frozenset({SEE, ACKNOWLEDGE, DECIDE, REPLAY, ACCEPT_BATCH}),
    "administrator": frozenset({ACCOUNTS}),
}
"""The rights of each role."""

ROLES = tuple(RIGHTS)

_REGION = re.compile(r"[0-9]{2}(?!0000)[0-9]{4}")
"""A code of a city or county; who sees a whole province is bound to no region."""

SEATS: Mapping[str, str] = {
    DEPARTMENT: "department", "legal_office": "legal", "reform_commission": "reform", "supervisor": "supervision",
}  # fmt: skip
"""The seat of each role in the life of an item (catalog/life.py): who proposes, reviews and publishes.

An account sits in one of them at most, so that nobody reviews what the same person proposed.
"""


def faults_of(roles: Iterable[str], organ: str | None, region: str | None = None) -> list[str]:
    """Say what is wrong with roles, an organ and a region together; nothing where they fit."""
    asked = list(roles)
    faults = [f"there is no role {one!r} (there are: {', '.join(ROLES)})" for one in asked if one not in RIGHTS]
    if not asked:
        faults.append(f"no role is named (there are: {', '.join(ROLES)})")
    bound = next((one for one in BOUND if one in asked), None)
    seats = sorted({one for one in asked if one in SEATS})
    if len(seats) > 1:
        faults.append(f"{' and '.join(seats)} are two seats of the item catalogue, and nobody sits in two")
    if bound and len(set(asked)) > 1:
        faults.append(f"{bound} sees one organ only and goes with no other role")
    if bound and organ is None:
        faults.append(f"{bound} needs the organ whose data it sees")
    if not bound and organ is not None:
        faults.append(f"an organ is named, and only {' and '.join(BOUND)} are bound to one")
    return faults + _region_faults(set(asked), region)


def _region_faults(asked: set[str], region: str | None) -> list[str]:
    if region is None:
        return [f"{REGIONAL} needs the region whose cases it sees"] if REGIONAL in asked else []
    faults = []
    if not _REGION.fullmatch(region):
        faults.append(f"region {region!r} is no code of a city or county (6 digits, GB/T 2260)")
    if not asked & {REGIONAL, CHIEF}:
        faults.append(f"a region is named, and only {REGIONAL} and {CHIEF} are bound to one")
    if len(asked) > 1:
        faults.append("who is bound to a region sees that only, and holds no other role")
    return faults


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who is signed in. `organ` and `region` are the only ones that the person sees; None: all of them."""

    code: str
    name: str
    roles: frozenset[str]
    organ: str | None = None
    region: str | None = None

    @property
    def actor(self) -> str:
        """Return how logs name this person."""
        return f"account:{self.code}"

    @property
    def seat(self) -> str | None:
        """Return the person's seat in the life of an item; None: the person has none."""
        return next((SEATS[one] for one in sorted(self.roles) if one in SEATS), None)

    def may(self, right: str) -> bool:
        """Say whether one of the person's roles has a right."""
        return any(right in RIGHTS[one] for one in self.roles if one in RIGHTS)

    def must(self, right: str) -> None:
        """Go on only with a right.

        Raises:
            NotAllowed: no role of this person has it; the message names the roles that do.
        """
        if not self.may(right):
            having = Codes.of("role", (one for one, rights in RIGHTS.items() if right in rights))
            raise NotAllowed(
                sentence("your roles do not include this right ({right})", right=Code("right", right)),
                hint=sentence("These roles have it: {having}.", having=having),
            )

    def sees(self, organ: str | None) -> bool:
        """Say whether the person sees an organ's data; what belongs to no organ is for those who see all."""
        return self.organ is None or organ == self.organ

    @property
    def area(self) -> str | None:
        """Return how the codes of the regions begin that the person sees: 3301 for 330100; None: all regions."""
        if self.region is None:
            return None
        return self.region[:4] if self.region.endswith("00") else self.region

    def sees_case(self, organ: str | None, region: str | None) -> bool:
        """Say whether the person sees a case of an organ in a region; one of no region is for those who see all."""
        return self.sees(organ) and (self.area is None or (region or "").startswith(self.area))

    def must_see(self, organ: str | None) -> None:
        """Go on only if the person sees an organ; otherwise the thing is not there, so that guessing tells nothing.

        Raises:
            NotFound: the person does not see this organ.
        """
        if not self.sees(organ):
            raise NotFound("there is no such thing, or it is another department's", hint="Go back to the overview.")
