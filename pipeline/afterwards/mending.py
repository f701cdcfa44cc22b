"""Applies corrections by hand: records as a person changed them, judged, translated and merged like any other.

A correction is a batch of its own kind. The archive keeps the record as mended and, beside it, what the source had
said, why it was changed and by whom, so that a rebuild mends it again. The record keeps the hash under which the
source's own was received: sent once more, that one is known and does not undo the mend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub import jsontext
from hub.findings import Finding
from hub.mends import Mend, taken
from hub.records import Record, Slice
from normalization.model import Field
from pipeline.preparing.desk import Desk
from pipeline.preparing.mended import RULE
from pipeline.preparing.prepare import prepare
from pipeline.work import Line, Work, transaction
from pipeline.writing import batches
from sharedrepo.staging import stage
from sharedrepo.worklist import corrections, waiting
from sharedrepo.writing import load
from sharedrepo.writing.known import Register

KIND = "correction"


@dataclass(frozen=True, slots=True)
class Correction:
    """One record as it shall stand: mended, with its key and row, and the entry that it leaves, where it waited.

    The last step of `mend` is this correction; `correction_id` is its proposal, None where it was proposed and approved
    at once.
    """

    record: Record
    mend: Mend
    key: str
    row: int
    correction_id: int | None
    waiter: waiting.Released | None = None

    @property
    def pointers(self) -> frozenset[str]:
        """Return the fields that it changes."""
        return frozenset(self.mend.steps[-1].was)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one correction cannot be applied: a sentence, and all that is wrong with the record as mended."""

    why: str
    findings: tuple[Finding, ...] = ()


Also = Callable[[stage.Cursor, Sequence[int]], None]
"""What belongs into a correction's transaction besides the correction."""


class SomeRefused(Exception):
    """Corrections were refused, by their place among those given; it ends their transaction and goes no further."""

    def __init__(self, refused: Mapping[int, Refusal]) -> None:
        self.refused = dict(refused)
        super().__init__("; ".join(one.why for one in self.refused.values()))


def apply(
    work: Work, line: Line, wanted: Sequence[Correction], also: Also | None = None
) -> tuple[load.Loaded | None, dict[int, Refusal]]:
    """Apply those corrections of one stream that pass, all in one transaction; return why the others do not.

    `also` is done in the same transaction, given the cursor and the places of those that pass.

    Whether one passes may depend on another (two records claim one number), so those that are left are tried again
    until all of them pass.
    """
    refused: dict[int, Refusal] = {}
    while left := [place for place in range(len(wanted)) if place not in refused]:
        try:
            with transaction(work) as cursor:
                loaded = correct(cursor, work, line, [wanted[place] for place in left])
                if also is not None:
                    also(cursor, left)
        except SomeRefused as some:
            refused |= {left[place]: why for place, why in some.refused.items()}
        else:
            return loaded, refused
    return None, refused


def correct(cursor: stage.Cursor, work: Work, line: Line, wanted: Sequence[Correction]) -> load.Loaded:
    """Apply corrections inside the present transaction.

    Raises:
        SomeRefused: some do not pass; nothing was archived, and the caller's transaction is to keep nothing.
    """
    piece = Slice(
        stream=line.spec.name, records=[one.record for one in wanted], rows=[one.row for one in wanted],
        state=line.state, mends={place: one.mend for place, one in enumerate(wanted)},
    )  # fmt: skip
    stage.reset(cursor)

    def mind(loaded: load.Loaded) -> None:
        if refused := _refused(wanted, loaded):
            raise SomeRefused(refused)

    loaded = batches.again(
        cursor, work, line, piece, kind=KIND, waiters=[one.waiter for one in wanted if one.waiter is not None],
        status="corrected", keys=[one.key for one in wanted], mind=mind,
    )  # fmt: skip
    note(cursor, line, piece, loaded, wanted)
    return loaded


def judge(desk: Desk, register: Register, wanted: Sequence[Correction]) -> dict[int, Refusal]:
    """Return what is wrong with corrections as far as their records alone show it; nothing is written.

    Whether another record or a newer version stands against one is found when it is applied.
    """
    piece = Slice(
        stream=desk.mapping.name, records=[one.record for one in wanted], rows=[one.row for one in wanted], state={},
        mends={place: one.mend for place, one in enumerate(wanted)},
    )  # fmt: skip
    incoming = prepare(desk, piece, register, drop_known=False, known_keys=[one.key for one in wanted]).incoming
    outcomes = ["quarantined" if bad else "new" for bad in incoming.refused]
    return _refused(wanted, load.Loaded(0, len(wanted), outcomes=outcomes, told=incoming.findings))


def note(
    cursor: stage.Cursor, line: Line, piece: Slice, loaded: load.Loaded, wanted: Sequence[Correction] = ()
) -> None:
    """Write down which corrections a batch applied; a rebuild knows nothing of their proposals."""
    done = []
    for place, mend in sorted(piece.mends.items()):
        step = mend.steps[-1]
        one = wanted[place] if wanted else None
        now = {pointer: taken(piece.records[place], Field.of(pointer).path) for pointer in step.was}
        done.append(
            corrections.Applied(
                loaded.record_ids[place], mend.received, tuple(step.was), line.desk.lock(jsontext.dumps(now)),
                step.reason, step.proposed_by, datetime.fromisoformat(step.proposed_at), step.approved_by,
                datetime.fromisoformat(step.approved_at), one.correction_id if one else None,
                one.waiter.waiting_id if one and one.waiter else None,
            )
        )  # fmt: skip
    corrections.applied(cursor, stream_id=line.stream_id, batch_id=loaded.batch_id, done=done)


def _refused(wanted: Sequence[Correction], loaded: load.Loaded) -> dict[int, Refusal]:
    """Return the corrections that must not stand, with all that was found on their records."""
    told: dict[int, list[Finding]] = {}
    for finding in loaded.told:
        if finding.record >= 0 and finding.rule != RULE:
            told.setdefault(finding.record, []).append(finding)
    refused: dict[int, Refusal] = {}
    for place, (one, outcome) in enumerate(zip(wanted, loaded.outcomes, strict=True)):
        found = tuple(told.get(place, ()))
        if outcome == "stale":
            refused[place] = Refusal("a newer version of the record stands already", found)
        elif outcome == "quarantined":
            refused[place] = Refusal("the record as mended would be refused", found)
        elif wrong := tuple(said for said in found if _speaks_of(said, one.pointers)):
            refused[place] = Refusal("a mended field would be flagged", wrong)
        elif outcome == "unchanged" and one.waiter is None:
            refused[place] = Refusal("the change makes no difference to what the record says")
    return refused


def _speaks_of(finding: Finding, pointers: Iterable[str]) -> bool:
    said = set((finding.pointer or "").split(", "))
    return not said.isdisjoint(pointers)


def as_row(finding: Finding, **more: Any) -> dict[str, Any]:
    """Return a finding as people read it, without its value."""
    return {
        "rule": finding.rule, "effect": "refuse" if finding.refuses else "flag", "field": finding.field,
        "pointer": finding.pointer, "detail": dict(finding.detail), **more,
    }  # fmt: skip
