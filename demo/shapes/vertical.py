"""The nightly extract of a vertically managed system: JSON lines, each naming the city bureau that it belongs to.

Tobacco and meteorology have it (source folder `vertical-extract`); the eleven cities' bureaus stand in `org`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from demo.model import STAGES, Case, Certificate, Decision, Defect, Department, Event, Placed, Suspension, UnitMark
from demo.shapes import trim
from demo.shapes.contracts import SOURCES, by_name, contract
from demo.shapes.folders import Files, FolderSystem, Found
from demo.shapes.lines import LineFiles
from demo.shapes.record import Entry, Values, joined, key_of, party_faults
from demo.shapes.system import Deletes, Delivery

_KIND = {"natural": "P", "enterprise": "E", "institution": "I", "social": "S", "individual_business": "T"}
_CARD = {"resident_id": "ID", "credit_code": "USCC", "organisation_code": "ORG"}
_WAY = {"window": "10", "online": "20", "mobile": "21", "post": "30"}
_STEP = {"accept": "100", "undertake": "200", "review": "300", "approve": "400", "complete": "500"}
_PAUSE = {
    "hearing": "A1", "inspection": "A4", "testing": "A5", "appraisal": "A7", "expert_review": "A8", "extension": "E1"
}  # fmt: skip
_RESULT = {"granted": "01", "refused": "02", "returned": "03", "withdrawn": "05", "completed": "08"}
_STATE = {"valid": "01", "suspended": "02", "revoked": "03", "cancelled": "04"}

_HERE = SOURCES / "vertical-extract"
_ROW: dict[str, Any] = {"case": "caseNo", "order": "ver"}
STREAMS = by_name(
    contract(
        _HERE, "cases", key=("caseNo",), **_ROW,
        decides="acceptance", other="channel", text="title", moment="due",
    ),
    contract(
        _HERE, "steps", key=("caseNo", "stepNo"), **_ROW,
        decides="step", other="outcome", text="opinion", moment="ended", required="node",
    ),
    contract(_HERE, "pauses", key=("caseNo", "pauseNo"), **_ROW, other="kind", text="reason", moment="ended"),
    contract(_HERE, "results", key=("resultNo",), **_ROW, hangs=False, decides="result", text="reason"),
    contract(_HERE, "licences", key=("licenceId",), **_ROW, hangs=False, decides="state", text="type"),
)  # fmt: skip


class VerticalShape(FolderSystem):
    """JSON lines of a national system, one file a kind of record."""

    name = "vertical"
    carries = frozenset({
        "credit_code_check", "resident_id_check", "organisation_code_check", "certificate_id_check", "item_code_bad",
        "phone_bad", "placeholder", "future_date", "ended_before_started", "validity_reversed",
        "stage_order", "closed_before_accepted", "approve_without_review", "pause_end_without_start",
        "pause_not_ended", "due_before_acceptance", "accepted_before_applied", "time_shifted", "batch_entered",
        "refusal_without_reason", "extension_without_approver", "granted_without_credential", "closed_twice",
        "unknown_code_deciding", "unknown_code_other", "required_missing", "too_long", "missing_key",
        "unreadable_version", "unreadable_date", "orphan", "duplicate_changed", "older_version",
        "wrong_encoding", "broken_row", "field_added", "field_removed", "truncated_file",
    })  # fmt: skip
    deletes: Deletes = "case"
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case without what the extract leaves out."""
        return trim.without(
            case, "agent", "contact", "legal_person", "supplements", "materials", "fees", "deliveries", "links"
        )

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the lines of a case."""
        del department
        yield _case(case)
        for event in case.events:
            yield _step(case, event)
        for number, pause in enumerate(case.suspensions, 1):
            yield _pause(case, number, pause)
        for decision in case.decisions:
            yield _result(case, decision)
        for certificate in case.certificates:
            yield _licence(case, certificate)

    def stamped(self, delivery: Delivery) -> Values:
        """Add version, operation and time."""
        entry = delivery.entry
        return {
            **entry.values, "ver": delivery.order or entry.version, "op": delivery.operation, "sentAt": str(entry.at)
        }  # fmt: skip

    def files(
        self, folder: Path, name: str, department: Department, day: date, plans: Mapping[str, Defect]
    ) -> AbstractContextManager[Files]:
        """Open the files of one part."""
        del department, day
        return _Lines(folder, name, plans)

    def cut_short(self, folder: Path, name: str) -> None:
        """Cut each file within its last line."""
        for file in folder.glob(f"*_{name}.jsonl"):
            content = file.read_bytes()
            file.write_bytes(content[:-20])

    def spoiled_file(
        self, kind: str, folder: Path, name: str, department: Department, copies: list[Delivery], *, dry: bool
    ) -> Found:
        """Deliver lines that somebody saved in the old encoding."""
        file = folder / f"steps_{name}.jsonl"
        lines = [_line(self.stamped(copy), "steps") for copy in copies if copy.entry.stream == "steps"]
        if not dry:
            file.write_bytes("".join(lines).encode("gb18030"))
        yield UnitMark(department.code, "steps", file.name, 1, "wrong_encoding", kind)

    def spoiled_units(
        self, department: Department, work: Any, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Found:
        """Name the findings of what was spoiled in the honest files."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if "broken_row" in plans:
            yield Placed(
                department.code, "steps", None, day, "quarantined", None, None, ("unreadable_record",), "broken_row"
            )
        for kind, rule in (("field_added", "unknown_field"), ("field_removed", "missing_field")):
            if kind in plans:
                yield UnitMark(department.code, "steps", None, day, rule, kind)


