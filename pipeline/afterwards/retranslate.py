"""Applies a mended mapping to records that are kept: as new versions, with the difference shown first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from connectors.source import Source
from hub.records import Slice
from pipeline.preparing.archived import fill
from pipeline.pulls import snapshots
from pipeline.pulls.exchange import opened
from pipeline.pulls.mapped import mapping_of
from pipeline.runtime import Runtime
from pipeline.work import Line, Work, transaction
from pipeline.writing import batches
from sharedrepo.models import TABLES
from sharedrepo.staging import stage

_SKIPPED = frozenset({"record_id", "part", "batch_id", "content_hash", "reported_at", "sealed", "case_id"})


@dataclass(slots=True)
class Difference:
    """What a retranslation changes: outcomes of records, and for each `table.column` how many rows change."""

    source: str
    counts: Counter[str] = field(default_factory=Counter)
    columns: Counter[str] = field(default_factory=Counter)
    applied: bool = False


def retranslate(runtime: Runtime, source: Source, since: datetime, *, apply: bool) -> Difference:
    """Translate the kept records that were received since then with the present mapping.

    Without `apply` everything is done and nothing kept: the difference is what would change.
    """
    mapping = mapping_of(runtime, source)
    if apply:
        snapshots.keep(runtime, mapping, source.mapping)
    out = Difference(source.code, applied=apply)
    with opened(runtime, source, mapping) as work:
        work.archiving = apply
        for line, piece, keys in _pieces(runtime, work, since):
            with transaction(work, dry_run=not apply) as cursor:
                loaded = batches.again(cursor, work, line, piece, kind="retranslate", keys=keys)
                out.counts += loaded.counts
                out.columns += _changed(cursor, loaded.batch_id)
    return out


def _pieces(runtime: Runtime, work: Work, since: datetime) -> Iterator[tuple[Line, Slice, list[str]]]:
    """Yield, batch by batch, the records as received whose latest version that batch brought."""
    query = sa.text(
        """SELECT b.stream_id, b.archive_key, array_agg(r.row), array_agg(r.source_key)
           FROM ledger.batch AS b JOIN ledger.source_record AS r ON r.batch_id = b.batch_id
           WHERE b.source_system_id = :source AND b.read_at >= :since AND b.archive_key IS NOT NULL AND r.state = 'kept'
           GROUP BY b.stream_id, b.archive_key, b.seq ORDER BY b.seq"""
    )
    with runtime.engine.connect() as connection:
        found = connection.execute(query, {"source": work.source_system_id, "since": since}).all()
    for stream_id, key, rows, keys in found:
        line = work.line_of(stream_id)
        _header, lines = runtime.archive.open(key)
        piece = Slice(stream=line.spec.name, records=[], rows=[], state=line.state)
        yield line, piece, fill(piece, lines, only=set(zip(rows, keys, strict=True)))


def _changed(cursor: stage.Cursor, batch_id: int) -> Counter[str]:
    """Count, column by column, the rows that this batch changed (personal columns by their masks)."""
    out: Counter[str] = Counter()
    for name, table in TABLES.items():
        columns = [c.name for c in table.columns if c.name not in _SKIPPED and "hash" not in c.info]
        counted = ", ".join(f'count(*) FILTER (WHERE h."{c}" IS DISTINCT FROM t."{c}")' for c in columns)
        cursor.execute(
            f"""SELECT {counted} FROM core_history.{name} AS h LEFT JOIN core.{name} AS t USING (record_id, part)
                WHERE h.closed_by = %s""",
            (batch_id,),
        )
        row = cursor.fetchone() or ()
        out += Counter({f"{name}.{c}": int(count) for c, count in zip(columns, row, strict=True) if count})
    return out
