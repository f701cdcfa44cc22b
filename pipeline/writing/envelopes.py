"""Numbered deliveries in the pipeline: what becomes of each by its number, and what its receipt says.

A number counts as received in the transaction that commits the last slice of its delivery. From then on the same
content is not read again, and other content under the same number is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.findings import RULES, UNIT, Finding
from hub.records import Enveloped, Slice
from pipeline.fates import Fate, Tally
from pipeline.work import Line, Work, transaction
from sharedrepo.feeds import envelopes, receipts, streams, units
from sharedrepo.feeds.envelopes import CONFLICT
from sharedrepo.staging import stage


def said_by(line: Line, piece: Slice) -> Enveloped | None:
    """Return the proven envelope of a slice's delivery; None where its stream declares none."""
    if piece.unit is None or piece.unit.refusal or line.spec.envelope is None:
        return None
    return piece.unit.envelope


def fate_of(work: Work, line: Line, piece: Slice, *, full: bool) -> Fate:
    """Decide what becomes of a delivery, once for all of its slices; `full` reads a known one again."""
    said = said_by(line, piece)
    if said is None:
        return Fate.TAKEN
    if line.fate is not None and line.fate[0] is piece.unit:
        return line.fate[1]
    with transaction(work) as cursor:
        fate = _decide(cursor, line, said, full=full)
        tally = _begin(cursor, line, piece, said)
    line.fate, line.tally = (piece.unit, fate), tally
    return fate


def _decide(cursor: stage.Cursor, line: Line, said: Enveloped, *, full: bool) -> Fate:
    known = envelopes.kept(cursor, line.stream_id, said.number)
    if known is None or known.status == "reading":
        late = line.spec.deletion == "snapshot" and said.number < envelopes.newest(cursor, line.stream_id)
        return Fate.SUPERSEDED if late else Fate.TAKEN
    if known.mark == said.mark:
        return Fate.TAKEN if full else Fate.REPEATED
    return Fate.CONFLICTING if known.status == "received" else Fate.TAKEN


def _begin(cursor: stage.Cursor, line: Line, piece: Slice, said: Enveloped) -> Tally:
    """Begin to count a delivery, or go on where a pull before this one was cut off."""
    known = envelopes.kept(cursor, line.stream_id, said.number)
    goes_on = piece.unit is not None and piece.unit.goes_on
    return Tally.of(known.found) if goes_on and known and known.mark == said.mark else Tally()


def refusals(piece: Slice, fate: Fate) -> tuple[Finding, ...]:
    """Return why nothing of a delivery may be published: its envelope does not hold, or its number is another's."""
    unit = piece.unit
    if unit is None or unit.refusal or unit.envelope is None or fate is not Fate.CONFLICTING:
        return () if unit is None else unit.refusal
    number = str(unit.envelope.number)
    detail = {"got": f"number {number} was received before with other content", "known": "", "number": number}
    return (Finding(UNIT, CONFLICT, detail=detail),)


# --- in the batch's transaction ---


def take(
    cursor: stage.Cursor, line: Line, piece: Slice, batch_id: int, outcomes: Sequence[str],
    errors: Sequence[Mapping[str, Any]], more: int,
) -> None:  # fmt: skip
    """Write down a slice of a delivery whose number counts; where the delivery ends, it is received."""
    said = said_by(line, piece)
    if said is None or piece.unit is None:
        return
    tally = line.tally or Tally()
    tally.add(outcomes, errors, more)
    known = envelopes.kept(cursor, line.stream_id, said.number)
    if not piece.unit_ends:
        if known is None or known.status != "received":
            _keep(cursor, line, piece, said, "reading", batch_id, tally.as_dict())
        return
    if known is not None and known.status == "held" and known.unit not in {None, piece.unit.name}:
        units.supersede(cursor, stream_id=line.stream_id, unit=str(known.unit), batch_id=batch_id)
    _keep(cursor, line, piece, said, "received", batch_id, {"counts": dict(tally.counts)})
    envelopes.close_refused(cursor, line.stream_id, number=said.number, batch_id=batch_id)
    _settle_and_owe(cursor, line, piece, batch_id, {"outcome": str(Fate.TAKEN), **tally.told()})
    line.tally = None