class _Lines(LineFiles):
    """One line a record."""

    def lines(self, entry: Entry, values: Values) -> str:
        """Return one line."""
        return _line(self._changed(values, entry.stream), entry.stream)

    def besides(self, values: Values) -> str:
        """Return the line that broke off."""
        del values
        return '{"caseNo": "330000", "stepNo": 1, "step":, "node": "承办"}\n' if "broken_row" in self.plans else ""

    def _changed(self, values: Values, stream: str) -> Values:
        if stream != "steps":
            return values
        if "field_added" in self.plans:
            values = {**values, "riskLevel": "0"}
        if "field_removed" in self.plans:
            values = {name: value for name, value in values.items() if name != "opinion"} | {"opinion": ...}
        return values


def _line(values: Values, stream: str) -> str:
    """Write one line with every field of the stream, empty ones as null; `...` leaves a field out."""
    whole = {**dict.fromkeys(STREAMS[stream].fields), **values}
    told = {name: value for name, value in whole.items() if value is not ...}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def _when(moment: datetime | date | None) -> str | None:
    return None if moment is None else str(moment)


def _entry(
    stream: str, role: str, case: Case, values: Values, version: int, at: datetime, faults: tuple[str, ...]
) -> Entry:
    row = {"caseNo": case.number, **values, "org": case.organ.code}
    return Entry(stream, role, key_of(STREAMS[stream], row), case.number, row, version, at, faults)


def _case(case: Case) -> Entry:
    holder, given = case.applicant, case.acceptance
    local = next((one.number for one in case.identifiers if one.scheme == "receipt"), None)
    values: Values = {
        "localNo": local, "area": case.region, "itemCode": case.item.implementation_code, "itemName": case.item.name,
        "title": case.subject, "kind": "1" if case.kind == "immediate" else "2", "channel": _WAY[case.channel],
        "entry": "L" if case.entry_mode == "live" else "B", "applied": _when(case.applied),
        "holderKind": _KIND[holder.kind], "holderName": holder.name, "holderIdKind": _CARD[holder.number_kind],
        "holderId": holder.number, "holderPhone": holder.phone, "holderAddress": holder.address,
    }  # fmt: skip
    faults, version, at = joined(case.faults, party_faults(holder)), case.version, case.reported_at
    if given is not None:
        values |= {
            "acceptance": "Y" if given.outcome == "accepted" else "N", "accepted": _when(given.at),
            "acceptedBy": given.handler.name, "due": _when(given.due), "refusedFor": given.reason,
        }  # fmt: skip
        faults, version, at = joined(faults, given.faults), version + given.version, max(at, given.reported_at)
    return _entry("cases", "case", case, values, version, at, faults)


def _step(case: Case, event: Event) -> Entry:
    values = {
        "stepNo": STAGES.index(event.stage) + 1, "step": _STEP[event.stage], "node": event.node,
        "officer": event.handler.name, "post": event.handler.post, "begun": _when(event.started),
        "ended": _when(event.finished), "outcome": "1" if event.outcome == "passed" else "0",
        "opinion": event.opinion,
    }  # fmt: skip
    return _entry("steps", event.stage, case, values, event.version, event.reported_at, event.faults)


def _pause(case: Case, number: int, pause: Suspension) -> Entry:
    values = {
        "pauseNo": number, "kind": _PAUSE[pause.kind], "reason": pause.reason,
        "approvedBy": pause.approver.name if pause.approver else None, "begun": _when(pause.started),
        "ended": _when(pause.ended),
    }  # fmt: skip
    at = pause.ended_reported_at or pause.reported_at
    return _entry("pauses", "suspension", case, values, pause.version, at, pause.faults)


def _result(case: Case, decision: Decision) -> Entry:
    values = {
        "resultNo": decision.id, "result": _RESULT[decision.outcome], "docNo": decision.document_number,
        "decided": _when(decision.decided), "signedBy": decision.handler.name, "reason": decision.reason,
    }  # fmt: skip
    return _entry("results", "decision", case, values, decision.version, decision.reported_at, decision.faults)


def _licence(case: Case, made: Certificate) -> Entry:
    status, holder = made.statuses[-1], made.holder
    values = {
        "licenceId": made.id, "type": made.type, "number": made.number, "identifier": made.identifier,
        "docNo": made.document_number, "holderName": holder.name, "holderIdKind": _CARD[holder.number_kind],
        "holderId": holder.number, "validFrom": _when(made.valid_from), "validTo": _when(made.valid_to) or "2099-12-31",
        "issued": _when(made.issued), "predecessor": made.predecessor, "oldNumber": made.predecessor,
        "state": _STATE[status.status], "stateSince": _when(status.since),
    }  # fmt: skip
    faults = joined(made.faults, party_faults(holder, phone=False))
    at = max(made.reported_at, status.reported_at)
    return _entry("licences", "certificate", case, values, made.version, at, faults)
