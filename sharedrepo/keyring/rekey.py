"""Re-keys the repository: every look-up hash and sealed value that an older root key made is made anew.

The tables' metadata says which columns these are (`info={"hash": kind}`, `info={"sealed": True}`); no name in the SQL
below comes from anywhere else. A table is walked
in ranges of blocks, each range a transaction of its own, so the work can be cut off anywhere and taken up again: what
is done carries the newest key's number. Rows that a pull holds are passed over and met again in the next round, so
re-keying never waits for a pull. Meanwhile look-ups ask for the hashes under every live key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import psycopg2.extensions
import sqlalchemy as sa

from hub.errors import RepositoryError
from hub.protect import Protector
from hub.protect.protector import HEADER_BYTES
from sharedrepo.models import metadata

BLOCKS: Final = 256
"""Blocks of 8 KiB that one transaction walks: some ten thousand rows."""
ROUNDS: Final = 10

Cursor = psycopg2.extensions.cursor
Progress = Callable[[str, int, int], None]
"""Told the table, the blocks walked and the blocks to walk."""


class StillInUse(RepositoryError):
    """Values are still under an older key."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """The keyed columns of one table; a hash has its kind and the name of the sealed part that it is made of."""

    schema: str
    table: str
    sealed: tuple[str, ...]
    hashes: Mapping[str, tuple[str, str]]

    @property
    def context(self) -> str:
        """Return what the table's values are sealed for: its name, so that a history image opens as its row does."""
        return self.table

    @property
    def columns(self) -> tuple[str, ...]:
        """Return all keyed columns, sealed ones first."""
        return (*self.sealed, *self.hashes)


def keyed_tables() -> list[Keyed]:
    """Return every table that holds keyed columns, as the metadata declares them."""
    found = []
    for table in sorted(metadata.tables.values(), key=lambda one: one.fullname):
        sealed = tuple(c.name for c in table.columns if c.info.get("sealed"))
        hashes = {c.name: (c.info["hash"], c.name.removesuffix("_hash")) for c in table.columns if c.info.get("hash")}
        if sealed or hashes:
            found.append(Keyed(str(table.schema), table.name, sealed, hashes))
    return found


def usage(engine: sa.Engine) -> Counter[bytes]:
    """Count the keyed values of the repository by their headers (algorithm and key number); this reads every row."""
    counts: Counter[bytes] = Counter()
    with engine.connect() as connection:
        for keyed in keyed_tables():
            for name in keyed.columns:
                sql = (
                    f'SELECT substr("{name}", 1, {HEADER_BYTES}), count(*) FROM "{keyed.schema}"."{keyed.table}" '
                    f'WHERE "{name}" IS NOT NULL GROUP BY 1'
                )
                for header, count in connection.execute(sa.text(sql)):
                    counts[bytes(header)] += count
    return counts


def in_use(engine: sa.Engine, number: int) -> list[str]:
    """Return the columns (schema.table.column) that hold a value under this key."""
    with engine.connect() as connection:
        return [
            f"{keyed.schema}.{keyed.table}.{name}"
            for keyed in keyed_tables()
            for name in keyed.columns
            if connection.scalar(
                sa.text(
                    f'SELECT EXISTS (SELECT FROM "{keyed.schema}"."{keyed.table}" '
                    f'WHERE substr("{name}", 2, 2) = :number)'
                ),
                {"number": number.to_bytes(2, "big")},
            )
        ]


def rekey(engine: sa.Engine, protector: Protector, progress: Progress | None = None) -> int:
    """Make every value anew that is not under the newest key; return how many rows were changed.

    Raises:
        StillInUse: pulls held rows in each of ten rounds; what was done stays done.
        KeyTrouble: a value cannot be opened; the range it stands in was left as it was.
    """
    done = 0
    for keyed in keyed_tables():
        for _ in range(ROUNDS):
            done += sum(_walk(engine, protector, keyed, progress))
            if not _left(engine, protector, keyed):
                break
        else:
            raise StillInUse(
                f"{keyed.schema}.{keyed.table} still holds values under an older key: pulls keep its rows. "
                "What was re-keyed stays so; run `hub key rotate` again when they have ended."
            )
    return done


def _walk(engine: sa.Engine, protector: Protector, keyed: Keyed, progress: Progress | None) -> Iterator[int]:
    """Re-key one table, leaf by leaf and range by range; yield the rows that each range changed."""
    for leaf, blocks in _leaves(engine, keyed):
        for start in range(0, blocks, BLOCKS):
            with engine.begin() as connection:
                cursor: Any = connection.connection.cursor()
                yield _rekey_range(cursor, protector, keyed, leaf, start)
            if progress is not None:
                progress(f"{keyed.schema}.{keyed.table}", min(start + BLOCKS, blocks), blocks)


