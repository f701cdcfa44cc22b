"""One firm that three offices rely on: what another department must confirm while it handles the firm's case.

The firm applies to one department for an item that needs another department's grant first. It has that grant; of the
two licences that it shows, one ran out and one is taken away on day 2, after the first check. It occurs nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from demo.aftermath import last_written
from demo.model import Case, CertificateStatus, Department, Item, Shape
from demo.roles import Cast, Relied, Role
from demo.wish import Wish

FIRM = 900_001
"""The firm's index: beyond all that the crowd reaches."""
_SHOWS = "validity_reversed"
"""A system that can carry this defect tells holder, issuer, validity and status of a certificate."""
_FEWEST = 12
_DAYS = timedelta(days=90)
"""So long the licence was valid that ran out."""


def give(
    items: Sequence[Item], sending: Sequence[Department], shapes: Mapping[str, Shape], free: Mapping[str, list[int]],
    made: Cast,
) -> None:  # fmt: skip
    """Give the four cases their roles, in departments that have no other trouble; none where none fits."""
    made.relied = chosen = next(_fitting(items, sending, shapes, free, made), None)
    if chosen is None:
        return
    certified = Wish(
        kind="promised", outcome="granted", pace="calm", certificate=True, applicant="enterprise", company=FIRM,
        item=chosen.given_item,
    )  # fmt: skip
    own = replace(certified, pace="slow", certificate=None, item=chosen.asked_item)
    for index, kind in ((chosen.granted, "relied"), (chosen.expired, "expires"), (chosen.revoked, "is_revoked")):
        free[chosen.giver].remove(index)
        made.roles[chosen.giver][index] = Role(kind, own=certified)
    made.roles[chosen.asker][chosen.own] = Role("relies", own=own)


def _fitting(
    items: Sequence[Item], sending: Sequence[Department], shapes: Mapping[str, Shape], free: Mapping[str, list[int]],
    made: Cast,
) -> Iterator[Relied]:  # fmt: skip
    asking = {
        one.code: one for one in sending
        if not shapes[one.shape].single and len(one.serves) == 1 and one.cases >= _FEWEST
        and one.code not in made.silent and one.code not in made.habits
    }  # fmt: skip
    giving = {
        code: one for code, one in asking.items() if code not in made.plans and _SHOWS in shapes[one.shape].carries
    }
    by_base = {one.base_code: one for one in items if one.certificate}
    for item in items:
        needed = [by_base.get(code) for group in item.prerequisites for code in group]
        given = needed[0] if len(needed) == 1 else None
        if given is None or item.department not in asking or given.department not in giving:
            continue
        giver, own = giving[given.department], asking[item.department].cases - 2
        early = sorted(one for one in free[giver.code] if one < giver.cases * 0.5)
        if len(early) > 2 and own not in made.roles[item.department]:  # three cases
            yield Relied(item.department, item.base_code, own, giver.code, given.base_code, *early[:3])


def bend(case: Case, kind: str, second_day: Callable[[], datetime]) -> Case:
    """Return the case as its role has it: its certificate ran out, or is taken away on day 2."""
    if kind == "expires":
        bent = replace(
            case, certificates=tuple(replace(one, valid_to=one.valid_from + _DAYS) for one in case.certificates)
        )
    elif kind == "is_revoked":
        when = second_day()
        status = CertificateStatus("revoked", when, when + timedelta(minutes=5))
        bent = replace(case, certificates=tuple(
            replace(one, valid_to=None, statuses=(*one.statuses, status), version=len(one.statuses) + 1)
            for one in case.certificates
        ))  # fmt: skip
    else:
        return case
    return replace(bent, written_at=last_written(bent))


def told(chosen: Relied, tell: Callable[[str, int], Case]) -> list[dict[str, Any]]:
    """Return the three checks that end the demonstration, with what the hub must say."""
    own = tell(chosen.asker, chosen.own)
    granted, expired, revoked = (
        tell(chosen.giver, index) for index in (chosen.granted, chosen.expired, chosen.revoked)
    )  # fmt: skip
    base = {
        "asker": own.organ.code, "asker_name": own.organ.name, "case": own.number,
        "holder_number": own.applicant.number, "holder_name": own.applicant.name,
    }  # fmt: skip
    return [
        {
            **base, "what": "met", "item": own.item.implementation_code, "item_name": own.item.name,
            "needs": granted.item.base_code, "needs_name": granted.item.name, "giver_name": granted.organ.name,
            "outcome": "met",
        },
        {**base, **_licence(expired), "what": "expired", "outcome": "not_valid", "status": "expired"},
        {**base, **_licence(revoked), "what": "revoked", "outcome": "match", "later": "not_valid", "status": "revoked"},
    ]  # fmt: skip


def _licence(case: Case) -> dict[str, Any]:
    (made,) = case.certificates
    return {
        "type": made.type, "number": made.number, "issuer": case.organ.code, "giver_name": case.organ.name,
        "valid_to": None if made.valid_to is None else made.valid_to.isoformat(),
    }  # fmt: skip
