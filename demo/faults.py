"""Bends a clean case into a faulty one: one function a kind of the levels *element* and *case*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from demo.aftermath import last_written
from demo.model import Acceptance, Case, Certificate, Decision, Event, Stage, Suspension
from demo.people import organisation

Bend = Callable[[Case, Random], Case]

_REPORTED = ("events", "supplements", "materials", "fees", "deliveries", "decisions")
_PLACEHOLDERS = ("无", "测试", "暂无")


def bend(case: Case, kind: str, random: Random) -> Case:
    """Return the case with the fault of this kind; kinds of other levels leave it as it is."""
    function = _BENDS.get(kind)
    if function is None:
        return case
    bent = function(case, random)
    return replace(bent, written_at=last_written(bent))


def _other(character: str, random: Random) -> str:
    """Return another character of the same sort, so that only the check is wrong."""
    choices = "0123456789" if character.isdigit() or character == "X" else "ABCDEFGH"
    return random.choice([one for one in choices if one != character])


def _applicant(case: Case, rule: str, **changes: str) -> Case:
    party = replace(case.applicant, **changes, faults=(rule,))  # type: ignore[arg-type]  # fields of Party
    return replace(case, applicant=party)


def _event(case: Case, stage: Stage, change: Callable[[Event], Event]) -> Case:
    return replace(case, events=tuple(change(event) if event.stage == stage else event for event in case.events))


def _acceptance(case: Case, change: Callable[[Acceptance, datetime], Acceptance]) -> Case:
    said = case.acceptance
    if said is None or said.at is None:
        return case
    return replace(case, acceptance=change(said, said.at))


def _certificate(case: Case, change: Callable[[Certificate], Certificate]) -> Case:
    return replace(case, certificates=tuple(change(certificate) for certificate in case.certificates))


def _decision(case: Case, change: Callable[[Decision], Decision]) -> Case:
    return replace(case, decisions=tuple(change(decision) for decision in case.decisions))


def _pause(case: Case, change: Callable[[Suspension], Suspension]) -> Case:
    return replace(case, suspensions=tuple(change(pause) for pause in case.suspensions))


def _credit_code(case: Case, random: Random) -> Case:
    code = case.applicant.number
    return _applicant(case, "credit_code_invalid", number=code[:-1] + _other(code[-1], random))


def _resident_id(case: Case, random: Random) -> Case:
    number = case.applicant.number
    return _applicant(case, "resident_id_invalid", number=number[:-1] + _other(number[-1], random))


def _organisation_code(case: Case, random: Random) -> Case:
    code = organisation(case.applicant.number)
    wrong = code[:-1] + _other("0" if code[-1] == "X" else code[-1], random)
    return _applicant(case, "organisation_code_invalid", number=wrong, number_kind="organisation_code")


def _phone(case: Case, random: Random) -> Case:  # noqa: ARG001  # all bends are called alike
    return _applicant(case, "phone_invalid", phone=case.applicant.phone[:-1])


def _placeholder(case: Case, random: Random) -> Case:
    said = random.choice(_PLACEHOLDERS)
    bent = _applicant(case, "placeholder_value", name=said)
    return replace(bent, subject=f"关于{case.item.name}的申请")


def _item_code(case: Case, random: Random) -> Case:  # noqa: ARG001  # all bends are called alike
    item = replace(case.item, implementation_code=case.item.implementation_code[:-1])
    return replace(case, item=item, faults=("item_code_invalid",))


def _certificate_id(case: Case, random: Random) -> Case:
    def change(made: Certificate) -> Certificate:
        wrong = made.identifier[:-1] + _other(made.identifier[-1], random)
        return replace(made, identifier=wrong, faults=("certificate_id_invalid",))

    return _certificate(case, change)


def _validity(case: Case, random: Random) -> Case:
    def change(made: Certificate) -> Certificate:
        before = made.valid_from - timedelta(days=random.randrange(30, 800))
        return replace(made, valid_to=before, faults=("valid_to_before_from",))

    return _certificate(case, change)


def _future(case: Case, random: Random) -> Case:
    days = timedelta(days=random.randrange(500, 3000))
    return _event(
        case, "undertake", lambda event: replace(event, finished=event.finished + days, faults=("future_time",))
    )


def _ended_early(case: Case, random: Random) -> Case:
    back = timedelta(minutes=random.randrange(10, 50))
    return _event(
        case,
        "undertake",
        lambda event: replace(event, finished=event.started - back, faults=("ended_before_started",)),
    )


def _stage_order(case: Case, random: Random) -> Case:
    """Move the review, as a whole, to days before the undertaking but after nothing else: only the order is wrong."""
    undertake = case.event("undertake")
    if undertake is None:
        return case
    ended = undertake.started - timedelta(minutes=random.randrange(30, 90))
    started = ended - timedelta(minutes=20)
    return _event(case, "review", lambda event: replace(event, started=started, finished=ended))


def _decided_early(case: Case, random: Random) -> Case:
    at = case.acceptance.at if case.acceptance else None
    if at is None:
        return case
    decided = at - timedelta(days=random.randrange(1, 4), minutes=random.randrange(5, 50))
    return _decision(case, lambda decision: replace(decision, decided=decided))


def _unreviewed(case: Case, random: Random) -> Case:  # noqa: ARG001  # all bends are called alike
    return replace(case, events=tuple(event for event in case.events if event.stage != "review"))


def _pause_unbegun(case: Case, random: Random) -> Case:  # noqa: ARG001  # all bends are called alike
    return _pause(case, lambda pause: replace(pause, started=None))


def _pause_unended(case: Case, random: Random) -> Case:  # noqa: ARG001  # all bends are called alike
    return _pause(case, lambda pause: replace(pause, ended=None, result=None, ended_reported_at=None, version=1))


def _due_early(case: Case, random: Random) -> Case:
    days = timedelta(days=random.randrange(2, 9))
    return _acceptance(case, lambda said, at: replace(said, due=at - days))


def _accepted_at(case: Case, at: datetime, answering: timedelta) -> Case:
    moved = _acceptance(case, lambda said, _: replace(said, at=at, answered=at))
    return _event(moved, "accept", lambda event: replace(event, started=at - answering, finished=at))


def _accepted_early(case: Case, random: Random) -> Case:
    at = case.applied - timedelta(days=1, minutes=random.randrange(5, 200))
    return _accepted_at(case, at, timedelta(minutes=3))


def _shifted(case: Case, random: Random) -> Case:
    return _accepted_at(case, case.applied + timedelta(seconds=random.randrange(1, 3)), timedelta(0))


def _batch(case: Case, random: Random) -> Case:
    """Report everything within one minute, three days or more after the last thing that happened."""
    minute = last_written(case).replace(second=0) + timedelta(days=random.randrange(3, 9))
    changes: dict[str, Any] = {
        name: tuple(replace(one, reported_at=minute + timedelta(seconds=random.randrange(50))) for one in group)
        for name in _REPORTED
        if (group := getattr(case, name))
    }
    said = case.acceptance
    if said is not None:
        changes["acceptance"] = replace(said, reported_at=minute + timedelta(seconds=3))
    return replace(case, **changes, entry_mode="batch", reported_at=minute + timedelta(seconds=1))


def _unreasoned(case: Case, random: Random) -> Case:  # noqa: ARG001  # all bends are called alike
    return _decision(case, lambda decision: replace(decision, reason=None))


def _unapproved(case: Case, random: Random) -> Case:  # noqa: ARG001  # all bends are called alike
    return _pause(case, lambda pause: replace(pause, approver=None))


def _undocumented(case: Case, random: Random) -> Case:  # noqa: ARG001  # all bends are called alike
    bare = _decision(case, lambda decision: replace(decision, document_number=None))
    return replace(bare, certificates=())


def _twice(case: Case, random: Random) -> Case:
    first = case.decisions[0]
    after = timedelta(minutes=random.randrange(20, 200))
    second = replace(
        first,
        id=f"{first.id}X",
        outcome="refused",
        document_number=f"{first.document_number}-2",
        document_name="不予行政许可决定书",
        reason="复核后认定不符合许可条件",
        decided=first.decided + after,
        reported_at=first.reported_at + after,
    )
    return replace(case, decisions=(first, second))


_BENDS: Mapping[str, Bend] = {
    "credit_code_check": _credit_code,
    "resident_id_check": _resident_id,
    "organisation_code_check": _organisation_code,
    "certificate_id_check": _certificate_id,
    "item_code_bad": _item_code,
    "phone_bad": _phone,
    "placeholder": _placeholder,
    "future_date": _future,
    "ended_before_started": _ended_early,
    "validity_reversed": _validity,
    "stage_order": _stage_order,
    "closed_before_accepted": _decided_early,
    "approve_without_review": _unreviewed,
    "pause_end_without_start": _pause_unbegun,
    "pause_not_ended": _pause_unended,
    "due_before_acceptance": _due_early,
    "accepted_before_applied": _accepted_early,
    "time_shifted": _shifted,
    "batch_entered": _batch,
    "refusal_without_reason": _unreasoned,
    "extension_without_approver": _unapproved,
    "granted_without_credential": _undocumented,
    "closed_twice": _twice,
}
