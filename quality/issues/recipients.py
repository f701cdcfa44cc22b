"""Who is told as silence climbs: the offices that a source's folder names, for the hub's own faults its own roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.source import Owner, Source
from quality.issues.terms import LEVELS

HUB: Final[Mapping[str, tuple[str, str, str]]] = {
    "engineer": ("role:engineer", "role:steward", "role:administrator"),
    "steward": ("role:steward", "role:steward", "role:administrator"),
}
"""For faults that no department can mend: the hub's own roles, in the order of the levels."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a level names: the role, and the post and telephone that the folder gives; `to` is None where it gives none.

    `organ` is the department told; `through` names the source whose keeper is told for a department that has no folder.
    """

    role: str
    to: str | None
    organ: str
    through: str | None = None

    def as_dict(self) -> dict[str, str | bool | None]:
        """Return it as the log of an issue keeps it; that nobody is known is said."""
        found: dict[str, str | bool | None] = {"role": self.role, "to": self.to, "organ": self.organ}
        return found | ({"through": self.through} if self.through else {}) | ({} if self.to else {"nobody_known": True})


class Directory:
    """Finds who answers for an organ, from the source folders of a deployment."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = {one.code: one for one in sources}
        self._organs: dict[str, Owner] = {}
        for one in sorted(sources, key=lambda one: one.code):
            self._organs.setdefault(one.owner.organ, one.owner)
            if one.organ is not None:
                self._organs.setdefault(one.organ, one.owner)

    def organ_of(self, organ: str, source: str) -> str:
        """Return the organ that is told of an issue: its own, else the one that keeps the source; empty if neither."""
        keeper = self._sources.get(source)
        return organ or (keeper.owner.organ if keeper else "")

    def name_of(self, organ: str) -> str:
        """Return the name of an organ as a folder gives it, else its code."""
        owner = self._organs.get(organ)
        return owner.name if owner is not None else organ

    def of(self, *, owner: str, organ: str, source: str, level: int) -> Recipient:
        """Return who is told at a level (1 contact, 2 division head, 3 leader in charge, 4 the monthly bulletin)."""
        role, told = LEVELS[level], self.organ_of(organ, source)
        if role == "bulletin":
            return Recipient(role, role, told)
        if owner in HUB:
            return Recipient(role, HUB[owner][level - 1], told)
        mine = self._organs.get(told)
        if mine is not None:
            return Recipient(role, getattr(mine, role), told)
        keeper = self._sources.get(source)
        return Recipient(role, getattr(keeper.owner, role) if keeper else None, told, through=source)
