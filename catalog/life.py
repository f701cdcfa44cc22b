"""The life of an item's version as a table: which deed fits which state, whose it is, and where it leads.

草稿 → 审核中 → 拟发布 → 发布. The department proposes, the legal office and the development commission review, each for
itself, and supervision publishes. A published version never changes: the next one is drafted beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from catalog.errors import DeedRefused
from hub.sentences import Code, Codes, sentence

Seat = Literal["department", "legal", "reform", "supervision", "hub"]
Change = Literal["new", "change", "suspend", "restore", "abolish", "devolve"]
State = Literal["draft", "in_review", "to_publish", "published", "withdrawn"]
Status = Literal["in_force", "suspended", "abolished", "devolved"]

SEATS: tuple[Seat, ...] = ("department", "legal", "reform", "supervision", "hub")
REVIEWERS: tuple[Seat, ...] = ("legal", "reform")
"""法制机构, 发展改革: both must agree before a version can be published."""


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does a deed (`account:<code>`, `cli:<user>` or `hub`), and from which seat."""

    actor: str
    seat: Seat


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a department proposes: for a new item with its numbers and organ, for a known one with its code alone.

    `successors` are the codes of the items that take over where a `devolve` ends this one: their first versions are
    proposed beside it and are published with it, on the same day.
    """

    code: str
    change: Change
    reason: str
    content: Mapping[str, Any] | None = None
    organ: str = ""
    base_code: str | None = None
    region: str | None = None
    numbers: Mapping[str, str] | None = None
    successors: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does to a version: from which seats, in which states, and the state that it leads to."""

    seats: tuple[Seat, ...]
    states: tuple[State, ...]
    leads_to: State | None = None


DEEDS: dict[str, Deed] = {
    "revise": Deed(("department",), ("draft",)),
    "submit": Deed(("department",), ("draft",), "in_review"),
    "agree": Deed(REVIEWERS, ("in_review",)),
    "return": Deed((*REVIEWERS, "supervision"), ("in_review", "to_publish"), "draft"),
    "withdraw": Deed(("department",), ("draft", "in_review", "to_publish"), "withdrawn"),
    "publish": Deed(("supervision",), ("to_publish",), "published"),
}
"""Every deed on a version that is under way. A reviewer's agreement leads on when all reviewers have agreed."""

_CHANGES: dict[Status | None, tuple[Change, ...]] = {
    None: ("new",),
    "in_force": ("change", "suspend", "abolish", "devolve"),
    "suspended": ("change", "restore", "abolish", "devolve"),
    "abolished": ("restore",),
    "devolved": ("restore",),
}
STATUS_AFTER: dict[Change, Status] = {
    "new": "in_force", "suspend": "suspended", "restore": "in_force", "abolish": "abolished", "devolve": "devolved",
}  # fmt: skip
"""What a version of each change says of its item; a `change` leaves it as it was."""


def changes(status: Status | None) -> tuple[Change, ...]:
    """Return the changes that can be proposed of an item that stands at `status` (None: it is not published yet)."""
    return _CHANGES[status]


def status_after(code: str, status: Status | None, change: Change) -> Status:
    """Return what a version of this change says of an item that stands at `status` (None: it is not published yet).

    Raises:
        DeedRefused: the change does not fit.
    """
    if change not in _CHANGES[status]:
        stands = Code("item.status", "unpublished" if status is None else status)
        raise DeedRefused(
            code,
            sentence("it is {stands}, so {change!r} does not fit", stands=stands, change=Code("item.change", change)),
            sentence("Fitting: {known}.", known=Codes.of("item.change", _CHANGES[status])),
        )
    return STATUS_AFTER.get(change, status or "in_force")


def fits(code: str, what: str, *, seat: Seat, state: State) -> Deed:
    """Return the deed, if this seat may do it in this state.

    Raises:
        DeedRefused: it may not; the message says whose deed it is, or what can be done now.
    """
    deed = DEEDS[what]
    if seat not in deed.seats:
        raise DeedRefused(
            code,
            sentence(
                "{what!r} is no deed of seat {seat!r}", what=Code("desk.deed", what), seat=Code("desk.seat", seat)
            ),
            sentence("It is a deed of {known}.", known=Codes.of("desk.seat", deed.seats)),
        )
    if state not in deed.states:
        now = [name for name, one in DEEDS.items() if state in one.states]
        fitting = sentence("What fits now: {known}.", known=Codes.of("desk.deed", now))
        known = fitting if now else "Draft the next version instead."
        raise DeedRefused(
            code,
            sentence(
                "its version is {state}, so {what!r} does not fit",
                state=Code("desk.state", state),
                what=Code("desk.deed", what),
            ),
            known,
        )
    return deed
