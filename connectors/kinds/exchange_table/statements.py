"""The statements on an exchange table, in SQLAlchemy's words: every server gets them in its own dialect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from connectors.kinds.exchange_table.terms import Terms

AT_ONCE = 500
"""So many keys stand in one statement; Oracle allows a list of 1,000."""
_AT_ONCE_LISTED = 10_000
_TEXTS = postgresql.ARRAY(sa.Text)
_BETWEEN = "\x1f"
"""Parts the columns of a key that is one text."""

Key = Sequence[Any]
T = TypeVar("T")


def portions(terms: Terms, keys: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut keys into runs that one statement can name."""
    size = _AT_ONCE_LISTED if terms.dialect == "postgresql" else AT_ONCE
    return (keys[start : start + size] for start in range(0, len(keys), size))


def waiting(terms: Terms, conditions: Sequence[sa.ColumnElement[bool]], size: int, *, lock: bool) -> sa.Select[Any]:
    """Return what reads the first `size` rows with their marks; `lock` locks them, passing by what others hold.

    Oracle cannot lock rows of a limited query: there the reader stops after `size` rows, and only those are locked.
    """
    found = rows(terms, [*conditions, *terms.findable()])
    if not (lock and terms.dialect == "oracle"):
        found = found.limit(size)
    return found.with_for_update(skip_locked=True) if lock else found


def keys_of(terms: Terms, conditions: Sequence[sa.ColumnElement[bool]], size: int) -> sa.Select[Any]:
    """Return what reads the keys of the first `size` rows, and locks none."""
    return (
        sa.select(*map(_seen(terms), terms.key))
        .where(*conditions, *terms.findable())
        .order_by(*terms.order)
        .limit(size)
    )


