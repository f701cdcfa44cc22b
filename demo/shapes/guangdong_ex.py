"""Guangdong exchange tables (EX_GDBS_*) in PostgreSQL: five departments have them, each in a schema of its own.

One table a step, `VERSION` raised by one with each report, one time a step, nothing is ever deleted; the end of a
special procedure is a row of its own. The hub reads them with the profile `guangdong-ex-gdbs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from demo.model import (
    Acceptance,
    Case,
    Decision,
    Defect,
    Delivery,
    Department,
    Event,
    Placed,
    Supplement,
    Suspension,
    UnitMark,
    Work,
)
from demo.shapes import system, trim
from demo.shapes.contracts import PROFILES, by_name, contract
from demo.shapes.cursors import CursorSystem
from demo.shapes.databases import PostgresTables, server_base
from demo.shapes.record import Entry, Values, joined, key_of, party_faults

_KIND = {"natural": "1", "enterprise": "2"}
_CARD = {"resident_id": "10", "credit_code": "51", "organisation_code": "50"}
_WAY = {"window": ("0", None), "online": ("1", "0"), "mobile": ("1", "1"), "post": ("0", "9")}
_STAGE = {"undertake": "1", "review": "2", "approve": "3"}
_RESULT = {"granted": "0", "refused": "7", "returned": "1", "withdrawn": "2", "completed": "6"}
_SPECIAL = {
    "hearing": "听证",
    "testing": "检测",
    "inspection": "检验",
    "appraisal": "鉴定",
    "expert_review": "专家评审",
    "extension": "延长审批",
}
_UNIT = {"working_day": "G", "calendar_day": "Z", "month": "Z"}
_FETCH = {"window": "0", "post": "1", "online": "2"}

_HERE = PROFILES / "guangdong-ex-gdbs"
_OF_CASE: dict[str, Any] = {"key": ("SBLSH",), "case": "SBLSH", "order": "VERSION"}
_NUMBERED: dict[str, Any] = {"key": ("SBLSH", "XH"), "case": "SBLSH", "order": "VERSION"}
STREAMS = by_name(
    contract(_HERE, "SB", **_OF_CASE, other="SQRLX", text="SBXMMC", moment="SBSJ"),
    contract(_HERE, "SL", **_OF_CASE, decides="SLZTDM", text="SLBMMC", moment="BLSX"),
    contract(_HERE, "BZGZ", **_OF_CASE, text="BZGZYY", moment="BZGZSJ"),
    contract(_HERE, "BJSL", **_OF_CASE, text="BZCLQD", moment="BZSJ"),
    contract(
        _HERE,
        "SPCL",
        key=("SBLSH", "SPHJDM"),
        case="SBLSH",
        order="VERSION",
        other="SPHJZTDM",
        text="SPYJ",
        moment="SPSJ",
    ),
    contract(_HERE, "TBCXSQ", **_NUMBERED, other="TBCXSXDW", text="TBCXQDLY"),
    contract(_HERE, "TBCXJG", **_NUMBERED, text="TBCXJG"),
    contract(_HERE, "BJ", **_OF_CASE, decides="BJJGDM", text="ZFHTHYY"),
    contract(_HERE, "LQDJ", **_OF_CASE, other="LQFS", moment="LQSJ"),
)


class GuangdongExShape(CursorSystem):
    """EX_GDBS_* tables, in a schema of the departments' server."""

    name = "guangdong_ex"
    carries = frozenset({
        "credit_code_check", "resident_id_check", "organisation_code_check", "item_code_bad", "placeholder",
        "stage_order", "closed_before_accepted", "approve_without_review", "pause_end_without_start",
        "pause_not_ended", "due_before_acceptance", "accepted_before_applied", "time_shifted", "batch_entered",
        "refusal_without_reason", "extension_without_approver", "granted_without_credential",
        "unknown_code_deciding", "unknown_code_other", "too_long", "missing_key", "unreadable_version",
        "unreadable_date", "orphan", "duplicate_changed", "older_version", "field_added", "silent_feed",
    })  # fmt: skip
    streams = STREAMS

    def seen(self, case: Case) -> Case | None:
        """Return the case with one time a stage, one decision, and what its tables hold."""
        known = replace(
            trim.without(case, "agent", "legal_person", "links"),
            decisions=case.decisions[:1],
            certificates=case.certificates[:1],
            supplements=case.supplements[:1],
            deliveries=case.deliveries[:1],
        )
        known = trim.one_time_a_stage(trim.immediate_unsigned(known))
        return trim.complete_event_from(trim.accept_event_from(known))

    def entries(self, department: Department, case: Case) -> Iterator[Entry]:
        """Yield the rows of a case."""
        yield _application(case)
        if case.acceptance is not None:
            yield _acceptance(case, case.acceptance)
        for asked in case.supplements:
            yield from _supplement(case, asked)
        for event in case.events:
            if event.stage in _STAGE:
                yield _step(case, event)
        for number, pause in enumerate(case.suspensions, 1):
            yield from _pause(case, number, pause)
        for decision in case.decisions:
            yield _closing(department, case, decision)
        for delivery in case.deliveries:
            yield _fetched(case, delivery)

    def stamped(self, delivery: system.Delivery) -> Values:
        """Add version and the time at which the row came into the exchange table."""
        entry = delivery.entry
        return {
            **entry.values,
            "VERSION": delivery.order or str(entry.version),
            "REC_FLAG": "0",
            "INSERTTIME": entry.at,
        }

    def sink(self, department: Department, work: Work, home: Path, day: int) -> AbstractContextManager[system.Sink]:
        """Open the department's schema."""
        del work
        return self._tables(home, department, STREAMS, fresh=day == 1)

    def _tables(self, home: Path, department: Department, streams: Mapping[str, Any], *, fresh: bool) -> PostgresTables:
        times = {"INSERTTIME": "timestamp(0)"}
        return PostgresTables(server_base(home), department.code, streams, times, fresh=fresh, prefix="ex_gdbs_")

    def spoiled_units(
        self, department: Department, work: Work, home: Path, day: int, plans: Mapping[str, Defect], *, dry: bool
    ) -> Iterator[Placed | UnitMark]:
        """Change a table overnight, as a vendor's update does."""
        yield from super().spoiled_units(department, work, home, day, plans, dry=dry)
        if "field_added" in plans:
            if not dry:
                with self._tables(home, department, {}, fresh=False) as tables:
                    tables.change("SPCL", "ADD COLUMN sphjbz varchar DEFAULT '0'")
            yield UnitMark(department.code, "SPCL", None, day, "unknown_field", "field_added")


