"""The simulated province as plain values: what the departments know before any of their systems writes it down.

All instants are naive `datetime` values in local time (Asia/Shanghai). Two days are delivered: day 1 is a year of
cases up to `Province.cut`, day 2 is what the departments wrote on the working day after it, up to `Province.cut2`.

Who does what with defects (`KINDS` lists them all):

- level *element*: the value is already wrong in the element (a party's number, an event's times). The element's
  `faults` name the rules; each record that carries the faulty element must raise them. The writer only copies.
- level *case*: the case's own times or steps contradict each other. The truth computes which case rules must fire
  from `Shape.seen(case)`; the writer only copies.
- level *record*: `Case.defect` asks the writer to spoil one record of the case while writing it (an unknown code, a
  missing key). A shape with child records spoils the record named by `Defect.target`, a shape with one record a
  case spoils that record. The writer says what it did in `Placed.rules`.
- level *resend*: a `Change` of day 2 whose `after` is to be written word for word (same version with other
  content, or an older version).
- level *unit*: a `Defect` without a case, from `Work.plans`: the writer spoils a delivered file, page or feed.
"""

from __future__ import annotations

from demo.model.case import (
    Acceptance,
    Case,
    Certificate,
    CertificateStatus,
    Company,
    Decision,
    Delivery,
    Event,
    Fee,
    Identifier,
    Link,
    Material,
    Party,
    Person,
    Supplement,
    Suspension,
)
from demo.model.defect import KINDS, Defect, DefectKind
from demo.model.province import Department, Item, Organ, Province, Region, Staff
from demo.model.seam import Answered, Change, Placed, Shape, UnitMark, Work
from demo.model.words import (
    STAGE_NAMES,
    STAGES,
    ChangeKind,
    Level,
    NumberKind,
    Outcome,
    PartyKind,
    Precision,
    Stage,
    Unit,
)

__all__ = [
    "KINDS",
    "STAGES",
    "STAGE_NAMES",
    "Acceptance",
    "Answered",
    "Case",
    "Certificate",
    "CertificateStatus",
    "Change",
    "ChangeKind",
    "Company",
    "Decision",
    "Defect",
    "DefectKind",
    "Delivery",
    "Department",
    "Event",
    "Fee",
    "Identifier",
    "Item",
    "Level",
    "Link",
    "Material",
    "NumberKind",
    "Organ",
    "Outcome",
    "Party",
    "PartyKind",
    "Person",
    "Placed",
    "Precision",
    "Province",
    "Region",
    "Shape",
    "Staff",
    "Stage",
    "Supplement",
    "Suspension",
    "Unit",
    "UnitMark",
    "Work",
]
