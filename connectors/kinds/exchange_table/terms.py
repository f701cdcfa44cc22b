"""What hub and department agreed on for one exchange table: its flag, its key, and the columns that the hub writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from connectors.kinds.database.plan import Lookup, Plan, plan
from connectors.source import Source, StreamSpec
from hub.errors import SchemaMismatch

Column = sa.ColumnClause[Any]

CLAIM_LENGTH = 25
"""Characters of a claim's id."""
_MOMENT = sa.DateTime().with_variant(sqlite.DATETIME(truncate_microseconds=True), "sqlite")  # type: ignore[no-untyped-call]  # its constructor is not typed
_SECONDS, _COMPACT = "%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S"
_SECONDS_LENGTH, _COMPACT_LENGTH = 19, 14


@dataclass(frozen=True, slots=True)
class Flag:
    """The column that says how far a row has come, and its values; `None` in `waiting` stands for NULL."""

    column: Column
    waiting: tuple[Any, ...]
    claimed: Any
    done: Any
    failed: Any

    def waits(self) -> sa.ColumnElement[bool]:
        """Return the condition of the rows that wait to be taken."""
        values = [value for value in self.waiting if value is not None]
        found: list[sa.ColumnElement[bool]] = [self.column.in_(values)] if values else []
        if None in self.waiting:
            found.append(self.column.is_(None))
        return sa.or_(*found)


@dataclass(frozen=True)
class Terms:
    """The agreement on one table, bound to its columns; `plan` reads its records without the columns the hub writes.

    `blank` are the fields of a record whose columns the hub writes: they come empty, so that a row which is read again
    is the same record. `nullable` are the key columns that may hold NULL.
    """

    plan: Plan
    flag: Flag
    key: tuple[Column, ...]
    nullable: tuple[Column, ...]
    order: tuple[Column, ...]
    blank: tuple[str, ...]
    zone: str
    dialect: str
    version: Column | None = None
    claim_id: Column | None = None
    claim_time: Column | None = None
    receipt_time: Column | None = None
    receipt_error: Column | None = None

    @cached_property
    def marks(self) -> tuple[Column, ...]:
        """Return the columns that a token is made of: claim, version, and the key, what is not agreed on left out."""
        return tuple(column for column in (self.claim_id, self.version, *self.key) if column is not None)

    @cached_property
    def reading(self) -> Plan:
        """Return the plan that reads records and behind each its marks."""
        columns = (*self.plan.columns, *self.marks)
        return replace(self.plan, columns=columns, names=(*self.plan.names, *self.labels), cursor=None)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the marks beside a record's fields; no column can have such a one."""
        return tuple(f"\0{place}" for place in range(len(self.marks)))

    def type_of(self, column: Column) -> sa.types.TypeEngine[Any]:
        """Return the type that the table's catalogue gives for a column."""
        return self.plan.types[column.name]

    def bound(self, value: Any) -> Any:
        """Return the parameter for a value of a token."""
        return value if self.plan.stored is None else self.plan.stored.bound(value)

    def findable(self) -> list[sa.ColumnElement[bool]]:
        """Return the conditions of the rows whose key finds them again."""
        return [column.is_not(None) for column in self.nullable]

    def now(self, column: Column) -> Any:
        """Return the present moment for a column, in the source's time zone where the column knows none."""
        kind, moment = self.type_of(column), datetime.now(ZoneInfo(self.zone)).replace(microsecond=0)
        if isinstance(kind, sa.String):
            compact = kind.length is not None and kind.length < _SECONDS_LENGTH
            return moment.strftime(_COMPACT if compact else _SECONDS)
        if isinstance(kind, sa.DateTime):
            return sa.literal(moment, kind) if kind.timezone else sa.literal(moment.replace(tzinfo=None), _MOMENT)
        return sa.literal(moment.date(), sa.Date()) if isinstance(kind, sa.Date) else moment.strftime(_SECONDS)


