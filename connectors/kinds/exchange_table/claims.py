"""Claims rows in short transactions: each is taken once, and nobody waits for us.

Where the server can pass locked rows by (`SKIP LOCKED`), rows are locked, read and marked in one transaction. Elsewhere
the keys are read without a lock, marked on condition that their rows still wait, and read once they are ours.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

import sqlalchemy as sa

from connectors.kinds.database.composite import tables_of
from connectors.kinds.database.fetch import Rows, printed, stream_rows
from connectors.kinds.exchange_table import statements
from connectors.kinds.exchange_table.terms import Terms
from hub.errors import RetrySource, SchemaMismatch
from hub.table import Table

Conditions = Sequence[sa.ColumnElement[bool]]
Run = Rows | Table
Fetch = Callable[[sa.Select[Any], int], Generator[Run, None, None]]

_TRIES = 8


@dataclass(frozen=True, slots=True)
class Taken:
    """A run of rows, and the marks of each: claim, version, key."""

    rows: Run
    marks: Sequence[Sequence[Any]]


def passes_locked_rows_by(connection: sa.Connection) -> bool:
    """Say whether the server knows `FOR UPDATE SKIP LOCKED`; of servers that nobody tried, no."""
    dialect: Any = connection.dialect
    if dialect.name in {"mysql", "mariadb"}:
        version = tuple(dialect.server_version_info or ())
        return version >= ((10, 6) if getattr(dialect, "is_mariadb", False) else (8, 0, 1))
    return dialect.name in {"postgresql", "oracle"}


def fetcher(connection: sa.Connection, terms: Terms) -> Fetch:
    """Return what reads rows with their marks: as columns where the server can."""
    return tables_of(connection, terms.reading) or partial(stream_rows, connection)


def taken(run: Run, terms: Terms) -> Taken:
    """Part a run of rows from their marks."""
    width = len(terms.marks)
    if isinstance(run, Table):
        marks = zip(*(column.values() for column in run.columns[-width:]), strict=True)
        return Taken(Table(run.columns[:-width], len(run)), list(marks))
    return Taken([row[:-width] for row in run], [tuple(map(printed, row[-width:])) for row in run])


@dataclass(slots=True)
class Claimer:
    """Claims rows of one table through a connection of its own; `owner` begins the ids of this hub's claims."""

    connection: sa.Connection
    terms: Terms
    owner: str
    source: str
    stream: str
    skips: bool
    fetch: Fetch = field(init=False)

    def __post_init__(self) -> None:
        self.fetch = fetcher(self.connection, self.terms)
        self.connection.commit()

    def take(self, conditions: Conditions, size: int) -> Taken | None:
        """Claim the first `size` rows of these conditions (they wait) and commit; None where there is none.

        Raises:
            SchemaMismatch: the key does not tell the rows apart.
            RetrySource: others take the same rows all the time.
        """
        return self._past_locks(conditions, size) if self.skips else self._if_it_waits(conditions, size)

    def _past_locks(self, conditions: Conditions, size: int) -> Taken | None:
        with self.connection.begin():
            statement = statements.waiting(self.terms, conditions, size, lock=True)
            with closing(self.fetch(statement, size)) as runs:
                run = next(runs, None)
            if run is None:
                return None
            return self._marked(taken(run, self.terms), conditions)

    def _marked(self, found: Taken, conditions: Conditions) -> Taken:
        claim = self._claim_id()
        keys = self._keys_of(found)
        changed = self._mark(keys, claim, conditions)
        if not len(set(keys)) == len(keys) == changed:
            self._no_key(len(keys), changed)
        return self._with_claim(found, claim)

    def _if_it_waits(self, conditions: Conditions, size: int) -> Taken | None:
        for _ in range(_TRIES):
            with self.connection.begin() as transaction:
                keys = self._read_keys(conditions, size)
                if not keys:
                    return None
                claim = self._claim_id()
                changed = self._mark(keys, claim, conditions)
                if changed > len(keys) or len(set(keys)) < len(keys):
                    self._no_key(len(keys), changed)
                if changed == len(keys):
                    return self._with_claim(self._read_claimed(keys), claim)
                transaction.rollback()
        raise RetrySource(
            source=self.source, stream=self.stream,
            got=f"others took rows in each of {_TRIES} tries to claim them, or the key does not find its rows again",
        )  # fmt: skip

    def _read_keys(self, conditions: Conditions, size: int) -> list[tuple[Any, ...]]:
        statement = statements.keys_of(self.terms, conditions, size)
        return [tuple(map(printed, row)) for run in stream_rows(self.connection, statement, size) for row in run]

    def _read_claimed(self, keys: Sequence[Sequence[Any]]) -> Taken:
        rows: list[Sequence[Any]] = []
        for some in statements.portions(self.terms, keys):
            ours = [
                self.terms.flag.column == self.terms.flag.claimed,
                statements.among(self.terms, self.terms.key, some),
            ]
            for run in stream_rows(self.connection, statements.rows(self.terms, ours), len(some)):
                rows.extend(run)
        return taken(rows, self.terms)

    def _mark(self, keys: Sequence[Sequence[Any]], claim: str, conditions: Conditions) -> int:
        return sum(
            self.connection.execute(statements.claim(self.terms, some, claim, conditions)).rowcount
            for some in statements.portions(self.terms, keys)
        )

    def _claim_id(self) -> str:
        return f"{self.owner}-{secrets.token_hex(6)}"

    def _keys_of(self, found: Taken) -> list[tuple[Any, ...]]:
        width = len(self.terms.key)
        return [tuple(marks[-width:]) for marks in found.marks]

    def _with_claim(self, found: Taken, claim: str) -> Taken:
        if self.terms.claim_id is None:
            return found
        return Taken(found.rows, [(claim, *marks[1:]) for marks in found.marks])

    def _no_key(self, wanted: int, changed: int) -> NoReturn:
        names = ", ".join(column.name for column in self.terms.key)
        raise SchemaMismatch(
            source=self.source, stream=self.stream,
            got=f"the key ({names}) of {wanted} rows finds {changed} rows again; nothing was claimed",
            hint="Name columns in option `key` that are unique together.",
        )  # fmt: skip
