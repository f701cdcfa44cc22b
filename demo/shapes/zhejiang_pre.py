"""Zhejiang PRE tables (办件库) in PostgreSQL: one table a step, a version and a sync mark on each row.

Nine departments have one, each in a schema of its own; the meteorological one carries the rows of eleven cities.
The hub reads them with the profile `zhejiang-pre`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from demo.model import (
    Acceptance,
    Case,
    Certificate,
    Decision,
    Defect,
    Department,
    Event,
    Placed,
    Supplement,
    Suspension,
    UnitMark,
    Work,
)
from demo.shapes import trim
from demo.shapes.contracts import PROFILES, by_name, contract
from demo.shapes.cursors import CursorSystem
from demo.shapes.databases import PostgresTables, server_base
from demo.shapes.record import Entry, Values, joined, party_faults
from demo.shapes.system import Deletes, Delivery, Sink

_KIND = {"natural": "1", "enterprise": "2", "institution": "3", "social": "4", "individual_business": "7"}
_CARD = {"resident_id": "111", "credit_code": "001", "organisation_code": "099"}
_FROM = {"window": "1", "online": "2", "post": "3", "mobile": "4"}
_PHASE = {"accept": "ACCEPT", "undertake": "UNDERTAKE", "review": "REVIEW", "approve": "APPROVE"}
_SPECIAL = {
    "hearing": "T01", "inspection": "T04", "testing": "T05", "appraisal": "T07", "expert_review": "T08",
    "extension": "T10",
}  # fmt: skip
_RESULT = {"granted": "1", "refused": "2", "returned": "3", "withdrawn": "4", "completed": "7"}
_UNIT = {"calendar_day": "0", "working_day": "1", "month": "2"}


_HERE = PROFILES / "zhejiang-pre"
_OF_ROW: dict[str, Any] = {"key": ("UNID",), "case": "PROJID", "order": "DATAVERSION"}
_OF_CASE: dict[str, Any] = {"key": ("PROJID",), "case": "PROJID", "order": "DATAVERSION"}

STREAMS = by_name(
    contract(_HERE, "PRE_APASINFO", **_OF_CASE, other="APPLYFROM", text="PROJECTNAME", moment="RECEIVETIME"),
    contract(_HERE, "PRE_ACCEPT", **_OF_CASE, other="PROMISETYPE", text="HANDER_DEPTNAME", moment="PROMISE_ETIME"),
    contract(_HERE, "PRE_NODE", **_OF_ROW, decides="PHASE_CODE", text="OPINION", moment="END_TIME"),
    contract(_HERE, "PRE_ATTR", **_OF_ROW, text="ATTRNAME", moment="TAKETIME"),
    contract(
        _HERE, "PRE_TRANSACT", **_OF_ROW, decides="TRANSACT_RESULT", text="TRANSACT_DESCRIBE", moment="RESULTS_TIME"
    ),
    contract(_HERE, "PRE_APASINFO_EXT", **_OF_ROW, hangs=False, text="RESULT_CETR_NAME"),
)


def _when(moment: datetime | date | None) -> str | None:
    return None if moment is None else str(moment)


class ZhejiangPreShape(CursorSystem):
    """PRE_* tables, in a schema of the departments' server."""

    name = "zhejiang_pre"
    carries = frozenset({
        "credit_code_check", "resident_id_check", "organisation_code_check", "item_code_bad", "phone_bad",
        "placeholder", "future_date", "ended_before_started",
        "stage_order", "closed_before_accepted", "approve_without_review", "pause_end_without_start",
        "pause_not_ended", "due_before_acceptance", "accepted_before_applied", "time_shifted", "batch_entered",
        "refusal_without_reason", "extension_without_approver", "granted_without_credential", "closed_twice",
        "unknown_code_deciding", "unknown_code_other", "too_long", "missing_key", "unreadable_version",
        "unreadable_date", "orphan", "duplicate_changed", "older_version", "field_added", "field_removed",
    })  # fmt: skip
    deletes: Deletes = "case"
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case without what has no table here; a refusal at the door is not sent in this format."""
        if case.acceptance is not None and case.acceptance.outcome != "accepted":
            case = trim.without(case, "acceptance")
        known = trim.without(case, "agent", "fees", "deliveries")
        return trim.complete_event_from(known)

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the rows of a case."""
        yield _application(department, case)
        if case.acceptance is not None:
            yield _acceptance(department, case, case.acceptance)
        for event in case.events:
            if event.stage != "complete":
                yield _node(department, case, event)
        for pause in case.suspensions:
            yield _pause(department, case, pause)
        for asked in case.supplements:
            yield _supplement(department, case, asked)
        for index, material in enumerate(case.materials, 1):
            values = {
                "UNID": material.id, "PROJID": case.number, "ATTRNAME": material.name, "ATTRID": material.code,
                "SORTID": str(index), "TAKETYPE": material.obtained, "ISTAKE": "1", "AMOUNT": str(material.copies),
                "TAKETIME": _when(material.taken), "AREACODE": case.region,
            }  # fmt: skip
            yield _entry("PRE_ATTR", "material", case, values, material.version, material.reported_at, material.faults)
        for decision in case.decisions:
            yield _closing(department, case, decision)
        for certificate in case.certificates:
            yield _extension(case, certificate)

    def stamped(self, delivery: Delivery) -> Values:
        """Add version, sync mark and the time at which the row was written."""
        entry = delivery.entry
        return {
            **entry.values, "DATAVERSION": delivery.order or str(entry.version), "SYNC_STATUS": delivery.operation,
            "CREATE_TIME": entry.at,
        }  # fmt: skip

    def sink(self, department: Department, work: Work, home: Path, day: int) -> AbstractContextManager[Sink]:  # noqa: ARG002  # a shape with tables needs no folder
        """Open the department's schema."""
        return PostgresTables(
            server_base(home), department.code, STREAMS, {"CREATE_TIME": "timestamp(0)"}, fresh=day == 1
        )

    def spoiled_units(
        self, department: Department, work: Work, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Change the tables overnight, as a vendor's update does."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        changes = {
            "field_added": ("PRE_NODE", "ADD COLUMN risk_level varchar DEFAULT '0'", "unknown_field"),
            "field_removed": ("PRE_NODE", "DROP COLUMN remark", "missing_field"),
        }
        for kind in changes.keys() & plans.keys():
            stream, statement, rule = changes[kind]
            if not dry:
                with PostgresTables(server_base(home), department.code, {}, {}, fresh=False) as tables:
                    tables.change(stream, statement)
            yield UnitMark(department.code, stream, None, day, rule, kind)


