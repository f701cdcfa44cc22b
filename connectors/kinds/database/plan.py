"""Plans how one stream is read: which columns, in which order, and between which bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.types import _Binary as Binary

from connectors.kinds.database.stored import Stored, stored
from connectors.source import StreamSpec
from hub.errors import SchemaMismatch, StreamMissing

_KNOWN = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """How a stream is read; `names` are the fields of its records, in the order of `columns`.

    `tie` are the key columns that order rows of one cursor value. `exact` says that (cursor, tie) tells every row
    from every other, so that reading can go on right after one; `resumable` that no tie column is ever NULL.
    """

    table: sa.TableClause
    columns: tuple[sa.ColumnClause[Any], ...]
    types: Mapping[str, sa.types.TypeEngine[Any]]
    names: tuple[str, ...]
    cursor: sa.ColumnClause[Any] | None
    tie: tuple[sa.ColumnClause[Any], ...]
    exact: bool
    resumable: bool
    stored: Stored | None = None

    @property
    def order(self) -> tuple[sa.ColumnClause[Any], ...]:
        """Return the columns that rows are ordered by."""
        first = () if self.cursor is None else (self.cursor,)
        return (*first, *(column for column in self.tie if column is not self.cursor))

    @property
    def positions(self) -> tuple[int, ...]:
        """Return where in a row the order columns stand."""
        return tuple(self.columns.index(column) for column in self.order)

    @property
    def floats(self) -> tuple[str, ...]:
        """Return the fields that may hold NaN or infinity, which JSON has not."""
        return tuple(
            name
            for name, column in zip(self.names, self.columns, strict=True)
            if isinstance(self.types[column.name], sa.Float)
        )

    @property
    def cursor_is_text(self) -> bool:
        """Say whether the cursor is compared as text."""
        return self.cursor is not None and isinstance(self.types[self.cursor.name], sa.String)

    def between(self, since: Any, after: Sequence[Any] | None, until: Any) -> list[sa.ColumnElement[bool]]:
        """Return the conditions of the rows in order: from `since` on, or behind the row `after`, up to `until`."""
        found: list[sa.ColumnElement[bool]] = []
        if after is not None:
            values = [self._bound(value) for value in after]
            here, there = sa.tuple_(*self.order), sa.tuple_(*(sa.literal(value) for value in values))
            found += [here > there if self.exact else here >= there]
            found.append(self.order[0] >= values[0])  # lets servers use an index that cannot compare rows
        elif self.cursor is not None and since is not None:
            found.append(self.cursor >= self._bound(since))
        if self.cursor is not None and until is not None:
            found.append(self.cursor <= self._bound(until))
            if self.cursor_is_text:
                found.append(self.cursor != "")
        return found

    def astray(self, until: Any, newest: Any) -> sa.ColumnElement[bool]:
        """Return the condition of the rows that no cursor can lead to: without a value, or beyond `until`.

        `newest` was the newest value when the pull began: what came since is the next pull's.
        """
        assert self.cursor is not None  # noqa: S101  # only streams with a cursor have such rows
        conditions: list[sa.ColumnElement[bool]] = [self.cursor.is_(None)]
        if self.cursor_is_text:
            conditions.append(self.cursor == "")
        if newest is not None:
            beyond = self.cursor <= self._bound(newest)
            conditions.append(beyond if until is None else sa.and_(self.cursor > self._bound(until), beyond))
        return sa.or_(*conditions)

    def _bound(self, value: Any) -> Any:
        return value if self.stored is None else self.stored.bound(value)

    @property
    def selected(self) -> tuple[sa.ColumnElement[Any], ...]:
        """Return what is selected for the columns: themselves, or their bytes."""
        return self.columns if self.stored is None else tuple(map(self.stored.selected, self.columns))

    def select(self, conditions: Sequence[sa.ColumnElement[bool]], limit: int | None = None) -> sa.Select[Any]:
        """Return the statement that reads the rows of `conditions` in order."""
        return sa.select(*self.selected).where(*conditions).order_by(*self.order).limit(limit)

    def count(self, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
        """Return the statement that counts the rows of `conditions`."""
        return sa.select(sa.func.count()).select_from(self.table).where(*conditions)


def plan(connection: sa.Connection, source: str, stream: StreamSpec) -> Plan:
    """Look at the stream's table and plan how to read it.

    Raises:
        StreamMissing: there is no such table or view.
        SchemaMismatch: a column that the declaration needs is not there, or a column holds bytes.
    """
    inspector = sa.inspect(connection)
    options = stream.options
    table, schema = str(options.get("table", stream.name)), options.get("schema")
    try:
        found = inspector.get_columns(table, schema=schema)
    except NoSuchTableError:
        raise _missing(inspector, source, stream, table, schema) from None
    wanted = _wanted(found, options, source, stream.name)
    # Columns without types: values go to the database as the state holds them, and come back as it prints them.
    clause = sa.table(table, *(sa.column(one["name"]) for one in wanted), schema=schema)
    columns = tuple(clause.c)
    names = tuple(_cased(one["name"], options.get("names", "as_is")) for one in wanted)
    look = Lookup(source, stream.name, dict(zip(names, columns, strict=True)))
    primary = tuple(inspector.get_pk_constraint(table, schema=schema).get("constrained_columns") or ())
    cursor = look.column(stream.cursor.field, "the cursor") if stream.cursor else None
    stated = options.get("key")
    tie = tuple(look.column(name, "the key") for name in (stated or stream.key))
    tie = tie or tuple(column for column in columns if column.name in primary)
    ordered = {column.name for column in (*tie, *((cursor,) if cursor is not None else ()))}
    kept_as = stored(connection, options, found, source=source, stream=stream.name)
    sorts = _sorts(tie, kept_as)
    nullable = {one["name"] for one in found if one.get("nullable", True)} - set(primary)
    return Plan(
        clause, columns, {one["name"]: one["type"] for one in found}, names, cursor, tie,
        exact=bool(stated) or (bool(primary) and ordered >= set(primary)),
        resumable=bool(tie) and (bool(stated) or not {column.name for column in tie} & nullable) and sorts,
        stored=kept_as,
    )  # fmt: skip


def _sorts(tie: Sequence[sa.ColumnClause[Any]], kept_as: Stored | None) -> bool:
    """Say whether key values compare as they are ordered: bytes do not compare as the column that they are taken of."""
    return kept_as is None or not kept_as.cast or kept_as.columns.isdisjoint(column.name for column in tie)


def _wanted(found: Sequence[Any], options: Any, source: str, stream: str) -> list[Any]:
    """Choose the columns to read; bytes are never read, and never dropped without being told to."""
    chosen, left_out = options.get("columns"), set(options.get("leave_out", ()))
    present = [one["name"] for one in found]
    for name in (*(chosen or ()), *left_out):
        if name not in present:
            raise SchemaMismatch(source=source, stream=stream, got=f"there is no column {name!r}", known=_some(present))
    wanted = [one for one in found if one["name"] not in left_out and (not chosen or one["name"] in chosen)]
    if binary := [one["name"] for one in wanted if isinstance(one["type"], Binary)]:
        raise SchemaMismatch(
            source=source,
            stream=stream,
            got=f"columns {', '.join(binary)} hold bytes, which are no part of a record",
            hint="Name them in option `leave_out`, or name the columns to read in `columns`.",
        )
    return wanted


def _cased(name: str, case: str) -> str:
    return name.upper() if case == "upper" else name.lower() if case == "lower" else name


def _some(names: Sequence[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:_KNOWN]) + (f" and {len(shown) - _KNOWN} more" if len(shown) > _KNOWN else "")


def _missing(inspector: sa.Inspector, source: str, stream: StreamSpec, table: str, schema: str | None) -> StreamMissing:
    known = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
    where = f"{schema}.{table}" if schema else table
    return StreamMissing(
        source=source, stream=stream.name, got=f"there is no table or view {where!r}", known=_some(known) or "none"
    )


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds columns by the names of fields; a difference of case alone is forgiven where it is no doubt."""

    source: str
    stream: str
    columns: dict[str, sa.ColumnClause[Any]]

    def column(self, field: str, role: str) -> sa.ColumnClause[Any]:
        """Return the column of a field.

        Raises:
            SchemaMismatch: there is none.
        """
        if field in self.columns:
            return self.columns[field]
        alike = [column for name, column in self.columns.items() if name.lower() == field.lower()]
        if len(alike) == 1:
            return alike[0]
        raise SchemaMismatch(
            source=self.source,
            stream=self.stream,
            got=f"there is no column {field!r}, which is {role}",
            known=_some(tuple(self.columns)),
        )