def rows(terms: Terms, conditions: Sequence[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    """Return what reads rows with their marks, in their order."""
    return sa.select(*terms.reading.selected).where(*conditions).order_by(*terms.order)


def _seen(terms: Terms) -> Any:
    stored = terms.plan.stored
    return (lambda column: column) if stored is None else stored.selected


def claim(terms: Terms, found: Sequence[Key], claim_id: str, conditions: Sequence[sa.ColumnElement[bool]]) -> sa.Update:
    """Return what claims those of the rows that still are as `conditions` say."""
    values: dict[Any, Any] = {terms.flag.column: terms.flag.claimed}
    if terms.claim_id is not None:
        values[terms.claim_id] = claim_id
    if terms.claim_time is not None:
        values[terms.claim_time] = terms.now(terms.claim_time)
    return sa.update(terms.plan.table).where(*conditions, among(terms, terms.key, found)).values(values)


def claimed(terms: Terms, owner: str) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of the rows that this hub has claimed; without a column for ids, that anybody has."""
    found: list[sa.ColumnElement[bool]] = [terms.flag.column == terms.flag.claimed]
    if terms.claim_id is not None:
        found.append(terms.claim_id.like(f"{owner}-%"))
    return found


def receipt(
    terms: Terms, found: Sequence[Key], *, flag: Any, claim_id: str | None, versions: Sequence[Any] | None,
    texts: Sequence[Any] = (),
) -> sa.Update:  # fmt: skip
    """Return what writes the receipts of rows that are still as they were claimed, each with its own text.

    `versions` are those of the rows; None says that they had none, or that no version is agreed on.
    """
    still = [terms.flag.column == terms.flag.claimed]
    if terms.claim_id is not None and claim_id is not None:
        still.append(terms.claim_id == claim_id)
    columns = terms.key
    if terms.version is not None and versions is None:
        still.append(terms.version.is_(None))
    elif terms.version is not None and versions is not None:
        columns = (*terms.key, terms.version)
        found = [(*key, version) for key, version in zip(found, versions, strict=True)]
    values: dict[Any, Any] = {terms.flag.column: flag}
    if terms.receipt_time is not None:
        values[terms.receipt_time] = terms.now(terms.receipt_time)
    if terms.receipt_error is not None:
        values[terms.receipt_error] = _text(terms, columns, found, texts) if texts else None
    return sa.update(terms.plan.table).where(*still, among(terms, columns, found)).values(values)


def _text(terms: Terms, columns: Sequence[sa.ColumnClause[Any]], found: Sequence[Key], texts: Sequence[Any]) -> Any:
    if len(set(texts)) == 1:
        return texts[0]
    return sa.case(
        *((sa.and_(*_equal(terms, columns, key)), text) for key, text in zip(found, texts, strict=True)),
        else_=terms.receipt_error,
    )


def _equal(terms: Terms, columns: Sequence[sa.ColumnClause[Any]], key: Key) -> list[sa.ColumnElement[bool]]:
    return [column == terms.bound(value) for column, value in zip(columns, key, strict=True)]


def among(
    terms: Terms, columns: Sequence[sa.ColumnClause[Any]], found: Sequence[Key]
) -> sa.ColumnElement[bool]:  # fmt: skip
    """Return the condition of the rows with one of these keys.

    Where the key has several columns its first is asked for by itself, too: not every server finds rows by an
    index when it compares several columns at once.
    """
    values = [tuple(terms.bound(value) for value in key) for key in found]
    firsts = list(dict.fromkeys(value[0] for value in values))
    if terms.dialect == "postgresql" and not any(isinstance(part, float) for value in values for part in value):
        return _listed(terms, columns, firsts, values)
    first = columns[0].in_(firsts)
    return first if len(columns) == 1 else sa.and_(first, sa.tuple_(*columns).in_(values))


def _listed(
    terms: Terms, columns: Sequence[sa.ColumnClause[Any]], firsts: Sequence[Any], values: Sequence[Key]
) -> sa.ColumnElement[bool]:  # fmt: skip
    """Hand PostgreSQL the keys as arrays, each as one text: it looks a row up in an array by its hash.

    A list of keys it would compare with each row, one by one, and a join with them it plans by statistics that a table
    of flags has never right. It prints numbers and instants to the driver as it casts them to text.
    """
    kind = postgresql.ARRAY(terms.type_of(columns[0]))
    first = columns[0] == sa.any_(sa.cast(sa.literal(firsts, kind), kind))
    if len(columns) == 1:
        return first
    whole: sa.ColumnElement[Any] = sa.cast(columns[0], sa.Text)
    for column in columns[1:]:
        whole = whole.concat(_BETWEEN).concat(sa.cast(column, sa.Text))
    texts = [_BETWEEN.join(map(_as_cast, value)) for value in values]
    return sa.and_(first, whole == sa.any_(sa.cast(sa.literal(texts, _TEXTS), _TEXTS)))


def _as_cast(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def nothing(terms: Terms) -> sa.Update:
    """Return what writes each column that the hub writes, in no row: servers judge the right to it all the same."""
    values: dict[Any, Any] = {terms.flag.column: terms.flag.claimed}
    for column in (terms.claim_id, terms.claim_time, terms.receipt_time, terms.receipt_error):
        if column is not None:
            values[column] = None
    return sa.update(terms.plan.table).where(sa.literal(1) == 0).values(values)


def counts(terms: Terms) -> sa.Select[Any, int]:
    """Return what counts the rows of each value of the flag."""
    return sa.select(terms.flag.column, sa.func.count()).select_from(terms.plan.table).group_by(terms.flag.column)


def sorted_counts(terms: Terms, found: Sequence[tuple[Any, int]]) -> dict[str, int]:
    """Say how many rows wait, are claimed, done and failed, and how many have a flag of no known meaning."""
    flag = terms.flag
    names = {_printed(flag.claimed): "claimed", _printed(flag.done): "done", _printed(flag.failed): "failed"}
    names |= {_printed(value): "waiting" for value in flag.waiting}
    out = dict.fromkeys(("waiting", "claimed", "done", "failed", "unknown"), 0)
    for value, count in found:
        out[names.get(_printed(value), "unknown")] += count
    return out


def _printed(value: Any) -> str | None:
    return None if value is None else str(value).rstrip()
