"""People, and one case with all that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from demo.model.defect import Defect
from demo.model.province import Item, Organ, Staff
from demo.model.words import NumberKind, PartyKind, Stage, Unit


@dataclass(frozen=True, slots=True)
class Person:
    """An invented natural person."""

    name: str
    resident_id: str
    phone: str
    address: str


@dataclass(frozen=True, slots=True)
class Company:
    """An invented body with a credit code; `legal_person` answers for it."""

    name: str
    kind: PartyKind
    credit_code: str
    legal_person: Person
    phone: str
    address: str


@dataclass(frozen=True, slots=True)
class Party:
    """Someone in one role of one case, as this case says it."""

    role: Literal["applicant", "agent", "contact", "legal_person"]
    kind: PartyKind
    number_kind: NumberKind
    name: str
    number: str
    phone: str
    address: str
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The answer to the application. `at` is empty unless accepted; `reason` is filled where it is not."""

    id: str
    outcome: Literal["accepted", "not_accepted"]
    answered: datetime
    at: datetime | None
    due: datetime | None
    document_number: str
    reason: str | None
    handler: Staff
    promise_value: int
    promise_unit: Unit
    reported_at: datetime
    version: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One stage that was gone through; reported once, when it is finished."""

    id: str
    stage: Stage
    node: str
    handler: Staff
    started: datetime
    finished: datetime
    outcome: Literal["passed", "returned"]
    opinion: str
    reported_at: datetime
    version: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspension:
    """A special procedure. It is reported when it starts and again, one version higher, when it ends."""

    id: str
    kind: Literal["hearing", "testing", "inspection", "appraisal", "expert_review", "extension"]
    name: str
    reason: str
    approver: Staff | None
    started: datetime | None
    ended: datetime | None
    allowed_value: int
    allowed_unit: Unit
    result: str | None
    reported_at: datetime
    ended_reported_at: datetime | None
    version: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Supplement:
    """A request to supplement the application (补正), always before acceptance; reported when it was answered."""

    id: str
    told: datetime
    received: datetime
    materials: str
    reason: str
    handler: Staff
    reported_at: datetime
    version: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """One document handed in."""

    id: str
    code: str
    name: str
    obtained: Literal["upload", "paper", "certificate"]
    copies: int
    taken: datetime
    reported_at: datetime
    version: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee that was paid, in CNY; `amount` is written with two decimals."""

    id: str
    amount: str
    basis: str
    paid: datetime
    reported_at: datetime
    version: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the result reached the applicant."""

    id: str
    way: Literal["window", "post", "online"]
    delivered: datetime
    receiver: str
    reported_at: datetime
    version: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A closing decision. A grant has a document number; a refusal and a return have a reason."""

    id: str
    document_number: str | None
    document_name: str
    outcome: Literal["granted", "refused", "returned", "withdrawn", "completed"]
    decided: datetime
    reason: str | None
    content: str
    handler: Staff
    reported_at: datetime
    version: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """A state of a certificate and when it began."""

    status: Literal["valid", "suspended", "revoked", "cancelled"]
    since: datetime
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that a grant yields. `statuses` is its history, oldest first; the version counts them."""

    id: str
    type: str
    number: str
    identifier: str
    document_number: str
    holder: Party
    valid_from: date
    valid_to: date | None
    issued: datetime
    predecessor: str | None
    statuses: tuple[CertificateStatus, ...]
    reported_at: datetime
    version: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Another case that this one names; it may lie in another department."""

    other_number: str
    kind: Literal["same_project", "parallel"]


@dataclass(frozen=True, slots=True)
class Identifier:
    """Another number of the same case."""

    scheme: Literal["national", "project", "receipt"]
    number: str


@dataclass(frozen=True, slots=True)
class Case:
    """One case as its department knows it at a certain instant.

    `version` counts changes of the application's own record, `revision` changes of the case taken as one document.
    `held` (day 1 only) says that the application's own record is not delivered yet, while its children are; it
    comes with the change of kind `late` (only asked of shapes that `park`).
    """

    number: str
    department: str
    organ: Organ
    region: str
    item: Item
    applicant: Party
    agent: Party | None
    contact: Party | None
    legal_person: Party | None
    channel: Literal["window", "online", "mobile", "post"]
    kind: Literal["immediate", "promised"]
    entry_mode: Literal["live", "batch"]
    subject: str
    applied: datetime
    receiver: Staff
    acceptance: Acceptance | None
    events: tuple[Event, ...]
    suspensions: tuple[Suspension, ...]
    supplements: tuple[Supplement, ...]
    materials: tuple[Material, ...]
    fees: tuple[Fee, ...]
    deliveries: tuple[Delivery, ...]
    decisions: tuple[Decision, ...]
    certificates: tuple[Certificate, ...]
    links: tuple[Link, ...]
    identifiers: tuple[Identifier, ...]
    reported_at: datetime
    """When the application's own record was written."""
    written_at: datetime
    """When the last of all records of this case was written: the report time of a shape with one record a case."""
    version: int = 1
    revision: int = 1
    held: bool = False
    faults: tuple[str, ...] = ()
    """Rules that the application's own record must raise (its item code, its times, its subject)."""
    defect: Defect | None = None
    """What the writer must spoil in this case's records: only kinds of level *record*."""

    @property
    def closed(self) -> bool:
        """Say whether the case is closed: decided, or refused at the door."""
        return bool(self.decisions) or (self.acceptance is not None and self.acceptance.outcome == "not_accepted")

    @property
    def parties(self) -> tuple[Party, ...]:
        """Return all who appear in the case, the applicant first."""
        found = (self.applicant, self.agent, self.contact, self.legal_person)
        return tuple(party for party in found if party is not None)

    def event(self, stage: Stage) -> Event | None:
        """Return the first event of a stage, or None where the case has not gone through it."""
        return next((event for event in self.events if event.stage == stage), None)
