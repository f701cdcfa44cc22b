"""Pulls a source: all its streams in order, slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors.registry import open_connector
from connectors.seam import Acknowledges, Connections, Connector, KeepsUnits, ReadsWindows, Tidies, Window
from connectors.source import Source
from hub.errors import RefuseUnit, StopSource
from hub.records import Slice
from normalization.apply import Context, Occurrences
from normalization.entry import entered
from normalization.mapping import Mapping as FieldMapping
from normalization.mapping import StreamMapping, load_mapping
from pipeline.fates import PASSED
from pipeline.preparing.desk import Desk
from pipeline.preparing.prepare import Prepared
from pipeline.pulls import pulling, snapshots
from pipeline.pulls.ahead import ahead, as_it_is
from pipeline.pulls.bounds import bounded
from pipeline.pulls.courier import courier
from pipeline.pulls.mapped import corrected
from pipeline.pulls.memory import sparing
from pipeline.pulls.troubles import Troubles
from pipeline.runtime import Connection, Runtime
from pipeline.work import Line, Refused, Work, facts_of
from pipeline.writing import batches, budget, contract, envelopes, filled, receipts, units
from sharedrepo.feeds import streams
from sharedrepo.models import OUTCOMES
from validation.structure import StructureJudge

Progress = Callable[[str, str, int], None]
"""Called after each batch with source, stream and the number of records read."""


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What one pull of a stream did."""

    stream: str
    read: int
    batches: int
    counts: dict[str, int]
    refused_units: tuple[str, ...]
    absent: int = 0
    """Records that were closed because a whole snapshot no longer held them; they were not read."""

    @property
    def balanced(self) -> bool:
        """Say whether every record that was read is counted once."""
        return self.read == sum(self.counts.values())