def _leaves(engine: sa.Engine, keyed: Keyed) -> list[tuple[str, int]]:
    """Return the table's partitions (or itself) with the blocks that each has now."""
    sql = """
        SELECT leaf::regclass::text, pg_relation_size(leaf::regclass) / current_setting('block_size')::int
        FROM (SELECT relid AS leaf FROM pg_partition_tree(CAST(:name AS regclass)) WHERE isleaf
              UNION SELECT CAST(:name AS regclass)
              WHERE NOT EXISTS (SELECT FROM pg_partition_tree(CAST(:name AS regclass)))) AS leaves ORDER BY 1"""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(sql), {"name": f'"{keyed.schema}"."{keyed.table}"'})
        return [(str(leaf), int(blocks)) for leaf, blocks in rows]


def _rekey_range(cursor: Cursor, protector: Protector, keyed: Keyed, leaf: str, start: int) -> int:
    names = ", ".join(f'"{name}"' for name in keyed.columns)
    span = (f"({start},0)", f"({start + BLOCKS},0)")
    cursor.execute(
        f"SELECT ctid::text, {names} FROM {leaf} WHERE ctid >= %s::tid AND ctid < %s::tid "
        f"AND ({_older(keyed)}) FOR UPDATE SKIP LOCKED",
        (*span, *[_newest(protector)] * len(keyed.columns)),
    )
    rows = cursor.fetchall()
    if not rows:
        return 0
    columns = _anew(protector, keyed, [row[1:] for row in rows])
    sets = ", ".join(f'"{name}" = anew.c{i}' for i, name in enumerate(keyed.columns))
    aliases = ", ".join(f"c{i}" for i in range(len(keyed.columns)))
    arrays = ", ".join("%s::bytea[]" for _ in keyed.columns)
    cursor.execute(
        f"UPDATE {leaf} AS t SET {sets} FROM unnest(%s::text[]::tid[], {arrays}) AS anew(at, {aliases}) "
        "WHERE t.ctid = anew.at AND t.ctid >= %s::tid AND t.ctid < %s::tid",
        ([row[0] for row in rows], *columns, *span),
    )
    if cursor.rowcount != len(rows):
        raise RepositoryError(
            f"{leaf}: {cursor.rowcount} of {len(rows)} rows were re-keyed; the range was left as it was."
        )
    return len(rows)


def _anew(protector: Protector, keyed: Keyed, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return the rows' keyed columns under the newest key, column by column."""
    clear = [
        [None if row[i] is None else protector.unseal(row[i], context=keyed.context) for row in rows]
        for i in range(len(keyed.sealed))
    ]
    out = [_sealed_anew(protector, values, keyed.context) for values in clear]
    if keyed.hashes:
        parts = [{} if value is None else orjson.loads(value) for value in clear[0]]
        for i, (name, (kind, part)) in enumerate(keyed.hashes.items(), start=len(keyed.sealed)):
            texts = [None if row[i] is None else found.get(part) for row, found in zip(rows, parts, strict=True)]
            if any(text is None and row[i] is not None for text, row in zip(texts, rows, strict=True)):
                raise RepositoryError(f"{keyed.schema}.{keyed.table}.{name}: a hash stands beside no sealed {part!r}.")
            out.append(_binary(protector.lookup_many(kind, texts)))  # type: ignore[arg-type]  # the metadata's kinds; a test compares them
    return out


def _sealed_anew(protector: Protector, values: Sequence[bytes | None], context: str) -> list[Any]:
    sealed = iter(protector.seal_many([value for value in values if value is not None], context=context))
    return _binary([None if value is None else next(sealed) for value in values])


def _binary(values: Sequence[bytes | None]) -> list[Any]:
    return [None if value is None else psycopg2.Binary(value) for value in values]


def _left(engine: sa.Engine, protector: Protector, keyed: Keyed) -> bool:
    sql = f'SELECT EXISTS (SELECT FROM "{keyed.schema}"."{keyed.table}" WHERE {_older(keyed)})'
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(sql, [_newest(protector)] * len(keyed.columns))
        row = cursor.fetchone()
        return bool(row and row[0])


def _older(keyed: Keyed) -> str:
    return " OR ".join(f'substr("{name}", 2, 2) <> %s' for name in keyed.columns)


def _newest(protector: Protector) -> Any:
    return psycopg2.Binary(protector.ring.newest.number.to_bytes(2, "big"))
