"""The mirror of a district's e-supervision, as one XML document a night: two departments have it.

Application and acceptance stand in one row that comes with the answer; one time a step; neither the time of the
application nor the applicant's number is said. The hub reads it with the profile `shenzhen-supervision`, and
mirror.xsd of the source folder judges the document first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from demo.model import STAGE_NAMES, Acceptance, Case, Decision, Department, Event, Placed
from demo.shapes import trim
from demo.shapes.contracts import PROFILES, by_name, contract
from demo.shapes.record import Entry, Values, joined, key_of, party_faults
from demo.shapes.system import Delivery
from demo.shapes.xml_files import XmlSystem

_WAY = {"window": "0", "online": "1", "mobile": "1", "post": "0"}
_UNIT = {"working_day": "G", "calendar_day": "Z"}
_RESULT = {
    "granted": ("0", "0"), "refused": ("6", "1"), "returned": ("1", "0"), "withdrawn": ("2", "0"),
    "completed": ("6", "0"),
}  # fmt: skip
_STEPS = ("undertake", "review", "approve")

_HERE = PROFILES / "shenzhen-supervision"
_CASE: dict[str, Any] = {"key": ("YWLSH",), "case": "YWLSH", "order": "SJBBH"}
STREAMS = by_name(
    contract(_HERE, "T_SHOULI", **_CASE, text="XMMC"),
    contract(
        _HERE, "T_SHENPIGUOCHENG", key=("YWLSH", "SPBZH"), case="YWLSH", order="SJBBH",
        decides="DQHJMC", text="SPYJ", moment="SPSJ",
    ),
    contract(_HERE, "T_BANJIE", **_CASE, text="BYXKYY"),
)  # fmt: skip


class ShenzhenXmlShape(XmlSystem):
    """One document a part, with rows of three tables."""

    name = "shenzhen_xml"
    root, stem = "DATA", "mirror"
    carries = frozenset({
        "item_code_bad", "phone_bad", "placeholder",
        "stage_order", "closed_before_accepted", "approve_without_review", "refusal_without_reason",
        "granted_without_credential",
        "unknown_code_deciding", "too_long", "missing_key", "unreadable_version", "unreadable_date", "orphan",
        "duplicate_changed", "older_version", "truncated_file", "hostile_input",
    })  # fmt: skip
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case from the answer to the application on, with one time a step and one decision."""
        if case.acceptance is None:
            return None
        known = replace(
            trim.without(case, "agent", "legal_person", "suspensions", "supplements", "deliveries", "links"),
            decisions=case.decisions[:1], certificates=case.certificates[:1],
            applied=case.acceptance.at or case.acceptance.answered,
            acceptance=replace(case.acceptance, due=None),
        )  # fmt: skip
        known = trim.one_time_a_stage(trim.immediate_unsigned(known))
        return trim.complete_event_from(trim.accept_event_from(known))

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the rows of a case."""
        given = case.acceptance
        assert given is not None  # noqa: S101  # `seen` lets only answered cases through
        yield _accepted(case, given)
        steps = [event for event in case.events if event.stage in _STEPS]
        for event in steps:
            yield _step(case, event)
        for decision in case.decisions:
            yield _closed(department, case, decision)

    def stamped(self, delivery: Delivery) -> Values:
        """Add the version."""
        return {**delivery.entry.values, "SJBBH": delivery.order or str(delivery.entry.version), "ISGET": "0"}

    def placed(self, department: Department, delivery: Delivery, day: int) -> Placed:
        """Say what was delivered; what breaks the XSD has no key that the hub could read."""
        done = super().placed(department, delivery, day)
        return replace(done, key=None) if "schema_violation" in done.rules else done


def _when(moment: datetime | date | None) -> str | None:
    return None if moment is None else str(moment)


def _entry(
    stream: str, role: str, case: Case, values: Values, version: int, at: datetime, faults: tuple[str, ...]
) -> Entry:
    row = {"YWLSH": case.number, "SPSXBH": case.item.implementation_code, **values}
    return Entry(stream, role, key_of(STREAMS[stream], row), case.number, row, version, at, faults)


def _accepted(case: Case, given: Acceptance) -> Entry:
    applicant, contact = case.applicant, case.contact
    unit = _UNIT.get(given.promise_unit)
    receipt = next((one.number for one in case.identifiers if one.scheme == "receipt"), None)
    values = {
        "SPSXMC": case.item.name, "GDBLSX": str(given.promise_value) if unit else None, "GDBLSXDW": unit,
        "XMMC": case.subject, "FSYWGXD": case.region, "SQDWHSQRXM": applicant.name,
        "SQDWJBRXM": contact.name if contact else None, "SQDWLXDH": applicant.phone,
        "SQDWJBRSJ": contact.phone if contact else None, "SLJGZZJGDM": case.organ.code, "SLJGMC": case.organ.name,
        "SLDWCBRXM": given.handler.name, "SLSJ": _when(given.at or given.answered), "HZBH": receipt,
        "SLZLQD": "；".join(material.name for material in case.materials) or None,
        "SLYF": "0" if given.outcome == "accepted" else "1", "BSLYY": given.reason, "TJFS": _WAY[case.channel],
        "DQHJMC": "受理",
    }  # fmt: skip
    faults = joined(
        case.faults, given.faults, party_faults(applicant, number=False, phone=contact is None),
        party_faults(contact, number=False),
    )  # fmt: skip
    at = max(case.reported_at, given.reported_at)
    return _entry("T_SHOULI", "case", case, values, case.version + given.version - 1, at, faults)


def _step(case: Case, event: Event) -> Entry:
    number = _STEPS.index(event.stage) + 2
    values = {
        "SPBZH": str(number), "SPRXM": event.handler.name, "SPRZWMC": event.handler.post, "SPYJ": event.opinion,
        "SPSJ": _when(event.finished), "DQHJMC": STAGE_NAMES[event.stage],
    }  # fmt: skip
    return _entry("T_SHENPIGUOCHENG", event.stage, case, values, event.version, event.reported_at, event.faults)


def _closed(department: Department, case: Case, decision: Decision) -> Entry:
    result, allowed = _RESULT[decision.outcome]
    made = next(iter(case.certificates), None) if decision.outcome == "granted" else None
    refused = decision.outcome == "refused"
    amount = next((fee.amount for fee in case.fees), "0.00")
    values = {
        "BJJGZZJGDM": case.organ.code, "BJJGMC": case.organ.name, "BJSJ": _when(decision.decided), "BJJG": result,
        "BLJGMS": decision.content, "ZFTHYY": None if refused else decision.reason,
        "ZJMC": made.type if made else None, "ZJBH": made.number if made else decision.document_number,
        "ZJYXQX": (_when(made.valid_to) or "2099-12-31") if made else None, "FZDW": department.name,
        "SFJE": amount, "JEDWDM": "CNY", "XKYF": allowed, "BYXKYY": decision.reason if refused else None,
        "DQHJMC": "办结",
    }  # fmt: skip
    version = decision.version + (made.version - 1 if made else 0)
    at = max(decision.reported_at, made.reported_at) if made else decision.reported_at
    return _entry("T_BANJIE", "decision", case, values, version, at, decision.faults)
