"""A source under work: its lock is held, its streams and their desks are ready."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.source import Source, StreamSpec
from hub.errors import RefuseUnit
from hub.records import Record, Unit
from pipeline.fates import Fate, Tally
from pipeline.preparing.desk import Desk
from pipeline.runtime import Connection, Runtime
from sharedrepo.feeds.streams import SourceFacts
from sharedrepo.staging import stage


@dataclass(frozen=True, slots=True)
class Refused:
    """A unit that was refused whole: why, the cursor after it, and its bytes as they lay there."""

    refusal: RefuseUnit
    state: Record
    raw: tuple[bytes, ...]


@dataclass(slots=True)
class Line:
    """One stream of the source on this pull: its number, its desk, where it stands, and what came so far."""

    spec: StreamSpec
    stream_id: int
    state: Record
    desk: Desk
    in_units: bool = False
    """Whether the source delivers in units (files) that can be held or refused alone."""
    counts: Counter[str] = field(default_factory=Counter)
    read: int = 0
    batches: int = 0
    refused_units: list[str] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    """Records of the present unit, to compare with its declared totals."""
    backfill: bool = False
    """Whether records are picked out, by their dates or a number: then the cursor and what is complete stay."""
    spent: Counter[str] = field(default_factory=Counter)
    """Of the present unit: records `read`, records `refused`, and whether it is `over` its budget."""
    filled: Counter[str] = field(default_factory=Counter)
    """Of the present unit, for each column whose fill rate is bounded: `rows`, `full` ones, whether it is `low`."""
    absent: int = 0
    """Records that were closed in this pull because a whole snapshot no longer held them."""
    newest: tuple[str | None, datetime | None] = (None, None)
    """The unit that is being read, and the newest report that it brought so far."""
    snapshot: bool = False
    """Whether each unit of this pull is the whole of the stream, so that what is absent from it is gone."""
    snapshot_unit: str | None = None
    """The snapshot that is being read; None between two."""
    snapshot_unsure: int = 0
    """How many of its records have no key that can be read: any of them may be one that seems absent."""
    fate: tuple[Unit | None, Fate] | None = None
    """The enveloped delivery that is under work, and what becomes of it by its number."""
    tally: Tally | None = None
    """What was found in it so far."""
    receipt: dict[str, Any] | None = None
    """What the receipt of the delivery that ended last says, for a source that is answered at once."""


@dataclass(slots=True)
class Work:
    """A source whose lock this process holds."""

    runtime: Runtime
    connection: Connection
    source: Source
    source_system_id: int
    lines: dict[str, Line]
    mapping_version: str
    five_stages: bool
    read_at: datetime
    first_batch_id: int | None = None
    last_batch_id: int | None = None
    written: frozenset[str] = frozenset()
    """Keys that the last batch wrote: the slice prepared meanwhile may not know of them."""
    released: bool = False
    """Parked records were released, or others taken back, in this pull: any key may have moved meanwhile."""
    actor: str | None = None
    """Who decided what is done now, where a person did; kept with each batch that has a reason."""
    archiving: bool = True
    """False where nothing is archived anew: in a dry run, and in a rebuild, whose batches name `replayed_key`."""
    replayed_key: str | None = None

    def line_of(self, stream_id: int) -> Line:
        """Return the stream with this number."""
        return next(line for line in self.lines.values() if line.stream_id == stream_id)

    def note(self, batch_id: int) -> None:
        """Remember the first and the last batch of this pull."""
        self.first_batch_id = self.first_batch_id or batch_id
        self.last_batch_id = batch_id


def facts_of(source: Source) -> SourceFacts:
    """Return what the repository keeps of a source."""
    return SourceFacts(
        code=source.code,
        title=source.title.get("en") or source.title.get("zh") or source.code,
        title_zh=source.title.get("zh"),
        organ=source.organ,
        region=source.region,
        kind=source.kind,
        profile=source.profile,
    )


@contextmanager
def transaction(work: Work, *, dry_run: bool = False) -> Iterator[stage.Cursor]:
    """Commit at the end what was done inside, or nothing of it; a dry run keeps nothing."""
    connection = work.connection
    try:
        with connection.cursor() as cursor:
            yield cursor
        if dry_run:
            connection.rollback()
        else:
            connection.commit()
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
