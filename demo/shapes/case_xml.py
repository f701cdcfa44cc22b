"""Case messages in XML after the model of another province's hall: two departments send one document a night.

The source folder is `case-xml-mail`; an operation mark and a version stand on each message, and case.xsd judges the
document before it is read, so that a text too long for its element makes the message unreadable, key and all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from demo.model import Case, Certificate, Decision, Department, Event, Placed, Suspension
from demo.shapes import trim
from demo.shapes.contracts import SOURCES, by_name, contract
from demo.shapes.record import Entry, Values, joined, party_faults
from demo.shapes.system import Deletes, Delivery
from demo.shapes.xml_files import XmlSystem

_KIND = {"natural": "0", "enterprise": "1", "institution": "2", "social": "3", "individual_business": "5"}
_CARD = {"resident_id": "SF", "credit_code": "XYDM", "organisation_code": "JGDM"}
_FROM = {"window": "1", "online": "2", "post": "3", "mobile": "4"}
_PHASE = {"accept": "SL", "undertake": "CB", "review": "SH", "approve": "PZ", "complete": "BJ"}
_PAUSE = {
    "hearing": "TZ",
    "testing": "JC",
    "inspection": "JY",
    "appraisal": "JD",
    "expert_review": "PS",
    "extension": "YQ",
}
_RESULT = {"granted": "Y", "refused": "N", "returned": "E3", "withdrawn": "E1", "completed": "E6"}
_STATUS = {"valid": "01", "suspended": "02", "revoked": "03", "cancelled": "04"}

_HERE = SOURCES / "case-xml-mail"
_ROW: dict[str, Any] = {"key": ("Unid",), "case": "ProjId", "order": "Version"}
STREAMS = by_name(
    contract(
        _HERE, "ApasInfo", key=("ProjId",), case="ProjId", order="Version",
        decides="AcceptState", other="ApplyFrom", text="ProjectName", moment="PromiseEtime",
    ),
    contract(_HERE, "Process", **_ROW, decides="Phase", other="Action", text="Opinion", moment="EndTime"),
    contract(_HERE, "Pause", **_ROW, other="Kind", text="Reason"),
    contract(_HERE, "Result", **_ROW, hangs=False, decides="State", text="Reason"),
    contract(_HERE, "Licence", **_ROW, hangs=False, decides="Status", text="xkName", moment="statusTime"),
)  # fmt: skip


class CaseXmlShape(XmlSystem):
    """One document a part, with messages of five kinds."""

    name = "case_xml"
    root, stem = "Cases", "case"
    carries = frozenset({
        "credit_code_check", "resident_id_check", "organisation_code_check", "certificate_id_check", "item_code_bad",
        "phone_bad", "placeholder", "future_date", "ended_before_started", "validity_reversed",
        "stage_order", "closed_before_accepted", "approve_without_review", "pause_end_without_start",
        "pause_not_ended", "due_before_acceptance", "accepted_before_applied", "time_shifted", "batch_entered",
        "refusal_without_reason", "extension_without_approver", "granted_without_credential", "closed_twice",
        "unknown_code_deciding", "unknown_code_other", "too_long", "missing_key", "unreadable_version",
        "unreadable_date", "orphan", "duplicate_changed", "older_version", "truncated_file", "hostile_input",
    })  # fmt: skip
    deletes: Deletes = "case"
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case without what has no message here."""
        return trim.without(
            case, "agent", "contact", "legal_person", "supplements", "materials", "fees", "deliveries", "links",
            "identifiers",
        )  # fmt: skip

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the messages of a case."""
        del department
        yield _application(case)
        for event in case.events:
            yield _process(case, event)
        for pause in case.suspensions:
            yield _pause(case, pause)
        for decision in case.decisions:
            yield _result(case, decision)
        for certificate in case.certificates:
            yield _licence(case, certificate)

    def stamped(self, delivery: Delivery) -> Values:
        """Add version, operation and time."""
        entry = delivery.entry
        return {
            **entry.values, "Version": delivery.order or str(entry.version), "CreateTime": str(entry.at),
            "Operation": delivery.operation,
        }  # fmt: skip

    def placed(self, department: Department, delivery: Delivery, day: int) -> Placed:
        """Say what was delivered; what breaks the XSD has no key that the hub could read."""
        done = super().placed(department, delivery, day)
        return replace(done, key=None) if "schema_violation" in done.rules else done


def _when(moment: datetime | date | None) -> str | None:
    return None if moment is None else str(moment)


def _entry(
    stream: str, role: str, case: Case, values: Values, version: int, at: datetime, faults: tuple[str, ...]
) -> Entry:
    key = values["ProjId"] if role == "case" else values["Unid"]
    return Entry(stream, role, key, case.number, values, version, at, faults)


def _application(case: Case) -> Entry:
    applicant, given = case.applicant, case.acceptance
    values: Values = {
        "ProjId": case.number, "ServiceCode": case.item.implementation_code, "ServiceName": case.item.name,
        "ProjectName": case.subject, "InfoType": "1" if case.kind == "immediate" else "2",
        "ApplyFrom": _FROM[case.channel], "ApplyTime": _when(case.applied),
        "Proposer/ApplyType": _KIND[applicant.kind], "Proposer/Name": applicant.name,
        "Proposer/CardType": _CARD[applicant.number_kind], "Proposer/CardNumber": applicant.number,
        "Proposer/Mobile": applicant.phone, "Proposer/Address": applicant.address,
    }  # fmt: skip
    faults, version, at = joined(case.faults, party_faults(applicant)), case.version, case.reported_at
    if given is not None:
        values |= {
            "AcceptState": "Y" if given.outcome == "accepted" else "N", "AcceptTime": _when(given.at),
            "PromiseEtime": _when(given.due), "AcceptMan": given.handler.name, "RefuseReason": given.reason,
        }  # fmt: skip
        faults, version, at = joined(faults, given.faults), version + given.version, max(at, given.reported_at)
    return _entry("ApasInfo", "case", case, values, version, at, faults)


def _process(case: Case, event: Event) -> Entry:
    values = {
        "Unid": event.id, "ProjId": case.number, "NodeName": event.node, "Phase": _PHASE[event.stage],
        "UserName": event.handler.name, "Post": event.handler.post, "StartTime": _when(event.started),
        "EndTime": _when(event.finished), "Action": "Y" if event.outcome == "passed" else "N",
        "Opinion": event.opinion,
    }  # fmt: skip
    return _entry("Process", event.stage, case, values, event.version, event.reported_at, event.faults)


def _pause(case: Case, pause: Suspension) -> Entry:
    values = {
        "Unid": pause.id, "ProjId": case.number, "sType": "2", "Kind": _PAUSE[pause.kind], "Reason": pause.reason,
        "Approver": pause.approver.name if pause.approver else None, "BeginTime": _when(pause.started),
        "EndTime": _when(pause.ended),
    }  # fmt: skip
    at = pause.ended_reported_at or pause.reported_at
    return _entry("Pause", "suspension", case, values, pause.version, at, pause.faults)


def _result(case: Case, decision: Decision) -> Entry:
    values = {
        "Unid": decision.id, "ProjId": case.number, "State": _RESULT[decision.outcome],
        "UserName": decision.handler.name, "xkfileNum": decision.document_number,
        "xkfileName": decision.document_name, "xkcontent": decision.content,
        "xkdecideTime": _when(decision.decided), "Reason": decision.reason,
    }  # fmt: skip
    return _entry("Result", "decision", case, values, decision.version, decision.reported_at, decision.faults)


def _licence(case: Case, made: Certificate) -> Entry:
    status, holder = made.statuses[-1], made.holder
    values = {
        "Unid": made.id, "ProjId": case.number, "xkName": made.type, "xkNumber": made.number,
        "xkIdentifier": made.identifier, "xkfileNum": made.document_number, "Holder/Name": holder.name,
        "Holder/CardType": _CARD[holder.number_kind], "Holder/CardNumber": holder.number,
        "effectTime": _when(made.valid_from), "closeTime": _when(made.valid_to) or "2099-12-31",
        "issueTime": _when(made.issued), "Status": _STATUS[status.status], "statusTime": _when(status.since),
    }  # fmt: skip
    faults = joined(made.faults, party_faults(holder, phone=False))
    at = max(made.reported_at, status.reported_at)
    return _entry("Licence", "certificate", case, values, made.version, at, faults)
