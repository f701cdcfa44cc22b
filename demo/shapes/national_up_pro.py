"""National report tables (up_pro_*, up_lic_data) in a SQLite file: six departments have one.

The time of the last change is the only version, application and acceptance stand in one row, and what is not accepted
is not in it. The hub reads them with the profile `national-up-pro`.
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
    Suspension,
    UnitMark,
    Work,
)
from demo.shapes import trim
from demo.shapes.contracts import PROFILES, by_name, contract
from demo.shapes.cursors import CursorSystem
from demo.shapes.databases import SqliteTables
from demo.shapes.layout import department_folder
from demo.shapes.record import Entry, Values, joined, party_faults
from demo.shapes.system import Deletes, Delivery, Sink

_KIND = {"natural": "1", "enterprise": "2", "institution": "3", "social": "4", "individual_business": "7"}
_CARD = {"resident_id": "111", "credit_code": "001", "organisation_code": "099"}
_APPLY = {"window": "1", "online": "2", "post": "3", "mobile": "4"}
_SPECIAL = {
    "hearing": "1",
    "inspection": "4",
    "testing": "5",
    "appraisal": "7",
    "expert_review": "8",
    "extension": "10",
}
_RESULT = {"granted": "1", "refused": "2", "withdrawn": "3", "returned": "4", "completed": "7"}
_GET = {"paper": "1", "upload": "2", "certificate": "3"}
_STATUS = {"valid": "01", "suspended": "02", "revoked": "03", "cancelled": "04"}

_HERE = PROFILES / "national-up-pro"
_OF_ROW: dict[str, Any] = {"key": ("row_guid",), "case": "project_no", "order": "cd_time"}
STREAMS = by_name(
    contract(_HERE, "up_pro_accept", **_OF_ROW, other="apply_type", text="org_name", moment="promise_date"),
    contract(_HERE, "up_pro_process", **_OF_ROW, other="event_name", text="handle_explain", moment="event_end_time"),
    contract(_HERE, "up_pro_special_procedure", **_OF_ROW, other="special_type", text="special_reason"),
    contract(_HERE, "up_pro_material", **_OF_ROW, other="get_type", text="material_name"),
    contract(_HERE, "up_pro_result", **_OF_ROW, decides="result_type", text="result_explain"),
    contract(_HERE, "up_lic_data_ext", **_OF_ROW, hangs=False, decides="certificate_status", text="certificate_name"),
)


class NationalUpProShape(CursorSystem):
    """up_pro_* tables in `up_pro.sqlite` of the department's folder."""

    name = "national_up_pro"
    carries = frozenset({
        "credit_code_check", "resident_id_check", "organisation_code_check", "certificate_id_check", "item_code_bad",
        "placeholder", "future_date", "ended_before_started", "validity_reversed",
        "stage_order", "closed_before_accepted", "pause_end_without_start", "pause_not_ended",
        "due_before_acceptance", "accepted_before_applied", "time_shifted", "batch_entered", "refusal_without_reason",
        "extension_without_approver", "granted_without_credential", "closed_twice",
        "unknown_code_deciding", "unknown_code_other", "too_long", "missing_key", "unreadable_date", "orphan",
        "field_added",
    })  # fmt: skip
    deletes: Deletes = "case"
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case from its acceptance on; before that, and where it is refused, nothing of it is sent."""
        if case.acceptance is None or case.acceptance.outcome != "accepted":
            return None
        known = trim.without(case, "agent", "fees", "supplements", "links", "identifiers")
        return trim.complete_event_from(trim.accept_event_from(known))

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the rows of a case."""
        given = case.acceptance
        assert given is not None  # noqa: S101  # `seen` lets only accepted cases through
        yield _accept(case, given)
        for event in case.events:
            if event.stage not in ("accept", "complete"):
                yield _process(case, event)
        for pause in case.suspensions:
            yield _special(case, pause)
        for material in case.materials:
            values = {
                "row_guid": material.id, "project_no": case.number, "material_name": material.name,
                "get_type": _GET[material.obtained], "get_num": str(material.copies),
            }  # fmt: skip
            yield _entry("up_pro_material", "material", case, values, material.reported_at, material.faults)
        for decision in case.decisions:
            yield _result(case, decision)
        for certificate in case.certificates:
            yield _licence(department, case, certificate)

    def stamped(self, delivery: Delivery) -> Values:
        """Add operation and time of the last change."""
        at = str(delivery.entry.at)
        return {
            **delivery.entry.values,
            "cd_operation": delivery.operation,
            "cd_time": at,
            "cd_batch": at[:10],
            "data_source": "1",
        }

    def sink(self, department: Department, work: Work, home: Path, day: int) -> AbstractContextManager[Sink]:
        """Open the department's file."""
        del work
        return SqliteTables(department_folder(home, department.code) / "up_pro.sqlite", STREAMS, fresh=day == 1)

    def spoiled_units(
        self, department: Department, work: Work, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Change a table overnight, as a vendor's update does."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if "field_added" in plans:
            if not dry:
                file = department_folder(home, department.code) / "up_pro.sqlite"
                with SqliteTables(file, {}, fresh=False) as tables:
                    tables.change("up_pro_process", "ADD COLUMN risk_level TEXT DEFAULT '0'")
            yield UnitMark(department.code, "up_pro_process", None, day, "unknown_field", "field_added")


def _when(moment: datetime | date | None) -> str | None:
    return None if moment is None else str(moment)


def _entry(stream: str, role: str, case: Case, values: Values, at: datetime, faults: tuple[str, ...]) -> Entry:
    return Entry(stream, role, values["row_guid"], case.number, values, 1, at, faults)


def _accept(case: Case, given: Acceptance) -> Entry:
    applicant, contact, legal = case.applicant, case.contact, case.legal_person
    values = {
        "row_guid": given.id, "project_no": case.number, "catalog_code": case.item.base_code,
        "task_code": case.item.implementation_code, "task_name": case.item.name,
        "task_version": str(case.item.version), "project_name": case.subject,
        "project_type": "1" if case.kind == "immediate" else "2",
        "applyer_name": applicant.name, "applyer_type": _KIND[applicant.kind],
        "applyer_page_type": _CARD[applicant.number_kind], "applyer_page_code": applicant.number,
        "legal": legal.name if legal else None, "contact_name": contact.name if contact else None,
        "contact_type": _CARD[contact.number_kind] if contact else None,
        "contact_code": contact.number if contact else None, "contact_mobile": contact.phone if contact else None,
        "address": applicant.address, "apply_date": _when(case.applied), "apply_type": _APPLY[case.channel],
        "org_code": case.organ.code, "org_name": case.organ.name, "handle_user_name": given.handler.name,
        "accept_date": _when(given.at), "accept_doc_no": given.document_number or None,
        "promise_date": _when(given.due),
    }  # fmt: skip
    faults = joined(
        case.faults, given.faults, party_faults(applicant, phone=False), party_faults(contact),
        party_faults(legal, phone=False, number=False),
    )  # fmt: skip
    return _entry("up_pro_accept", "case", case, values, max(case.reported_at, given.reported_at), faults)


def _process(case: Case, event: Event) -> Entry:
    values = {
        "row_guid": event.id, "project_no": case.number, "process_name": event.node,
        "event_name": "1" if event.outcome == "passed" else "2", "handle_user_name": event.handler.name,
        "handle_explain": event.opinion, "event_start_time": _when(event.started),
        "event_end_time": _when(event.finished),
    }  # fmt: skip
    return _entry("up_pro_process", event.stage, case, values, event.reported_at, event.faults)


def _special(case: Case, pause: Suspension) -> Entry:
    values = {
        "row_guid": pause.id, "project_no": case.number, "special_type": _SPECIAL[pause.kind],
        "special_name": pause.name, "special_time": _when(pause.started), "special_reason": pause.reason,
        "end_time": _when(pause.ended), "result": pause.result if pause.ended else None,
        "handle_user": pause.approver.name if pause.approver else None,
    }  # fmt: skip
    at = pause.ended_reported_at or pause.reported_at
    return _entry("up_pro_special_procedure", "suspension", case, values, at, pause.faults)


def _result(case: Case, decision: Decision) -> Entry:
    posted = any(delivery.way == "post" for delivery in case.deliveries)
    values = {
        "row_guid": decision.id, "project_no": case.number, "handle_user_name": decision.handler.name,
        "result_date": _when(decision.decided), "result_type": _RESULT[decision.outcome],
        "result_explain": decision.reason, "result_cetr_name": decision.document_name,
        "result_cetr_no": decision.document_number, "is_delivery_results": "1" if posted else "0",
    }  # fmt: skip
    at = max(decision.reported_at, *(one.reported_at for one in case.deliveries), decision.reported_at)
    return _entry("up_pro_result", "decision", case, values, at, decision.faults)


def _licence(department: Department, case: Case, certificate: Certificate) -> Entry:
    del department
    status = certificate.statuses[-1]
    values = {
        "row_guid": certificate.id, "certificate_name": certificate.type, "certificate_number": certificate.number,
        "certificate_source_id": certificate.identifier, "certificate_type": certificate.type,
        "certificate_holder": certificate.holder.name, "certificate_holder_code": certificate.holder.number,
        "certificate_holder_type": _CARD[certificate.holder.number_kind], "certificate_area_code": case.region,
        "issue_dept": case.organ.name, "issue_dept_code": case.organ.code, "issue_date": _when(certificate.issued),
        "certificate_effective_date": _when(certificate.valid_from),
        "certificate_expiring_date": _when(certificate.valid_to) or "2099-12-31",
        "certificate_status": _STATUS[status.status], "certificate_status_time": _when(status.since),
        "pre_certificate_number": certificate.predecessor, "project_no": case.number,
        "task_code": case.item.implementation_code,
    }  # fmt: skip
    faults = joined(
        certificate.faults, party_faults(certificate.holder, phone=False),
        (fault for fault in case.faults if fault == "item_code_invalid"),
    )  # fmt: skip
    at = max(certificate.reported_at, status.reported_at)
    return _entry("up_lic_data_ext", "certificate", case, values, at, faults)