def _entry(
    stream: str, role: str, case: Case, values: Values, version: int, at: datetime, faults: tuple[str, ...]
) -> Entry:
    key = values["PROJID"] if role in ("case", "acceptance") else values["UNID"]
    return Entry(stream, role, key, case.number, values, version, at, faults)


def _application(department: Department, case: Case) -> Entry:
    applicant, contact, legal = case.applicant, case.contact, case.legal_person
    links = {link.kind: link.other_number for link in case.links}
    values = {
        "PROJID": case.number, "SERVICECODE": case.item.implementation_code, "SERVICEVERSION": str(case.item.version),
        "SERVICENAME": case.item.name, "PROJECTNAME": case.subject,
        "INFOTYPE": "1" if case.kind == "immediate" else "2",
        "BUS_TYPE": "1" if "parallel" in links else None, "REL_BUS_ID": links.get("parallel"),
        "BELONGTO": links.get("same_project"),
        "APPLYNAME": applicant.name, "APPLY_CARDTYPE": _CARD[applicant.number_kind],
        "APPLY_CARDNUMBER": applicant.number, "APPLY_TYPE": _KIND[applicant.kind],
        "TELPHONE": applicant.phone, "ADDRESS": applicant.address,
        "CONTACTMAN": contact.name if contact else None,
        "CONTACTMAN_CARDTYPE": _CARD[contact.number_kind] if contact else None,
        "CONTACTMAN_CARDNUMBER": contact.number if contact else None,
        "LEGALMAN": legal.name if legal else None,
        "DEPTID": department.organ, "DEPTNAME": department.name, "SS_ORGCODE": case.organ.code,
        "APPLYFROM": _FROM[case.channel], "BUS_MODE": "1" if case.entry_mode == "live" else "2",
        "IS_MANUBRIUM": "1" if len(department.serves) > 1 else "0", "RECEIVETIME": _when(case.applied),
        "DATASTATE": "1", "AREACODE": case.region,
    }  # fmt: skip
    faults = joined(
        case.faults, party_faults(applicant), party_faults(contact, phone=False),
        party_faults(legal, phone=False, number=False),
    )  # fmt: skip
    return _entry("PRE_APASINFO", "case", case, values, case.version, case.reported_at, faults)


