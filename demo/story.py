"""The whole story of one case, from the application to what became of its certificate, told from its index alone.

Everything is drawn from random numbers of the department and the index, in working time: the same arguments tell the
same story, and any case can be told without the ones before it. A `Wish` bends the story (a refusal, a special
procedure, a slow case) where a defect or a change of day 2 needs a case of that kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from demo import aftermath
from demo.course import Course, accept, course, pause_by_chance, supplements
from demo.model import (
    Case,
    Department,
    Event,
    Identifier,
    Item,
    Link,
    Material,
    Organ,
    Party,
    Person,
    Staff,
    Suspension,
)
from demo.people import People, dice
from demo.wish import Wish
from demo.worktime import DAY, WorkCalendar

REACH = 80
"""Working days after which everything that follows from an application has happened: the longest promise overdrawn,
supplements, a pause and the certificate's later states come to 75."""

_CASES = 6
_CHANNELS = ("window", "window", "online", "online", "online", "mobile", "post")


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells the cases of one department. `days` is the number of working days up to the end of day 1."""

    seed: int
    department: Department
    items: tuple[Item, ...]
    people: People
    crowd: int
    calendar: WorkCalendar
    days: int
    single: bool
    posts: Mapping[str, Sequence[Staff]]

    def number(self, index: int) -> str:
        """Return the number of the case with this index without telling the case."""
        _, day, organ = self._start(index)
        return self._number(index, day, organ)

    def tell(self, index: int, wish: Wish) -> Case:
        """Tell the case with this index to its end, beyond both cuts."""
        random, day, organ = self._start(index)
        item = self._item(random, wish)
        channel = random.choice(_CHANNELS)
        begin, applied = self._application(random, day, channel, wish, first=index == self.department.cases)
        prefix = f"{self.department.index:02d}{index:07d}"
        way = Course(random, self.calendar, self.department, self.posts, item, prefix, begin, applied, wish.pace)
        asked = supplements(way, allowed=item.kind == "promised" and not wish.bends)
        outcome = wish.outcome or _outcome(random, item)
        acceptance, accept_event = accept(way, refused=outcome == "not_accepted")
        applicant, contact, legal, agent = self._parties(random, wish)
        events: tuple[Event, ...] = ()
        suspensions: tuple[Suspension, ...] = ()
        if accept_event is not None:
            pause = wish.pause if wish.bends else pause_by_chance(way)
            later, suspensions = course(way, outcome, pause)
            events = (accept_event, *later)
        case = Case(
            number=self._number(index, day, organ),
            department=self.department.code,
            organ=organ,
            region=organ.region,
            item=item,
            applicant=applicant,
            agent=agent,
            contact=contact,
            legal_person=legal,
            channel=channel,  # type: ignore[arg-type]  # one of the four words above
            kind=item.kind,
            entry_mode="live",
            subject=f"{applicant.name}关于{item.name}的申请",
            applied=applied,
            receiver=way.staff("科员"),
            acceptance=acceptance,
            events=events,
            suspensions=suspensions,
            supplements=asked,
            materials=_materials(way, item),
            fees=aftermath.fees(way, acceptance),
            deliveries=(),
            decisions=(),
            certificates=(),
            links=self._links(random, wish),
            identifiers=self._identifiers(random, index, applied, channel),
            reported_at=applied + timedelta(seconds=random.randrange(60, 400)),
            written_at=applied,
        )
        return aftermath.close(case, way, outcome, wish, self.single)

    def _start(self, index: int) -> tuple[Random, int, Organ]:
        random = dice(self.seed, _CASES, self.department.index, index)
        share = random.random()
        organ = random.choice(self.department.serves)
        size = self.department.cases
        day = int((index + share) * self.days / size) if index < size else self.days
        return random, day, organ

    def _number(self, index: int, day: int, organ: Organ) -> str:
        return f"{organ.region}{self.department.index:02d}{self.calendar.days[day]:%y%m%d}{index:07d}"

    def _item(self, random: Random, wish: Wish) -> Item:
        if wish.item is not None:
            return next(item for item in self.items if item.base_code == wish.item)
        kind = wish.kind or random.choice(("immediate", "promised"))
        fitting = [item for item in self.items if item.kind == kind]
        if wish.certificate:
            fitting = [item for item in fitting if item.certificate]
        return random.choice(fitting)

    def _application(self, random: Random, day: int, channel: str, wish: Wish, *, first: bool) -> tuple[int, datetime]:
        """Return the working second at which the office has the application, and the instant it was made."""
        late = channel in {"online", "mobile"} and random.random() < 0.2
        latest = 3_600 if first else 25_000
        if late and not wish.bends:
            return (day + 1) * DAY + random.randrange(60, 600), self.calendar.evening(day, random.randrange(14_000))
        begin = day * DAY + random.randrange(600, latest)
        return begin, self.calendar.at(begin)

    def _parties(self, random: Random, wish: Wish) -> tuple[Party, Party | None, Party | None, Party | None]:
        kind = wish.applicant or random.choice(("natural", "enterprise", "enterprise"))
        if kind == "natural":
            person = self.people.person(random.randrange(self.crowd))
            agent = None
            if random.random() < 0.05 and not wish.bends:
                agent = _natural("agent", self.people.person(random.randrange(self.crowd)))
            return _natural("applicant", person), None, None, agent
        index = random.randrange(max(2, self.crowd // 3))
        company = self.people.company(index if wish.company is None else wish.company)
        applicant = Party(
            "applicant", company.kind, "credit_code", company.name, company.credit_code, company.phone, company.address
        )
        legal = _natural("legal_person", company.legal_person)
        contact = None if wish.plain else _natural("contact", self.people.person(random.randrange(self.crowd)))
        return applicant, contact, legal, None

    def _links(self, random: Random, wish: Wish) -> tuple[Link, ...]:
        if random.random() > 0.02 or wish.bends or self.department.cases < 2:
            return ()
        other = self.number(random.randrange(self.department.cases))
        return (Link(other, "same_project"),)

    def _identifiers(self, random: Random, index: int, applied: datetime, channel: str) -> tuple[Identifier, ...]:
        found = []
        if random.random() < 0.1:
            tail = f"{self.department.index:02d}-01-{index:06d}"
            found.append(Identifier("project", f"{applied:%y%m}-{self.department.region}-{tail}"))
        if channel in {"online", "mobile"}:
            found.append(Identifier("receipt", f"HZ{self.department.index:02d}{index:08d}"))
        return tuple(found)


def _natural(role: Literal["applicant", "agent", "contact", "legal_person"], person: Person) -> Party:
    return Party(role, "natural", "resident_id", person.name, person.resident_id, person.phone, person.address)


def _outcome(random: Random, item: Item) -> str:
    dice_roll = random.random()
    if item.kind == "immediate":
        return "granted" if dice_roll < 0.8 else "completed"
    for share, word in ((0.015, "not_accepted"), (0.04, "refused"), (0.055, "withdrawn"), (0.065, "returned")):
        if dice_roll < share:
            return word
    return "granted"


def _materials(way: Course, item: Item) -> tuple[Material, ...]:
    return tuple(
        Material(
            id=f"{way.prefix}M{place}",
            code=f"{item.base_code}_{place:02d}",
            name=name,
            obtained=way.random.choice(("upload", "paper", "certificate")),
            copies=way.random.randrange(1, 4),
            taken=way.applied,
            reported_at=way.applied + timedelta(seconds=way.random.randrange(400, 900)),
        )
        for place, name in enumerate(item.materials, start=1)
    )
