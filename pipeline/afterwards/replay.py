"""Takes records in again: quarantined ones under the present mapping, held units that a person accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.source import Source
from hub.errors import RepositoryError
from hub.records import Slice, Unit
from hub.remark import one_line
from hub.sentences import sentence
from pipeline.preparing.archived import fill
from pipeline.pulls import snapshots
from pipeline.pulls.exchange import opened
from pipeline.pulls.mapped import mapping_of
from pipeline.runtime import Runtime
from pipeline.work import transaction
from pipeline.writing import absence, batches
from sharedrepo.feeds import units as kept
from sharedrepo.feeds.envelopes import CONFLICT as CONFLICTING
from sharedrepo.telling import lists
from sharedrepo.worklist import waiting

CONFLICT = "version_conflict"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the records that were taken in again."""

    source: str
    counts: dict[str, int]


def replay(
    runtime: Runtime, source: Source, ids: Sequence[int] = (), *, rule: str | None = None, wait: float = 0
) -> Replayed:
    """Judge quarantined records of a source again; those that pass are kept, the others go on waiting.

    Without `ids` all of them, or all that `rule` sent there, but conflicting versions: which of two contents is right,
    a person decides by its id.
    """
    mapping = mapping_of(runtime, source)
    snapshots.keep(runtime, mapping, source.mapping)
    counts: Counter[str] = Counter()
    with opened(runtime, source, mapping, wait=wait) as work:
        for line in work.lines.values():
            with transaction(work) as cursor:
                entries = [
                    one for one in waiting.quarantined(cursor, line.stream_id, list(ids), rule=rule)
                    if ids or CONFLICT not in one.rules
                ]  # fmt: skip
                if entries:
                    piece, keys = batches.slice_of(work, line, entries)
                    done = batches.again(cursor, work, line, piece, kind="replay", waiters=entries, keys=keys)
                    counts += done.counts
    return Replayed(source.code, dict(counts))


def accept(
    runtime: Runtime, source: Source, batch_id: int, reason: str, *, actor: str | None = None
) -> Replayed:  # fmt: skip
    """Publish a held unit after all, on a person's word: all held batches of its unit are taken in.

    The reason and who gave it (`account:<code>`, `airflow:<user>` or `cli:<user>`) are kept with the batches and in
    the archive.

    Raises:
        RepositoryError: no reason, no such held batch of this source, or its unit could not be read at all.
    """
    reason = one_line(reason)
    if not reason:
        raise RepositoryError(
            sentence(
                "batch {batch} of {source} stays held: no reason was given. Say why it is right.",
                batch=batch_id,
                source=source.code,
            )
        )
    held = lists.held_unit(runtime.engine, source.code, batch_id)
    if not held:
        known = [row["batch"] for row in lists.batches(runtime.engine, source=source.code, status="held")]
        raise RepositoryError(
            sentence(
                "source {source} holds no batch {batch}; held are: {known}.",
                source=source.code,
                batch=batch_id,
                known=", ".join(map(str, known)) or "–",
            )
        )
    mapping = mapping_of(runtime, source)
    snapshots.keep(runtime, mapping, source.mapping)
    counts: Counter[str] = Counter()
    with opened(runtime, source, mapping) as work:
        work.actor = actor
        for row in held:
            line = work.lines[row["stream"]]
            header, lines = runtime.archive.open(row["archive"])
            if "refused" in header:
                raise RepositoryError(
                    sentence(
                        "batch {batch} holds {unit}, which could not be read: {got}. It cannot be accepted; ask the "
                        "department to send it again.",
                        batch=row["batch"],
                        unit=row["unit"],
                        got=header["refused"]["got"],
                    )
                )
            piece = Slice(stream=line.spec.name, records=[], rows=[], state=line.state, unit=_unit(row, header))
            piece.unit_ends = bool(header["unit_ends"])
            keys = fill(piece, lines)
            gone = header["kind"] == absence.KIND
            with transaction(work) as cursor:
                if gone:
                    absence.must_be_newest(cursor, line, row["batch"])
                loaded = batches.again(
                    cursor, work, line, piece, kind=absence.KIND if gone else "accept", reason=reason,
                    keys=keys if gone else None,
                )  # fmt: skip
                kept.accepted(cursor, row["batch"], loaded.batch_id)
                counts += loaded.counts
    return Replayed(source.code, dict(counts))


def _unit(row: dict[str, Any], header: Mapping[str, Any]) -> Unit:
    """Return the held unit with its envelope, whose number counts from now on; in a conflict the first one stands."""
    unit = batches.unit_of(header["unit"]) or Unit(row["unit"] or "")
    first_stands = (header.get("held") or {}).get("rule") == CONFLICTING
    return Unit(unit.name, envelope=None if first_stands else unit.envelope)
