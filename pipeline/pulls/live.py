"""Asks a source for the records of one number, and takes in what it brings by the way that every record goes.

A live question is a pull narrowed to a number: the same judge, mapping, merge, batch, archive and ledger. The stream
stays where it stands, nothing is said of how far it is complete, and nothing is absent because it did not come. What
is said of a delivery as a whole (its budget, how much it fills) is said of no handful of records.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from connectors.loading import load_sources, source_folders
from connectors.registry import open_connector
from connectors.seam import Connections, LooksUp, Sought
from connectors.source import Source
from hub.errors import ConfigError, Fault, StopSource
from hub.records import Slice
from pipeline.preparing.prepare import Prepared, prepare
from pipeline.pulls import pulling, snapshots
from pipeline.pulls.bounds import bounded
from pipeline.pulls.exchange import opened
from pipeline.pulls.mapped import mapping_of
from pipeline.runtime import Runtime
from pipeline.work import Line, Work
from pipeline.writing import contract
from sharedrepo.writing.known import Register

log = logging.getLogger("hub.live")

By = Literal["credential", "holder"]
"""What a stream is asked by: the entry of its `look_up` that names the field of this number."""
MOST: Final[dict[By, int]] = {"credential": 100, "holder": 500}
"""So many records may bear one number; a holder may have more of them than a credential."""

# A record that was kept earlier stays so while what came of it now waits: that is not what the system says.
_STANDING = """SELECT r.record_id FROM ledger.source_record AS r WHERE r.record_id = ANY(%s) AND r.state = 'kept'
    AND NOT EXISTS (SELECT FROM ledger.waiting AS w WHERE w.record_id = r.record_id AND w.status = 'open')"""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a live question brought: how many records, those of the register that are kept now, and how many of what
    came are not."""

    read: int
    kept: frozenset[int] = frozenset()
    refused: int = 0


def declared(paths: Iterable[Path]) -> dict[tuple[str, str], Source]:
    """Return the streams that may be asked, by the codes of source and stream; a folder that is wrong is left out."""
    found: dict[tuple[str, str], Source] = {}
    for folder in source_folders(paths):
        try:
            sources = load_sources([folder])
        except (ConfigError, FileNotFoundError) as error:
            log.error("source folder %s is not asked live: %s", folder.name, error)  # noqa: TRY400  # its words say it all
            continue
        for source in sources:
            for name, stream in source.streams.items():
                if stream.look_up:
                    found.setdefault((source.code, name), source)
    return found


def look_up(
    runtime: Runtime, source: Source, stream: str, values: Sequence[str], *, by: By = "credential", seconds: float,
    wait: float, connections: Connections | None = None,
) -> Brought:  # fmt: skip
    """Ask one stream of a source for the records that bear a number, written in one of some ways, and take them in.

    The number is that of a credential or of a holder.

    The source has `seconds` to answer; others who work on it are waited for so long as `wait` says.

    Raises:
        SourceBusy: somebody else works on the source.
        SourceTrouble: it does not answer, or not so that it can be taken in; nothing was kept.
        ConfigError: the stream does not declare by which field it may be asked, or its mapping is wrong.
    """
    source = bounded(runtime, source)
    field = source.stream(stream).look_up.get(by)
    if field is None:
        said = f"stream {stream} has no `look_up` by {by}"
        raise ConfigError([Fault(str(source.folder / "source.yml"), 1, said)])
    mapping = mapping_of(runtime, source)
    connector = open_connector(
        source, connections or runtime.settings.connection, keyed_hash=runtime.protector.content_hash
    )
    if not isinstance(connector, LooksUp):
        raise StopSource(source=source.code, stream=stream, got="its connector cannot be asked for one number")
    snapshots.keep(runtime, mapping, source.mapping)
    with opened(runtime, source, mapping, wait=wait) as work:
        line = work.lines[stream]
        line.backfill = True
        piece = connector.look_up(line.spec, Sought(field, tuple(values), seconds, MOST[by]))
        return _taken(work, line, piece) if piece.read else Brought(0)


def _taken(work: Work, line: Line, piece: Slice) -> Brought:
    """Write what came as one batch; return what is kept of it."""
    piece.state = line.state
    prepared = _prepared(work, line, piece)
    if broken := contract.frozen(prepared):
        contract.stop(work, line, piece, broken, dry_run=False)
    loaded = pulling.run(work, line, piece, prepared)
    with work.connection.cursor() as cursor:
        cursor.execute(_STANDING, (loaded.record_ids,))
        kept = frozenset(number for (number,) in cursor.fetchall())
    work.connection.commit()
    return Brought(piece.read, kept, piece.read - sum(number in kept for number in loaded.record_ids))


def _prepared(work: Work, line: Line, piece: Slice) -> Prepared:
    """Prepare all that came: what is known already is named, too, for the answer stands on it."""
    with work.runtime.connection() as reader, reader.cursor() as cursor:
        return prepare(line.desk, piece, Register(cursor, line.stream_id), drop_known=False)
