"""How a case ends, and what follows: fee, decision, certificate with its later states, delivery."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from demo.course import Course
from demo.model import (
    Acceptance,
    Case,
    Certificate,
    CertificateStatus,
    Decision,
    Delivery,
    Fee,
    Party,
)
from demo.wish import Wish
from demo.worktime import DAY
from hub.identifiers import certificate_id

_REASONS = {
    "refused": ("不符合《条例》规定的许可条件", "现场核查不合格", "专业人员数量不足"),
    "withdrawn": ("申请人主动撤回申请",),
    "returned": ("申请材料经补正仍不符合要求",),
}
_NAMES = {
    "granted": "准予行政许可决定书",
    "refused": "不予行政许可决定书",
    "withdrawn": "终止办理通知书",
    "returned": "退件通知书",
    "completed": "办结通知书",
}
_CLOSES = {"withdrawn", "returned", "completed"}


def fees(way: Course, acceptance: Acceptance) -> tuple[Fee, ...]:
    """Tell the fee that was paid after acceptance, where the item has one."""
    if acceptance.at is None or not way.item.fee:
        return ()
    paid = acceptance.at + timedelta(seconds=way.random.randrange(60, 900))
    amount = f"{way.random.choice((50, 120, 200, 560, 1800))}.00"
    return (Fee(f"{way.prefix}F1", amount, "省物价部门收费标准", paid, way.report(paid)),)


def close(case: Case, way: Course, outcome: str, wish: Wish, single: bool) -> Case:
    """Add what ends the case and follows from it, and say when the last record of it was written."""
    if not case.events:
        return replace(case, written_at=last_written(case))
    decision = _decision(case, way, outcome)
    wanted = way.random.random() < 0.7 if wish.delivery is None else wish.delivery
    deliveries = (_delivery(case, way, single),) if outcome == "granted" and wanted else ()
    certificates: tuple[Certificate, ...] = ()
    if outcome == "granted" and case.item.certificate and wish.certificate is not False and not wish.plain:
        certificates = (_certificate(case, way, decision, single=single or wish.bends),)
    done = replace(case, decisions=(decision,), certificates=certificates, deliveries=deliveries)
    return replace(done, written_at=last_written(done))


def _decision(case: Case, way: Course, outcome: str) -> Decision:
    approve, complete = case.event("approve"), case.events[-1]
    decided = complete.started if approve is None else approve.finished
    number = f"{way.department.short}许〔{decided:%Y}〕{way.prefix[2:]}号"
    return Decision(
        id=f"{way.prefix}D1",
        document_number=None if outcome in _CLOSES and outcome != "completed" else number,
        document_name=_NAMES[outcome],
        outcome=outcome,  # type: ignore[arg-type]  # a key of _NAMES
        decided=decided,
        reason=way.random.choice(_REASONS[outcome]) if outcome in _REASONS else None,
        content=f"{way.item.name}:{_NAMES[outcome]}",
        handler=complete.handler,
        reported_at=way.report(complete.finished),
    )


def _certificate(case: Case, way: Course, decision: Decision, *, single: bool) -> Certificate:
    item, serial = case.item, f"{decision.decided:%Y}{way.prefix}"
    start = decision.decided.date()
    years = way.random.choice((1, 3, 5, 5, None))
    issued = case.events[-1].finished
    reported = way.report(issued)
    statuses = _statuses(way, CertificateStatus("valid", issued, reported), single=single)
    renewed = way.random.random() < 0.1
    return Certificate(
        id=f"{way.prefix}C1",
        type=item.certificate or "",
        number=f"{way.department.short}证字第{serial}号",
        identifier=certificate_id.make(f"{item.organ}{item.base_code[6:9]}", case.organ.code, serial),
        document_number=decision.document_number or "",
        holder=case.applicant,
        valid_from=start,
        valid_to=None if years is None else _years_later(start, years),
        issued=issued,
        predecessor=f"{way.department.short}证字第2019{way.prefix}号" if renewed else None,
        statuses=statuses,
        reported_at=reported,
        version=len(statuses),
    )


def _statuses(way: Course, first: CertificateStatus, *, single: bool) -> tuple[CertificateStatus, ...]:
    """Tell the later states: one certificate in thirty is suspended (and mostly valid again) or taken away."""
    if single or way.random.random() > 0.033:
        return (first,)
    found = [first]
    since = way.pass_time(5 * DAY, 30 * DAY)
    word = way.random.choice(("suspended", "suspended", "revoked", "cancelled"))
    found.append(CertificateStatus(word, since, way.report(since)))  # type: ignore[arg-type]  # one of the states
    if word == "suspended" and way.random.random() < 0.7:
        again = way.pass_time(3 * DAY, 10 * DAY)
        found.append(CertificateStatus("valid", again, way.report(again)))
    return tuple(found)


def _years_later(start: date, years: int) -> date:
    """Return the day before the same day, `years` later."""
    return date(start.year + years, start.month, min(start.day, 28)) - timedelta(days=1)


def _delivery(case: Case, way: Course, single: bool) -> Delivery:
    if single:
        delivered = case.events[-1].finished + timedelta(minutes=way.random.randrange(10, 120))
    else:
        delivered = way.calendar.at(way.now + way.random.randrange(600, 3 * DAY))
    receiver: Party = case.contact or case.agent or case.applicant
    if receiver.kind != "natural":
        receiver = case.legal_person or receiver
    return Delivery(
        id=f"{way.prefix}L1",
        way=way.random.choice(("window", "post", "online")),
        delivered=delivered,
        receiver=receiver.name,
        reported_at=way.report(delivered),
    )


def last_written(case: Case) -> datetime:
    """Return when the last of the case's records was written."""
    found = [case.reported_at]
    if case.acceptance is not None:
        found.append(case.acceptance.reported_at)
    for group in (case.events, case.supplements, case.materials, case.fees, case.deliveries, case.decisions):
        if group:
            found += [element.reported_at for element in group]
    if case.suspensions:
        found += [pause.ended_reported_at or pause.reported_at for pause in case.suspensions]
    if case.certificates:
        found += [status.reported_at for made in case.certificates for status in made.statuses]
    return max(found)
