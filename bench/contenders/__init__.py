"""What is measured, one module a contender: how it is made ready, how it is run, and how its rows are counted."""

from __future__ import annotations

from bench.contenders.base import Contender
from bench.contenders.dlt import Dlt
from bench.contenders.hub import Again, First
from bench.contenders.ready_rows import ReadyRows, bare_tables, production_tables


def all_contenders() -> list[Contender]:
    """Return the contenders in the order in which they run: the hub first, since the last two load its rows."""
    first = First()
    return [
        first,
        Again(first),
        ReadyRows("merge", "merge", "by hand: COPY of the ready rows and the same merge", production_tables),
        ReadyRows("copy", "copy", "plain COPY of the ready rows, tables without indexes", bare_tables),
        Dlt("dlt", "default", "dlt: sql_table, default backend, merge"),
        Dlt("dlt-fastest", "fastest", "dlt: its fastest way (arrow, parquet by ADBC, upsert)"),
    ]