def agree(connection: sa.Connection, source: Source, stream: StreamSpec) -> Terms:
    """Look at the stream's table and bind what is declared to its columns.

    Raises:
        StreamMissing: there is no such table.
        SchemaMismatch: a declared column is not there or cannot hold what the hub writes into it, or no key is known.
    """
    options = stream.options
    bare = {name: value for name, value in options.items() if name != "key"}
    chosen = plan(connection, source.code, replace(stream, options=bare, key=(), cursor=None))
    table, schema = str(options.get("table", stream.name)), options.get("schema")
    inspector = sa.inspect(connection)
    found = inspector.get_columns(table, schema=schema)
    whole = sa.table(table, *(sa.column(one["name"]) for one in found), schema=schema)
    look = Lookup(source.code, stream.name, {column.name: column for column in whole.c})
    primary = tuple(inspector.get_pk_constraint(table, schema=schema).get("constrained_columns") or ())
    said = dict(_said(options, look))
    written = {one.name for role, one in said.items() if role != "version"}
    key = _key(look, options.get("key") or primary, written)
    dull = {one["name"] for one in found if one.get("nullable", True)} - set(primary)
    order = [look.column(name, "an order column") for name in options.get("order", ())]
    kept = [place for place, one in enumerate(chosen.columns) if one.name not in written]
    terms = Terms(
        replace(chosen, table=whole, columns=tuple(whole.c[chosen.columns[place].name] for place in kept),
                names=tuple(chosen.names[place] for place in kept), tie=()),
        _flag(said.pop("flag"), options["flag"], chosen.types, connection.dialect.name, source.code, stream.name),
        key, tuple(one for one in key if one.name in dull), (*order, *(one for one in key if one not in order)),
        tuple(name for place, name in enumerate(chosen.names) if place not in kept),
        source.time_zone, connection.dialect.name, **said,
    )  # fmt: skip
    _judge(terms, source.code, stream.name)
    return terms


def _key(look: Lookup, names: Sequence[str], written: set[str]) -> tuple[Column, ...]:
    key = tuple(look.column(name, "part of the key") for name in names)
    moved = sorted(written.intersection(column.name for column in key))
    if key and not moved:
        return key
    raise SchemaMismatch(
        source=look.source, stream=look.stream, hint="Name columns in option `key` that are unique together and stay.",
        got=f"the key holds {', '.join(moved)}, which the hub writes" if moved else
        "the table has no primary key to find its rows again by",
    )  # fmt: skip


def _said(options: Mapping[str, Any], look: Lookup) -> Iterator[tuple[str, Column]]:
    """Yield the columns that are agreed on, by their role."""
    claim, receipt = options.get("claim", {}), options.get("receipt", {})
    named = {
        "flag": options["flag"]["column"], "version": options.get("version"),
        "claim_id": claim.get("id"), "claim_time": claim.get("time"),
        "receipt_time": receipt.get("time"), "receipt_error": receipt.get("error"),
    }  # fmt: skip
    for role, name in named.items():
        if name is not None:
            yield role, look.column(name, f"the column of {role.replace('_', '.')}")


def _flag(
    column: Column, options: Mapping[str, Any], types: Mapping[str, Any], dialect: str, source: str, stream: str
) -> Flag:
    def fitting(value: Any) -> Any:
        if value is None or (value == "" and dialect == "oracle"):  # Oracle keeps an empty text as NULL
            return None
        if not isinstance(types[column.name], sa.Numeric | sa.Integer):
            return str(value) if isinstance(types[column.name], sa.String) else value
        try:
            return int(value)
        except ValueError:
            raise SchemaMismatch(
                source=source, stream=stream, got=f"the flag column {column.name} holds numbers, {value!r} is none"
            ) from None

    waiting = tuple(dict.fromkeys(map(fitting, options["waiting"])))
    return Flag(column, waiting, *(fitting(options[name]) for name in ("claimed", "done", "failed")))


def _judge(terms: Terms, source: str, stream: str) -> None:
    """See to it that the columns can hold what is written into them."""
    needs: Sequence[tuple[Column | None, int, str]] = (
        (terms.claim_id, CLAIM_LENGTH, "a claim's id"),
        (terms.claim_time, _COMPACT_LENGTH, "a time"),
        (terms.receipt_time, _COMPACT_LENGTH, "a time"),
        (terms.receipt_error, 1, "a text"),
    )
    for column, length, what in needs:
        kind = None if column is None else terms.type_of(column)
        wrong = isinstance(kind, sa.Numeric | sa.Integer | sa.Boolean) or (
            isinstance(kind, sa.String) and kind.length is not None and kind.length < length
        )
        if column is not None and wrong:
            raise SchemaMismatch(
                source=source, stream=stream, got=f"column {column.name} ({kind}) cannot hold {what}",
                hint=f"It must be text of at least {length} characters, or for a time a date and time.",
            )  # fmt: skip