def hold(cursor: stage.Cursor, line: Line, piece: Slice, batch_id: int, findings: Sequence[Finding]) -> None:
    """Write down a delivery of which nothing is published: a held number has come, a conflict changes nothing."""
    if piece.unit is not None and piece.unit.refusal:
        refuse(cursor, line, piece.unit.name, piece.unit.envelope, batch_id, findings)
        return
    said = said_by(line, piece)
    if said is None or piece.unit is None or not piece.unit_ends:
        return
    if any(one.rule == CONFLICT for one in findings):
        _owe(cursor, line, piece.unit.name, said, batch_id, {"outcome": "refused", "records": 0, **_faults(findings)})
        return
    _keep(cursor, line, piece, said, "held", batch_id, {})
    told = {"outcome": "held", "records": said.records, **_faults(findings)}
    _settle_and_owe(cursor, line, piece, batch_id, told)


def refuse(
    cursor: stage.Cursor, line: Line, unit: str, said: Enveloped | None, batch_id: int, findings: Sequence[Finding]
) -> None:
    """Owe the receipt of a delivery that could not be read, or did not belong to its envelope."""
    if line.spec.envelope is not None:
        _owe(cursor, line, unit, said, batch_id, {"outcome": "refused", "records": 0, **_faults(findings)})


def passed(cursor: stage.Cursor, line: Line, piece: Slice, batch_id: int, fate: Fate) -> None:
    """Write down a delivery that is not read: one that repeats a number changes nothing, its receipt is sent again."""
    said = said_by(line, piece)
    if said is None or not piece.unit_ends:
        return
    told: dict[str, Any] = {"outcome": str(fate), "records": said.records}
    if fate is Fate.SUPERSEDED:
        _keep(cursor, line, piece, said, "received", batch_id, {})
    else:
        told |= _as_before(cursor, line, said)
    _settle_and_owe(cursor, line, piece, batch_id, told)


def _as_before(cursor: stage.Cursor, line: Line, said: Enveloped) -> dict[str, Any]:
    known = envelopes.kept(cursor, line.stream_id, said.number)
    if known is None or not known.found.get("counts"):
        return {}
    return {"counts": dict(known.found["counts"])}


def _keep(
    cursor: stage.Cursor,
    line: Line,
    piece: Slice,
    said: Enveloped,
    status: str,
    batch_id: int,
    found: Mapping[str, Any],
) -> None:
    unit = piece.unit.name if piece.unit is not None else ""
    envelopes.keep(cursor, line.stream_id, said, status=status, unit=unit, batch_id=batch_id, found=found)


def _settle_and_owe(
    cursor: stage.Cursor, line: Line, piece: Slice, batch_id: int, told: Mapping[str, Any]
) -> None:  # fmt: skip
    policy, said = line.spec.envelope, said_by(line, piece)
    if policy is None or said is None or piece.unit is None:
        return
    gaps = envelopes.settle(cursor, line.stream_id, first=policy.first, batch_id=batch_id)
    more: dict[str, Any] = {"missing": [list(span) for span in gaps.spans]} if gaps.spans else {}
    through = streams.complete_through(cursor, line.stream_id)
    if through is not None:
        more["complete_through"] = through.isoformat()
    line.receipt = _facts(said, {**told, **more})
    _owe(cursor, line, piece.unit.name, said, batch_id, {**told, **more})


def _owe(
    cursor: stage.Cursor, line: Line, unit: str, said: Enveloped | None, batch_id: int, told: Mapping[str, Any]
) -> None:
    if line.spec.envelope is None or not line.spec.envelope.answers:
        return
    one = receipts.Owed(unit, str(told["outcome"]), (), envelope=_facts(said, told))
    receipts.owe(cursor, stream_id=line.stream_id, batch_id=batch_id, receipts=[one])


def _facts(said: Enveloped | None, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that a receipt says besides its sender: what came, and what became of it."""
    if said is None:
        return dict(told)
    return {**told, "number": said.number, **({"digest": said.digest} if said.digest else {})}


def _faults(findings: Sequence[Finding]) -> dict[str, Any]:
    return {"faults": [{"rule": one.rule, "said": _sentence(one)} for one in findings]}


def _sentence(finding: Finding) -> str:
    """Say what is wrong with a delivery as a whole."""
    rule, detail = RULES[finding.rule], finding.detail
    told = ": ".join(part for part in (f"{rule.title_zh} ({rule.title})", detail.get("got", "")) if part)
    known = f" (known: {detail['known']})" if detail.get("known") else ""
    return f"{told}{known}. {rule.hint}"
