"""Runs suites over what is held of departments, or over one batch, and keeps what they found.

`check` is what the command, the quality DAG and the pages call. A run over all rows of streams is the present word on
them (`quality.set_result.latest`); a run over one batch says what that delivery brought and is kept beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connectors.source import Source
from hub.documents import Documents
from hub.errors import HubError
from normalization.mapping import load_mapping
from quality.bounds import fill
from quality.sets import store
from quality.sets.relation import Scope, laid_out, suite_names

if TYPE_CHECKING:
    from quality.sets.run import Result
    from quality.sets.suite import Suite

DEFAULT_ZONE = "Asia/Shanghai"
Progress = Callable[[str, int], None]
"""Called after each suite with its document and the number of rows that it looked at."""


class NothingToCheck(HubError):
    """There is no such batch, or nothing was ever read of the source."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found: every result, and whether it speaks of one batch or of all that is held."""

    run_id: int | None
    at: datetime
    batch: int | None
    rows: int
    results: Sequence[Result]

    @property
    def failed(self) -> list[Result]:
        """Return the results of the expectations that do not hold."""
        return [one for one in self.results if not one.success]

    @property
    def blocking(self) -> list[Result]:
        """Return the failed results of `min` bounds: something is missing or broken, and publishing must wait."""
        return [one for one in self.failed if one.detail["bound"] == "min"]


@dataclass(frozen=True, slots=True)
class _Line:
    stream_id: int
    source_system_id: int
    source: str


def check(
    engine: sa.Engine, sources: Sequence[Source], documents: Documents, *,
    source: str | Collection[str] | None = None, batch: int | None = None, as_of: date | None = None,
    only: Collection[str] | None = None, suites: Mapping[str, Suite] | None = None, keep: bool = True,
    progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Run the suites and keep their results.

    `sources` are the declared ones (for their time zones, and whether they tell the five stages). `source` (one code,
    or several) and `batch` narrow what is looked at; `as_of` is the day at whose end the sets are judged (today's
    moment without it); `only` names the documents. With `keep` off, nothing is written.

    Raises:
        NothingToCheck: no such batch or source in the repository.
        SuiteError: a suite did not load whole.
        SuiteTrouble: a suite could not be run to its end; nothing of this run is kept.
    """
    chosen = [name for name in (suites or suite_names()) if only is None or name in only]
    now = datetime.now(UTC)
    lines = _lines(engine, source, batch)
    found: list[Result] = []
    rows = 0
    # The library takes seconds to import; the server lays out the first rows meanwhile.
    with ThreadPoolExecutor(1) as beside, engine.connect() as connection:
        library = beside.submit(_library)
        for scope in _scopes(lines, sources, documents, as_of, now, batch):
            for name in chosen:
                with laid_out(connection, name, scope) as size:
                    judge, load = library.result()
                    suite = (suites or load())[name]
                    found += judge(connection, suite) if size else []
                rows += size
                if progress is not None:
                    progress(name, size)
    streams = [line.stream_id for line in lines]
    if suites is None:  # what people bounded stands beside the suites that are shipped
        found += fill.judge(engine, streams, only=only, batch=batch)
        chosen = [*chosen, fill.SUITE]
    run_id = store.write(engine, found, at=now, streams=streams, suites=chosen, batch=batch) if keep else None
    return Report(run_id, now, batch, rows, found)


def _library() -> tuple[Callable[[sa.Connection, Suite], list[Result]], Callable[[], Mapping[str, Suite]]]:
    """Import what judges, and what loads suites."""
    from quality.sets import run, suite  # noqa: PLC0415  # only a run needs the library

    return run.judge, suite.suites


def _lines(engine: sa.Engine, source: str | Collection[str] | None, batch: int | None) -> list[_Line]:
    codes = [source] if isinstance(source, str) else None if source is None else sorted(source)
    query = sa.text(
        """SELECT s.stream_id, s.source_system_id, ss.code FROM ledger.stream AS s
           JOIN core.source_system AS ss USING (source_system_id)
           WHERE (CAST(:codes AS text[]) IS NULL OR ss.code = ANY(:codes))
             AND (CAST(:batch AS bigint) IS NULL
                  OR s.stream_id = (SELECT b.stream_id FROM ledger.batch AS b WHERE b.batch_id = :batch))
           ORDER BY s.stream_id"""
    )
    with engine.connect() as connection:
        lines = [_Line(*row) for row in connection.execute(query, {"codes": codes, "batch": batch})]
    if not lines:
        of = f" of source {', '.join(codes)}" if codes else ""
        what = f"there is no batch {batch}{of}" if batch is not None else f"nothing has been read yet{of}"
        raise NothingToCheck(f"{what}: `hub batch list` shows the batches, `hub source list` the sources.")
    return lines


def _scopes(
    lines: Sequence[_Line], sources: Sequence[Source], documents: Documents, as_of: date | None, now: datetime,
    batch: int | None,
) -> Iterator[Scope]:  # fmt: skip
    """Yield a scope for each time zone."""
    declared = {one.code: one for one in sources}
    five = _tell_five_stages(
        [declared[code] for code in sorted({line.source for line in lines}) if code in declared], documents
    )
    zones: dict[str, list[_Line]] = {}
    for line in lines:
        known = declared.get(line.source)
        zones.setdefault(known.time_zone if known else DEFAULT_ZONE, []).append(line)
    for zone, mine in sorted(zones.items()):
        yield Scope(
            streams=[line.stream_id for line in mine],
            zone=zone,
            as_of=now if as_of is None else datetime.combine(as_of, time.max, ZoneInfo(zone)),
            five_stages=sorted({line.source_system_id for line in mine if line.source in five}),
            batch=batch,
        )


def _tell_five_stages(sources: Sequence[Source], documents: Documents) -> set[str]:
    """Return the codes of those sources whose mapping declares the five stages; a mapping is read once."""
    said: dict[object, bool] = {}
    for one in sources:
        if one.mapping not in said:
            streams = load_mapping(one.mapping, documents).streams.values()
            said[one.mapping] = any(stream.process == "five_stages" for stream in streams)
    return {one.code for one in sources if said[one.mapping]}