def _when(moment: datetime | date | None) -> str | None:
    return None if moment is None else str(moment)


def _entry(
    stream: str, role: str, case: Case, values: Values, version: int, at: datetime, faults: tuple[str, ...]
) -> Entry:
    row = {"SBLSH": case.number, **values, "D_ZZJGDM": case.organ.code, "XZQHDM": case.region}
    return Entry(stream, role, key_of(STREAMS[stream], row), case.number, row, version, at, faults)


def _application(case: Case) -> Entry:
    applicant, contact = case.applicant, case.contact
    numbers = {one.scheme: one.number for one in case.identifiers}
    window, web = _WAY[case.channel]
    values = {
        "SXBM": case.item.implementation_code, "SXMC": case.item.name, "SQRLX": _KIND.get(applicant.kind, "3"),
        "SQRMC": applicant.name, "SQRZJLX": _CARD[applicant.number_kind], "SQRZJHM": applicant.number,
        "LXRXM": contact.name if contact else None, "LXRZJLX": _CARD[contact.number_kind] if contact else None,
        "LXRSFZJHM": contact.number if contact else None, "LXRSJ": contact.phone if contact else None,
        "SBXMMC": case.subject, "SBCLQD": "；".join(material.name for material in case.materials) or None,
        "TJFS": window, "WSSBQD": web, "SBHZH": numbers.get("receipt"), "PROJECT_CODE": numbers.get("project"),
        "SBSJ": _when(case.applied),
    }  # fmt: skip
    faults = joined(case.faults, party_faults(applicant, phone=False), party_faults(contact))
    return _entry("SB", "case", case, values, case.version, case.reported_at, faults)


