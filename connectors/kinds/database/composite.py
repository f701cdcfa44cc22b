"""Reads rows of PostgreSQL as columns: the server hands over each row as one text, which is taken apart by column.

A row of fifty columns is then one Python object instead of fifty, and most records never become an object at all.
The text is PostgreSQL's own form of a row (its documentation, 8.16.6 "Composite Type Input and Output Syntax"): fields
parted by commas, quoted where need be, quotation marks and backslashes doubled inside, NULL as nothing. But for the
doubled backslash that is CSV. Only types whose text is what a record holds are read so; all others go row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import sqlalchemy as sa

from connectors.kinds.database.fetch import stream_rows, types_of
from connectors.kinds.database.plan import Plan
from hub.errors import InternalError
from hub.table import TEXT, Column, Table

_TEXTS = frozenset({19, 25, 1043, 1082, 1083, 1266, 1114, 1184, 1186, 1700, 790, 2950, 1560, 1562})
"""Object ids of types whose text is the value: name, text, varchar, instants, numeric, money, uuid, bit."""
_INTEGERS = frozenset({20, 21, 23})
_BOOLEAN, _PADDED = 16, 1042
_MOST_COLUMNS = 1600
_MOST_TEXT = 64 << 20
"""So many characters are taken apart at a time; a single longer row still goes alone."""

TablesOf = Callable[[sa.Select[Any], int], Generator[Table, None, None]]


def tables_of(connection: sa.Connection, plan: Plan) -> TablesOf | None:
    """Return what reads statements over the plan's columns as tables; None where a type must be read row by row."""
    columns, names = plan.columns, plan.names
    if connection.dialect.name != "postgresql" or plan.stored is not None:
        return None
    if not 1 < len(set(names)) == len(columns) < _MOST_COLUMNS:
        return None
    types = types_of(connection, sa.select(*columns).limit(0))
    if not set(types) <= _TEXTS | _INTEGERS | {_BOOLEAN, _PADDED}:
        return None
    row = sa.cast(sa.func.row(*columns), sa.Text)

    def read(statement: sa.Select[Any], size: int) -> Generator[Table]:
        for rows in stream_rows(connection, statement.with_only_columns(row), size):
            yield _taken_apart([one[0] for one in rows], names, types)

    return read


def _taken_apart(rows: Sequence[str], names: Sequence[str], types: Sequence[int]) -> Table:
    data = pa.concat_tables([_parsed(some, len(names)) for some in _portions(rows)])
    if data.num_rows != len(rows):
        raise InternalError(f"{len(rows)} rows of PostgreSQL were taken apart into {data.num_rows}")
    doubled = any("\\" in row for row in rows)
    columns = [
        _column(name, data.column(place).combine_chunks(), kind, doubled=doubled)
        for place, (name, kind) in enumerate(zip(names, types, strict=True))
    ]
    return Table(columns, len(rows))


def _portions(rows: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut rows into runs of bounded length."""
    if sum(map(len, rows)) <= _MOST_TEXT:
        yield rows
        return
    start = length = 0
    for place, row in enumerate(rows):
        if length + len(row) > _MOST_TEXT and place > start:
            yield rows[start:place]
            start, length = place, 0
        length += len(row)
    yield rows[start:]


def _parsed(rows: Sequence[str], width: int) -> pa.Table:
    # The first line is no row: a byte order mark at the very beginning would be taken for one of the file's.
    data = "\n".join(["-", *(row[1:-1] for row in rows)]).encode()
    labels = [str(place) for place in range(width)]
    return pyarrow.csv.read_csv(
        pa.py_buffer(data),
        read_options=pyarrow.csv.ReadOptions(
            column_names=labels, skip_rows=1, use_threads=False, block_size=len(data) + 1
        ),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(labels, TEXT), null_values=[""], strings_can_be_null=True,
            quoted_strings_can_be_null=False, check_utf8=False,
        ),
    )  # fmt: skip


def _column(name: str, texts: Any, kind: int, *, doubled: bool) -> Column:
    if kind in _INTEGERS:
        return Column(name, texts, literal=True)
    if kind == _BOOLEAN:
        truth = pc.if_else(pc.equal(texts, "t"), pa.scalar("true", TEXT), pa.scalar("false", TEXT))
        return Column(name, truth, literal=True)
    if doubled:
        texts = pc.replace_substring(texts, "\\\\", "\\")
    return Column(name, pc.utf8_rtrim(texts, " ") if kind == _PADDED else texts)