def _acceptance(department: Department, case: Case, given: Acceptance) -> Entry:
    values = {
        "PROJID": case.number, "ACCEPT_MAN": given.handler.name, "ACCEPT_TIME": _when(given.at),
        "PROMISEVALUE": str(given.promise_value), "PROMISETYPE": _UNIT[given.promise_unit],
        "PROMISE_ETIME": _when(given.due), "HANDER_DEPTNAME": given.handler.unit, "HANDER_DEPTID": case.organ.code,
        "DOCUMENT_CODE": given.document_number or None, "AREACODE": case.region,
    }  # fmt: skip
    del department
    return _entry("PRE_ACCEPT", "acceptance", case, values, given.version, given.reported_at, given.faults)


def _node(department: Department, case: Case, event: Event) -> Entry:
    del department
    values = {
        "UNID": event.id, "PROJID": case.number, "ACTION": "1" if event.outcome == "passed" else "2",
        "NODE_NAME": event.node, "NAME": event.handler.name, "OPINION": event.opinion or None,
        "START_TIME": _when(event.started), "END_TIME": _when(event.finished), "HANDER_DEPTNAME": event.handler.unit,
        "HANDER_DEPTID": case.organ.code, "PHASE_CODE": _PHASE[event.stage], "AREACODE": case.region,
        "REMARK": None,
    }  # fmt: skip
    return _entry("PRE_NODE", event.stage, case, values, event.version, event.reported_at, event.faults)


def _pause(department: Department, case: Case, pause: Suspension) -> Entry:
    del department
    values = {
        "UNID": pause.id, "PROJID": case.number, "ACTION": _SPECIAL[pause.kind], "NODE_NAME": pause.name,
        "NAME": pause.approver.name if pause.approver else None, "OPINION": pause.reason,
        "START_TIME": _when(pause.started), "END_TIME": _when(pause.ended), "HANDER_DEPTID": case.organ.code,
        "AREACODE": case.region,
    }  # fmt: skip
    at = pause.ended_reported_at or pause.reported_at
    return _entry("PRE_NODE", "suspension", case, values, pause.version, at, pause.faults)


def _supplement(department: Department, case: Case, asked: Supplement) -> Entry:
    del department
    values = {
        "UNID": asked.id, "PROJID": case.number, "ACTION": "B1", "NODE_NAME": "补正告知", "NAME": asked.handler.name,
        "OPINION": asked.reason, "START_TIME": _when(asked.told), "END_TIME": _when(asked.received),
        "HANDER_DEPTNAME": asked.handler.unit, "HANDER_DEPTID": case.organ.code, "AREACODE": case.region,
    }  # fmt: skip
    return _entry("PRE_NODE", "supplement", case, values, asked.version, asked.reported_at, asked.faults)


def _closing(department: Department, case: Case, decision: Decision) -> Entry:
    del department
    values = {
        "UNID": decision.id, "PROJID": case.number, "TRANSACT_USER": decision.handler.name,
        "TRANSACT_TIME": _when(decision.decided), "TRANSACT_DESCRIBE": decision.reason,
        "TRANSACT_RESULT": _RESULT[decision.outcome], "RESULT_CODE": decision.document_number,
        "RESULTS_TIME": _when(decision.decided), "HANDER_DEPTNAME": decision.handler.unit,
        "HANDER_DEPTID": case.organ.code, "AREACODE": case.region,
    }  # fmt: skip
    return _entry("PRE_TRANSACT", "decision", case, values, decision.version, decision.reported_at, decision.faults)


def _extension(case: Case, certificate: Certificate) -> Entry:
    values = {
        "UNID": certificate.id, "PROJID": case.number, "CATALOG_CODE": case.item.base_code,
        "TASK_CODE": case.item.implementation_code, "RESULT_CETR_NAME": certificate.type,
        "RESULT_CETR_CODE": certificate.number,  "AREACODE": case.region,
    }  # fmt: skip
    faults = tuple(fault for fault in case.faults if fault == "item_code_invalid")
    return _entry("PRE_APASINFO_EXT", "certificate", case, values, certificate.version, certificate.reported_at, faults)
