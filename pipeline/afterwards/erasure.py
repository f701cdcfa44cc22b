"""Erases what a source sent in a month: the data keys of the archive, and what waits under them in the repository."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hub.errors import RepositoryError
from pipeline.runtime import Runtime
from sharedrepo.keyring import erasure


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure destroyed: data keys, locked payloads, and the records that waited with them."""

    source: str
    month: str
    data_keys: int
    payloads: int
    records: int


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a source in the archive: its objects, and its data keys that live or were destroyed."""

    source: str
    month: str
    objects: int
    data_keys: int
    erased: int


def months(runtime: Runtime, source: str | None = None) -> list[Month]:
    """Return the months of one source, or of every source that was ever pulled."""
    with runtime.connection() as connection, connection.cursor() as cursor:
        codes = erasure.sources(cursor) if source is None else [source]
    return [
        Month(code, one.month, runtime.archive.count(code, one.month), one.live, one.erased)
        for code in codes
        for one in runtime.archive.data_keys.months(code)
    ]


def erase(runtime: Runtime, source: str, month: str, reason: str) -> Erasure:
    """Destroy the data keys of a source's month, so that nobody reads any more what it sent then.

    The repository lets go first and the keys are destroyed after the commit: cut off between the two, the same
    command finishes the work. What was kept in `core` stays.

    Raises:
        RepositoryError: no source of this code was ever pulled, or it sent nothing in this month.
        SourceBusy: a pull of the source is running.
        ValueError: the month is none.
    """
    months = [one.month for one in runtime.archive.data_keys.months(source)]
    if month not in months:
        raise RepositoryError(f"{source} has no data keys of {month}; months with keys: {', '.join(months) or 'none'}.")
    with runtime.connection() as connection:
        with connection.cursor() as cursor:
            number = erasure.source_number(cursor, source)
            connection.commit()
            if number is None:
                raise RepositoryError(f"this repository has never pulled {source!r}; `hub ledger` names the sources.")
            runtime.hold_source(connection, number, source)
            gone = erasure.let_go(cursor, source=number, month=month, reason=reason, at=datetime.now(UTC))
            connection.commit()
        keys = runtime.archive.data_keys.erase(source, month)
    return Erasure(source, month, keys, sum(one.payloads for one in gone), sum(one.records for one in gone))
