"""The province and its registers: regions, organs, departments, staff, items."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from demo.model.words import Unit


@dataclass(frozen=True, slots=True)
class Region:
    """A place of the invented province: the province, a city or a county."""

    code: str
    name: str
    level: Literal["province", "city", "county"]
    parent: str | None
    valid_from: date


@dataclass(frozen=True, slots=True)
class Organ:
    """An organ of the organ register: a provincial department, a bureau under it, or one of a city or county."""

    code: str
    name: str
    level: Literal["province", "city", "county"]
    region: str
    parent: str | None
    valid_from: date


@dataclass(frozen=True, slots=True)
class Staff:
    """One official: `post` is 科员, 科长, 处长 or 厅领导 and decides which stages the person handles."""

    name: str
    number: str
    post: str
    unit: str


@dataclass(frozen=True, slots=True)
class Department:
    """One of the 43 departments and its system. `serves` are the organs its rows name (itself, or 11 city bureaus)."""

    code: str
    organ: str
    name: str
    name_en: str
    short: str
    region: str
    shape: str
    has_review: bool
    serves: tuple[Organ, ...]
    staff: tuple[Staff, ...]
    cases: int
    index: int


@dataclass(frozen=True, slots=True)
class Item:
    """One approval item as implemented by one department: codes, limits and what must be granted before it."""

    base_code: str
    implementation_code: str
    version: int
    name: str
    organ: str
    department: str
    item_type: str
    status: Literal["in_force", "suspended", "abolished", "devolved"]
    kind: Literal["immediate", "promised"]
    legal_value: int
    legal_unit: Unit
    promised_value: int
    promised_unit: Unit
    effective_from: date
    online_depth: str
    fee: bool
    prerequisites: tuple[tuple[str, ...], ...]
    """Groups of base codes: every group must be met, by any one of its codes."""
    materials: tuple[str, ...]
    certificate: str | None
    """Name of the certificate that a grant yields; None where only a document is issued."""
    cancelled_on: date | None = None


@dataclass(frozen=True, slots=True)
class Province:
    """The province: its registers on both days, and the two instants up to which the days go."""

    name: str
    code: str
    seed: int
    cases: int
    date: date
    cut: datetime
    cut2: datetime
    departments: tuple[Department, ...]
    localities: tuple[Department, ...]
    """The approval bureaus of cities and counties, on a platform that they share."""
    regions: tuple[Region, ...]
    organs: tuple[Organ, ...]
    items: tuple[Item, ...]
    regions_day2: tuple[Region, ...]
    """The whole register as it stands on day 2, as are the two below; all are longer or changed by a few rows."""
    organs_day2: tuple[Organ, ...]
    items_day2: tuple[Item, ...]

    @property
    def senders(self) -> tuple[Department, ...]:
        """Return all who deliver: the departments, the cities and the counties."""
        return (*self.departments, *self.localities)