@dataclass(slots=True)
class ExchangeReport:
    """What one pull of a source did."""

    source: str
    streams: list[StreamReport] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Say whether every stream balances."""
        return all(one.balanced for one in self.streams)

    def as_dict(self) -> dict[str, Any]:
        """Return ids and counts only."""
        return {
            "source": self.source,
            "balanced": self.balanced,
            "streams": [
                {
                    "stream": one.stream, "read": one.read, "batches": one.batches, **one.counts,
                    "balanced": one.balanced, "refused_units": list(one.refused_units), "absent": one.absent,
                }
                for one in self.streams
            ],
        }  # fmt: skip


def exchange(
    source: Source,
    *,
    connections: Connections | None = None,
    runtime: Runtime | None = None,
    full: bool = False,
    dry_run: bool = False,
    window: Window | None = None,
    progress: Progress | None = None,
) -> ExchangeReport:
    """Pull all streams of a source; `full` reads everything again, `dry_run` keeps nothing.

    `window` reads by business date instead, from wherever: what comes is merged as always, and the live cursor stays.

    Raises:
        SourceBusy: another pull of this source is running.
        SourceTrouble: the source broke off or needs a person; batches that were committed stay. Where it is one
            stream's trouble, the others were pulled.
        ConfigError: the source's mapping is wrong.
    """
    runtime = runtime or Runtime.open()
    source = bounded(runtime, source)
    mapping = corrected(load_mapping(source.mapping, runtime.documents), source)
    resolve = connections or runtime.settings.connection
    connector = open_connector(source, resolve, keyed_hash=runtime.protector.content_hash)
    report, troubles = ExchangeReport(source.code), Troubles(source.code)
    if dry_run and isinstance(connector, Acknowledges):
        connector.only_look()
    if not dry_run:
        snapshots.keep(runtime, mapping, source.mapping)
    with opened(runtime, source, mapping) as work, sparing() as between:
        work.archiving = not dry_run
        how, note = _How(full, dry_run, window), _noting(progress, between)
        for line in work.lines.values():
            troubles.bear(partial(_pull, work, line, connector, how, note))
            report.streams.append(_stream_report(line))
    troubles.tell()
    return report


class opened:  # noqa: N801  # a context manager, read as a verb
    """Opens a source for work: its lock held, its streams and desks ready.

    `on` is a connection of the caller's, who keeps it: then only the lock is let go at the end. `wait` is how many
    seconds others who hold the source are waited for.
    """

    def __init__(
        self, runtime: Runtime, source: Source, mapping: FieldMapping, *,
        read_at: datetime | None = None, on: Connection | None = None, wait: float = 0,
    ) -> None:  # fmt: skip
        self._runtime, self._source, self._mapping, self._wait = runtime, source, mapping, wait
        self._read_at = read_at or datetime.now(UTC)
        self._connection = runtime.connection() if on is None else runtime.lent(on)

    def __enter__(self) -> Work:
        connection = self._connection.__enter__()
        try:
            return self._open(connection)
        except BaseException as error:
            self._connection.__exit__(type(error), error, error.__traceback__)
            raise

    def _open(self, connection: Connection) -> Work:
        runtime, source, mapping = self._runtime, self._source, self._mapping
        with connection.cursor() as cursor:
            number = streams.source_system_id(cursor, facts_of(source))
            connection.commit()
            runtime.hold_source(connection, number, source.code, wait=self._wait)
            lines = {
                name: Line(
                    spec, *streams.stream(cursor, number, name), desk_of(runtime, source, mapping, name, self._read_at)
                )
                for name, spec in source.streams.items()
            }
            connection.commit()
        five_stages = any(one.process == "five_stages" for one in mapping.streams.values())
        return Work(runtime, connection, source, number, lines, mapping.version, five_stages, self._read_at)

    def __exit__(self, *error: Any) -> None:
        self._connection.__exit__(*error)


def desk_of(runtime: Runtime, source: Source, mapping: FieldMapping, name: str, read_at: datetime) -> Desk:
    """Make what the slices of one stream are prepared with."""
    protector = runtime.protector
    stream = entered(mapping.streams[name], runtime.documents, source.entry_mode)
    context = Context(
        source=source.code,
        organ=source.organ,
        region=source.region,
        time_zone=source.time_zone,
        read_at=read_at,
        keyed_hash=protector.content_hash,
    )
    # Of a field that no record of a batch has nothing can be said where posts were gathered by chance.
    sparse = source.kind == "push"
    shown = shown_fields(stream)
    judge = StructureJudge(dict(stream.schema), source.streams[name].contract, sparse=sparse, shown=shown)
    lock = runtime.archive.data_keys.locker(source.code, f"{read_at:%Y-%m}")
    return Desk(stream, judge, runtime.documents, protector, context, Occurrences(), lock, shown)


def shown_fields(stream: StreamMapping) -> frozenset[str]:
    """Return the fields whose raw values findings may show: those that go to columns of no person."""
    used = {one.path[0] for made in stream.yields for column in made.columns for one in column.fields}
    return frozenset(used - {one.path[0] for one in stream.personal})


def _noting(progress: Progress | None, between: Callable[[], None]) -> Progress:
    """Return what is called after each batch: the caller's own progress, then the housekeeping."""

    def note(source: str, stream: str, read: int) -> None:
        if progress is not None:
            progress(source, stream, read)
        between()

    return note


@dataclass(frozen=True, slots=True)
class _How:
    """How a pull was asked for."""

    full: bool = False
    dry_run: bool = False
    window: Window | None = None


