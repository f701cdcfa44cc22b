"""An independent, slow checker of clean cases: every rule again, from the standards' words, with no code of demo."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import combinations, pairwise

from demo.model import Case, Party, Province

INVENTED = {"无", "暂无", "测试", "不详", "-", "/", ""}
ORDER = ("accept", "undertake", "review", "approve", "complete")


def credit_code_is_valid(code: str) -> bool:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    if len(code) != 18 or any(c not in alphabet for c in code):
        return False
    total = sum(alphabet.index(c) * 3**i for i, c in enumerate(code[:17]))
    body = code[8:16]
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    inner = 11 - sum(letters.index(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return (31 - total % 31) % 31 == alphabet.index(code[17]) and code[16] == {10: "X", 11: "0"}.get(inner, str(inner))


def resident_id_is_valid(number: str) -> bool:
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return False
    datetime.strptime(number[6:14], "%Y%m%d")  # noqa: DTZ007
    value = 0
    for place, digit in enumerate(number):
        value += (10 if digit == "X" else int(digit)) * pow(2, 17 - place, 11)
    return value % 11 == 1


def certificate_id_is_valid(text: str) -> bool:
    match = re.fullmatch(
        r"1\.2\.156\.3005\.2\.([0-9A-Z]{21})\.([0-9A-Z]{18})\.([0-9A-Z]{1,20})\.(\d{3})\.([0-9A-Z])", text
    )
    if match is None:
        return False
    letters, product = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 36
    for character in "".join(match.groups()[:4]):
        product = ((product + letters.index(character)) % 36 or 36) * 2 % 37
    return (product + letters.index(match.group(5))) % 36 == 1


def faults_of_party(party: Party) -> list[str]:
    found = []
    if party.number_kind == "resident_id" and not resident_id_is_valid(party.number):
        found.append("resident_id_invalid")
    if party.number_kind == "credit_code" and not credit_code_is_valid(party.number):
        found.append("credit_code_invalid")
    if party.number_kind == "organisation_code":
        found.append("organisation_code_invalid")
    if not re.fullmatch(r"154[0-9]{8}", party.phone):
        found.append("phone_invalid")
    if party.name in INVENTED or party.address in INVENTED:
        found.append("placeholder_value")
    return found


def record_faults(case: Case, now: datetime) -> set[str]:
    found = {fault for party in case.parties for fault in faults_of_party(party)}
    if not re.fullmatch(r"[0-9A-Z]{18}[1-6][0-9]{12}", case.item.implementation_code):
        found.add("item_code_invalid")
    for event in case.events:
        if event.finished < event.started:
            found.add("ended_before_started")
        if max(event.started, event.finished) > now:
            found.add("future_time")
    for certificate in case.certificates:
        if not certificate_id_is_valid(certificate.identifier):
            found.add("certificate_id_invalid")
        if certificate.valid_to and certificate.valid_to < certificate.valid_from:
            found.add("valid_to_before_from")
    return found


def case_faults(case: Case, *, has_review: bool) -> set[str]:
    """Restate the case rules in the plainest way: pairs of all stages, no helper of the generator."""
    firsts: dict[str, datetime] = {}
    for event in sorted(case.events, key=lambda one: one.started):
        firsts.setdefault(event.stage, event.started)
    closings = [one.decided for one in case.decisions] + ([firsts["complete"]] if "complete" in firsts else [])
    found = stage_faults(case, firsts, closings, has_review=has_review)
    found |= acceptance_faults(case, closings) | decision_faults(case)
    for pause in case.suspensions:
        found |= {"pause_end_without_start"} if pause.ended and not pause.started else set()
        found |= {"pause_not_ended"} if pause.started and not pause.ended and closings else set()
        found |= {"extension_without_approver"} if pause.kind == "extension" and not pause.approver else set()
    return found


def stage_faults(case: Case, firsts: dict[str, datetime], closings: list[datetime], *, has_review: bool) -> set[str]:
    found: set[str] = set()
    for early, later in combinations(ORDER, 2):
        if early in firsts and later in firsts and firsts[later] < firsts[early]:
            found.add("stage_order")
    if has_review and case.kind == "promised" and "approve" in firsts and "review" not in firsts:
        found.add("approve_without_review")
    if closings and len(case.events) >= 3:
        minutes = {f"{event.reported_at:%Y%m%d%H%M}" for event in case.events}
        last = max(max(event.started, event.finished) for event in case.events)
        if len(minutes) == 1 and case.events[0].reported_at - last > timedelta(hours=24):
            found.add("batch_entered")
    return found


def acceptance_faults(case: Case, closings: list[datetime]) -> set[str]:
    said = case.acceptance
    if said is None:
        return set()
    if said.outcome == "not_accepted":
        return set() if said.reason else {"refusal_without_reason"}
    assert said.at is not None
    broken = {
        "closed_before_accepted": bool(closings) and min(closings) < said.at,
        "due_before_acceptance": said.due is not None and said.due < said.at,
        "accepted_before_applied": said.at < case.applied,
        "time_shifted": 1 <= (said.at - case.applied).total_seconds() <= 2,
    }
    return {rule for rule, is_broken in broken.items() if is_broken}


def decision_faults(case: Case) -> set[str]:
    found: set[str] = set()
    for decision in case.decisions:
        if decision.outcome == "refused" and not decision.reason:
            found.add("refusal_without_reason")
        if decision.outcome == "granted" and not decision.document_number and not case.certificates:
            found.add("granted_without_credential")
    if len({decision.outcome for decision in case.decisions}) > 1:
        found.add("closed_twice")
    return found


def unlikely(case: Case, province: Province, cut: datetime) -> list[str]:
    """Say what no honest department would write: times outside the year, reports before the step, wrong sums."""
    found = []
    reported: list[tuple[datetime, datetime]] = [(case.applied, case.reported_at)]
    if case.acceptance:
        reported.append((case.acceptance.answered, case.acceptance.reported_at))
    reported += [(one.finished, one.reported_at) for one in case.events]
    closed = case.events[-1].finished if case.events else case.applied
    reported += [(max(closed, one.decided), one.reported_at) for one in case.decisions]
    reported += [(one.paid, one.reported_at) for one in case.fees]
    reported += [(one.delivered, one.reported_at) for one in case.deliveries]
    reported += [(one.received, one.reported_at) for one in case.supplements]
    for happened, written in reported:
        if written <= happened or written - happened > timedelta(hours=24):
            found.append(f"{happened} was reported at {written}")
        if written > cut or happened < province.cut - timedelta(days=366):
            found.append(f"{happened} lies outside the year")
    starts = sorted(event.started for event in case.events)
    found += [f"two stages start at {a}" for a, b in pairwise(starts) if b - a < timedelta(minutes=1)]
    if case.acceptance and case.acceptance.answered - case.applied < timedelta(minutes=2):
        found.append("accepted at once")
    if case.written_at > cut:
        found.append("written after the cut")
    return found
