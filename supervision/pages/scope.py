"""What a person sees: all of the province, a city with its counties, a county, or one department.

The same words stand in every query of these pages, so that no page shows what another one hides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Scope:
    """The only organ, and how the codes of the only regions begin; None: all of them."""

    organ: str | None = None
    area: str | None = None

    @classmethod
    def of(cls, visitor: Visitor) -> Scope:
        """Return what a person sees."""
        return cls(visitor.organ, visitor.area)

    def where(self, row: str) -> str:
        """Return the condition on a row that has `organ` and `region`, to stand after other conditions."""
        said = ""
        if self.organ is not None:
            said += f" AND {row}.organ = :scope_organ"
        if self.area is not None:
            said += f" AND {row}.region LIKE :scope_area"
        return said

    @property
    def bounds(self) -> dict[str, str | None]:
        """Return the same for what is asked by values: the only organ, and how the codes of the only regions begin."""
        return {"within": self.organ, "area": self.area}

    @property
    def values(self) -> dict[str, Any]:
        """Return what the condition needs."""
        return {"scope_organ": self.organ, "scope_area": None if self.area is None else f"{self.area}%"}