def _pull(work: Work, line: Line, connector: Connector, how: _How, progress: Progress) -> None:
    """Read a stream to its end; a unit that is refused whole is set aside and the rest goes on."""
    line.in_units, line.backfill = isinstance(connector, KeepsUnits), how.window is not None
    whole = line.in_units or line.spec.cursor is None or how.full
    line.snapshot = line.spec.deletion == "snapshot" and whole and not line.backfill and not how.dry_run
    if not how.dry_run:
        receipts.deliver(work, line, connector)
        _tidy(line, connector)
    with work.runtime.connection() as reader, courier(work, line, connector, idle=how.dry_run) as tell:
        slices = ahead(_read(work, line, connector, how), as_it_is)
        with closing(ahead(slices, batches.Preparer(work, line, reader))) as ready:
            for piece, prepared in ready:
                if isinstance(piece, Refused):
                    units.refuse(work, line, piece, dry_run=how.dry_run)
                    continue
                _take(work, line, piece, prepared, how)
                tell()
                progress(work.source.code, line.spec.name, piece.read)
    if not how.dry_run and not line.backfill:
        units.finish(work, line)
        _tidy(line, connector)


def _take(work: Work, line: Line, piece: Slice, prepared: Prepared | None, how: _How) -> None:
    """Write a slice, hold it where its delivery is not to be published, or pass it over where its number is known.

    A back-fill takes nothing out of a delivery that stands aside: nothing of it is published before it is accepted.
    """
    unit = piece.unit.name if piece.unit else None
    if line.backfill and line.in_units and unit is not None and units.stands_aside(work, line, unit):
        line.refused_units += [unit] if unit not in line.refused_units else []
        return
    fate = envelopes.fate_of(work, line, piece, full=how.full)
    if fate in PASSED:
        units.pass_over(work, line, piece, fate, dry_run=how.dry_run)
        return
    why = envelopes.refusals(piece, fate)
    if not why and prepared is not None:
        if broken := contract.frozen(prepared):
            contract.stop(work, line, piece, broken, dry_run=how.dry_run)
        over = budget.judge(line, piece, prepared)
        why = (*(() if over is None else (over,)), *filled.judge(line, piece, prepared))
    if prepared is None or why:
        units.hold(work, line, piece, dry_run=how.dry_run, why=why)
        line.snapshot_unit = None  # a delivery that is held in part is no whole snapshot
    else:
        pulling.run(work, line, piece, prepared, dry_run=how.dry_run)


def _read(work: Work, line: Line, connector: Connector, how: _How) -> Generator[Slice | Refused]:
    size = work.runtime.settings.slice_size
    if how.window is None:
        return _slices(line, connector, size, full=how.full)
    return _window(work.source.code, line, connector, how.window, size)


def _tidy(line: Line, connector: Connector) -> None:
    """Let the connector put away what is committed."""
    if isinstance(connector, Tidies):
        connector.tidy(line.spec, line.state)


def _window(code: str, line: Line, connector: Connector, window: Window, size: int) -> Generator[Slice | Refused]:
    """Yield the slices of a window of business dates; each leaves the stream where it stands."""
    if not isinstance(connector, ReadsWindows):
        raise StopSource(
            source=code, stream=line.spec.name, got="this kind of source cannot be read by date",
            known="database, exchange_table, files, xes, workbook, rest, soap",
            hint="Read everything again with --full, where it can be read again; `hub retranslate` works on what came.",
        )  # fmt: skip
    for piece in connector.read_window(line.spec, window, slice_size=size):
        piece.state = line.state
        yield piece


def _slices(line: Line, connector: Connector, size: int, *, full: bool) -> Generator[Slice | Refused]:
    state = line.state
    while True:
        try:
            for piece in connector.read(line.spec, state, slice_size=size, full=full):
                state = piece.state
                yield piece
        except RefuseUnit as refusal:
            if refusal.left_waiting:
                yield Refused(refusal, state, ())
                return
            if not isinstance(connector, KeepsUnits) or refusal.unit is None:
                raise
            state = connector.skip(line.spec, state, refusal.unit)
            yield Refused(refusal, state, tuple(connector.raw(line.spec, refusal.unit)))
            full = False
        else:
            return


def _stream_report(line: Line) -> StreamReport:
    counts = {outcome: line.counts.get(outcome, 0) for outcome in OUTCOMES}
    return StreamReport(line.spec.name, line.read, line.batches, counts, tuple(line.refused_units), line.absent)
