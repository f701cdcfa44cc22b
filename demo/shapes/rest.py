"""A REST service with nested JSON; it really runs on HTTP (`demo.services.rest`).

Two other departments tell the same records in other ways. What it serves lies in the store of the department's folder
(`demo.shapes.store`). The source folder is `hall-rest-service`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from demo.model import (
    Case,
    Certificate,
    Decision,
    Defect,
    Department,
    Event,
    Party,
    Placed,
    Supplement,
    Suspension,
    UnitMark,
    Work,
)
from demo.shapes import trim
from demo.shapes.contracts import SOURCES, by_name, contract
from demo.shapes.layout import department_folder
from demo.shapes.record import Entry, Values, joined, party_faults
from demo.shapes.store import STORE, RecordStore, milliseconds
from demo.shapes.system import Deletes, Delivery, Sink, System

_KIND = {
    "natural": "PERSON",
    "enterprise": "COMPANY",
    "institution": "INSTITUTION",
    "social": "SOCIETY",
    "individual_business": "TRADER",
}
_CARD = {"resident_id": "RESIDENT", "credit_code": "USCC", "organisation_code": "ORG"}
_WAY = {"window": "WINDOW", "online": "WEB", "post": "POST", "mobile": "APP"}
_STAGE = {"accept": "S1", "undertake": "S2", "review": "S3", "approve": "S4", "complete": "S5"}
_UNIT = {"working_day": "WD", "calendar_day": "CD", "month": "M"}
_PAUSE = {
    "hearing": "HEARING",
    "testing": "TESTING",
    "inspection": "INSPECTION",
    "appraisal": "APPRAISAL",
    "expert_review": "REVIEW",
    "extension": "EXTENSION",
}
_FETCH = {"window": "WINDOW", "post": "POST", "online": "WEB"}

_HERE = SOURCES / "hall-rest-service"
_ROW: dict[str, Any] = {"key": ("id",), "case": "applicationId", "order": "revision"}
STREAMS = by_name(
    contract(
        _HERE, "applications", key=("id",), case="id", order="revision",
        decides="acceptance/outcome", other="channel", text="subject", moment="acceptance/dueAt",
    ),
    contract(_HERE, "steps", **_ROW, decides="stage", other="outcome", text="opinion", required="node"),
    contract(_HERE, "pauses", **_ROW, other="kind", text="reason"),
    contract(_HERE, "supplements", **_ROW, text="materials"),
    contract(_HERE, "decisions", **_ROW, decides="outcome", text="reason"),
    contract(_HERE, "certificates", **_ROW, hangs=False, decides="status", text="type"),
)  # fmt: skip


class RestShape(System):
    """Records of a service, kept where `demo.services.rest` finds them."""

    name = "rest"
    carries = frozenset({
        "credit_code_check", "resident_id_check", "organisation_code_check", "certificate_id_check", "item_code_bad",
        "phone_bad", "placeholder", "future_date", "ended_before_started", "validity_reversed", "minute_habit",
        "stage_order", "closed_before_accepted", "approve_without_review", "pause_end_without_start",
        "pause_not_ended", "due_before_acceptance", "accepted_before_applied", "time_shifted", "batch_entered",
        "refusal_without_reason", "extension_without_approver", "granted_without_credential", "closed_twice",
        "unknown_code_deciding", "unknown_code_other", "required_missing", "too_long", "missing_key",
        "unreadable_version", "unreadable_date", "orphan", "duplicate_changed", "older_version",
        "field_added",
    })  # fmt: skip
    deletes: Deletes = "case"
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case without what has no endpoint."""
        return trim.without(case, "contact", "legal_person", "materials", "fees")

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the records of a case."""
        del department
        yield _application(case)
        for event in case.events:
            yield _step(case, event)
        for pause in case.suspensions:
            yield _pause(case, pause)
        for asked in case.supplements:
            yield _supplement(case, asked)
        for index, decision in enumerate(case.decisions):
            yield _decision(case, decision, first=index == 0)
        for certificate in case.certificates:
            yield _certificate(case, certificate)

    def stamped(self, delivery: Delivery) -> Values:
        """Build the JSON object, with revision, time and mark of deletion."""
        entry = delivery.entry
        flat = {
            **dict.fromkeys(self.streams[entry.stream].fields), **entry.values,
            "revision": delivery.order or entry.version, "updatedAt": milliseconds(entry.at),
            "deleted": delivery.operation == "D",
        }  # fmt: skip
        return _nested(flat)

    def store(self, department: Department, home: Path, day: int, *, added: bool) -> AbstractContextManager[Sink]:
        """Open the store of the department's service."""
        more = {"steps": {"riskLevel": "LOW"}} if added else {}
        return RecordStore(department_folder(home, department.code) / STORE, fresh=day == 1, more=more)

    def write(
        self, department: Department, work: Work, home: Path, day: int, *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Write the day's records into the store, and yield each with its expectation."""
        plans = {plan.kind: plan for plan in work.plans(department.code, day)}
        if dry:
            for delivery in self.deliveries(department, work, day):
                yield self.placed(department, delivery, day)
        else:
            with self.store(department, home, day, added="field_added" in plans) as sink:
                for delivery in self.deliveries(department, work, day):
                    sink.put(delivery.entry, self.stamped(delivery))
                    yield self.placed(department, delivery, day)
        yield from self.spoiled_units(department, work, home, day, plans, dry=dry)

    def spoiled_units(
        self, department: Department, work: Work, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Name the finding of the member that a new release of the service added to its steps."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if "field_added" in plans:
            yield UnitMark(department.code, "steps", None, day, "unknown_field", "field_added")


def _nested(flat: Values) -> Values:
    """Build an object of fields named by paths; an object whose members all are empty is null."""
    built: Values = {}
    for path, value in flat.items():
        *above, name = path.split("/")
        here = built
        for step in above:
            here = here.setdefault(step, {})
        here[name] = value
    return {name: _or_null(value) for name, value in built.items()}


def _or_null(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _or_null(one) for name, one in value.items()}
    return inner if any(one is not None for one in inner.values()) else None


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _entry(
    stream: str, role: str, case: Case, values: Values, version: int, at: datetime, faults: tuple[str, ...]
) -> Entry:
    return Entry(stream, role, values["id"], case.number, values, version, at, faults)


def _person(prefix: str, party: Party | None) -> Values:
    if party is None:
        return {}
    return {
        f"{prefix}/name": party.name, f"{prefix}/idType": _CARD[party.number_kind], f"{prefix}/idNumber": party.number,
        f"{prefix}/mobile": party.phone,
    }  # fmt: skip


def _application(case: Case) -> Entry:
    applicant, given = case.applicant, case.acceptance
    numbers = {one.scheme: one.number for one in case.identifiers}
    values: Values = {
        "id": case.number, "nationalNo": numbers.get("national"),
        "relatedTo": next((link.other_number for link in case.links if link.kind == "same_project"), None),
        "item/code": case.item.implementation_code, "item/name": case.item.name, "item/version": case.item.version,
        "kind": "INSTANT" if case.kind == "immediate" else "PROMISED", "channel": _WAY[case.channel],
        "appliedAt": milliseconds(case.applied), "subject": case.subject, "applicant/kind": _KIND[applicant.kind],
        "applicant/address": applicant.address, **_person("applicant", applicant), **_person("agent", case.agent),
    }  # fmt: skip
    faults = joined(case.faults, party_faults(applicant), party_faults(case.agent))
    version, at = case.version, case.reported_at
    if given is not None:
        values |= {
            "acceptance/outcome": "ACCEPTED" if given.outcome == "accepted" else "REJECTED",
            "acceptance/at": milliseconds(given.at), "acceptance/dueAt": milliseconds(given.due),
            "acceptance/reason": given.reason, "acceptance/clerk": given.handler.name,
            "acceptance/promise/value": given.promise_value, "acceptance/promise/unit": _UNIT[given.promise_unit],
        }  # fmt: skip
        faults, version, at = joined(faults, given.faults), version + given.version, max(at, given.reported_at)
    return _entry("applications", "case", case, values, version, at, faults)


def _step(case: Case, event: Event) -> Entry:
    values = {
        "id": event.id, "applicationId": case.number, "stage": _STAGE[event.stage], "node": event.node,
        "officer/name": event.handler.name, "officer/post": event.handler.post, "officer/unit": event.handler.unit,
        "startedAt": milliseconds(event.started), "finishedAt": milliseconds(event.finished),
        "outcome": "PASS" if event.outcome == "passed" else "BACK", "opinion": event.opinion,
    }  # fmt: skip
    return _entry("steps", event.stage, case, values, event.version, event.reported_at, event.faults)


def _pause(case: Case, pause: Suspension) -> Entry:
    values = {
        "id": pause.id, "applicationId": case.number, "kind": _PAUSE[pause.kind], "reason": pause.reason,
        "approvedBy": pause.approver.name if pause.approver else None, "startedAt": milliseconds(pause.started),
        "endedAt": milliseconds(pause.ended),
    }  # fmt: skip
    at = pause.ended_reported_at or pause.reported_at
    return _entry("pauses", "suspension", case, values, pause.version, at, pause.faults)


def _supplement(case: Case, asked: Supplement) -> Entry:
    values = {
        "id": asked.id, "applicationId": case.number, "toldAt": milliseconds(asked.told),
        "receivedAt": milliseconds(asked.received), "materials": asked.materials, "reason": asked.reason,
        "officer": asked.handler.name,
    }  # fmt: skip
    return _entry("supplements", "supplement", case, values, asked.version, asked.reported_at, asked.faults)


def _decision(case: Case, decision: Decision, *, first: bool) -> Entry:
    handed = next(iter(case.deliveries), None) if first else None
    values: Values = {
        "id": decision.id, "applicationId": case.number, "outcome": decision.outcome.upper(),
        "documentNo": decision.document_number, "decidedAt": milliseconds(decision.decided), "reason": decision.reason,
        "signedBy": decision.handler.name,
    }  # fmt: skip
    version, at = decision.version, decision.reported_at
    if handed is not None:
        values |= {
            "delivery/way": _FETCH[handed.way], "delivery/at": milliseconds(handed.delivered),
            "delivery/receiver": handed.receiver,
        }  # fmt: skip
        version, at = version + handed.version, max(at, handed.reported_at)
    entry = _entry("decisions", "decision", case, values, version, at, decision.faults)
    return replace(entry, hangs=handed is not None)  # a decision needs no case, a delivery does


def _certificate(case: Case, made: Certificate) -> Entry:
    status, holder = made.statuses[-1], made.holder
    values = {
        "id": made.id, "applicationId": case.number, "type": made.type, "number": made.number,
        "identifier": made.identifier, "documentNo": made.document_number, "holder/name": holder.name,
        "holder/idType": _CARD[holder.number_kind], "holder/idNumber": holder.number,
        "validFrom": _day(made.valid_from), "validTo": _day(made.valid_to) or "2099-12-31",
        "issuedAt": milliseconds(made.issued), "replaces": made.predecessor, "status": status.status.upper(),
        "statusSince": milliseconds(status.since),
    }  # fmt: skip
    faults = joined(made.faults, party_faults(holder, phone=False))
    at = max(made.reported_at, status.reported_at)
    return _entry("certificates", "certificate", case, values, made.version, at, faults)