def _acceptance(case: Case, given: Acceptance) -> Entry:
    values = {
        "SLBMMC": given.handler.unit, "SLBMZZJGDM": case.organ.code, "BLRXM": given.handler.name,
        "SLZTDM": "1" if given.outcome == "accepted" else "4", "BSLYY": given.reason,
        "SLHZH": given.document_number or None, "SLSJ": _when(given.at or given.answered), "BLSX": _when(given.due),
    }  # fmt: skip
    return _entry("SL", "acceptance", case, values, given.version, given.reported_at, given.faults)


def _supplement(case: Case, asked: Supplement) -> Iterator[Entry]:
    told = {
        "BZGZFCRXM": asked.handler.name,
        "BZGZYY": asked.reason,
        "BZCLQD": asked.materials,
        "BZGZSJ": _when(asked.told),
    }
    yield _entry("BZGZ", "supplement", case, told, asked.version, asked.reported_at, asked.faults)
    came = {"BZSLBLRXM": asked.handler.name, "BZCLQD": asked.materials, "BZSJ": _when(asked.received)}
    yield _entry("BJSL", "received", case, came, asked.version, asked.reported_at, ())


def _step(case: Case, event: Event) -> Entry:
    values = {
        "SPHJDM": _STAGE[event.stage], "SPHJMC": event.node, "SPBMMC": event.handler.unit,
        "SPRXM": event.handler.name, "SPRZWMC": event.handler.post, "SPYJ": event.opinion,
        "SPSJ": _when(event.finished), "SPHJZTDM": "1" if event.outcome == "passed" else "2",
    }  # fmt: skip
    return _entry("SPCL", event.stage, case, values, event.version, event.reported_at, event.faults)


def _pause(case: Case, number: int, pause: Suspension) -> Iterator[Entry]:
    if pause.started is not None:
        begun = {
            "XH": str(number), "TBCXZL": "A" if pause.kind == "extension" else "B", "TBCXZLMC": _SPECIAL[pause.kind],
            "TBCXKSRQ": _when(pause.started), "TBCXPZR": pause.approver.name if pause.approver else None,
            "TBCXQDLY": pause.reason, "TBCXSX": str(pause.allowed_value), "TBCXSXDW": _UNIT[pause.allowed_unit],
        }  # fmt: skip
        yield _entry("TBCXSQ", "suspension", case, begun, pause.version, pause.reported_at, pause.faults)
    if pause.ended is not None:
        ended = {"XH": str(number), "TBCXJSRQ": _when(pause.ended), "TBCXJG": pause.result}
        at = pause.ended_reported_at or pause.reported_at
        yield _entry("TBCXJG", "resumption", case, ended, pause.version, at, pause.faults if not pause.started else ())


def _closing(department: Department, case: Case, decision: Decision) -> Entry:
    certificate = next(iter(case.certificates), None) if decision.outcome == "granted" else None
    number = certificate.number if certificate else decision.document_number
    amount = next((fee.amount for fee in case.fees), "0.00")
    values = {
        "BJBMMC": decision.handler.unit, "BJBMZZJGDM": case.organ.code, "BJJGDM": _RESULT[decision.outcome],
        "BJJGMS": decision.content, "ZFHTHYY": decision.reason,
        "ZJGZMC": certificate.type if certificate else decision.document_name,
        "ZJBH": number if decision.outcome == "granted" else None,
        "ZJYXQX": (_when(certificate.valid_to) or "2099-12-31") if certificate else None,
        "FZGZDW": department.name, "SFJE": amount, "JEDWDM": "CNY", "BJSJ": _when(decision.decided),
    }  # fmt: skip
    version = decision.version + (certificate.version - 1 if certificate else 0)
    at = max(decision.reported_at, certificate.reported_at) if certificate else decision.reported_at
    return _entry("BJ", "decision", case, values, version, at, decision.faults)


def _fetched(case: Case, delivery: Delivery) -> Entry:
    values = {"LQRXM": delivery.receiver, "LQFS": _FETCH[delivery.way], "LQSJ": _when(delivery.delivered)}
    return _entry("LQDJ", "delivery", case, values, delivery.version, delivery.reported_at, delivery.faults)
