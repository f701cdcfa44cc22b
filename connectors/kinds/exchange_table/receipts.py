"""Writes receipts back: what became of each row stands in its flag, with the time and what is to be mended.

A token is the JSON list `[claim, version, key…]` of its row, without what the department has no column for. A receipt
is written only into a row that is still as it was claimed: one that was corrected meanwhile waits again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from connectors.kinds.exchange_table import statements
from connectors.kinds.exchange_table.terms import Terms
from connectors.seam import Receipt

_CUT = "…(cut)"
_MOST_TEXT = 4000
"""Characters of an error text where its column names no length."""
_TEXTS_AT_ONCE = 100


def token(marks: Sequence[Any]) -> str:
    """Return the token of a row."""
    return orjson.dumps(list(marks)).decode()


class _Row(NamedTuple):
    """One receipt, taken apart."""

    failed: bool
    text: str
    claim: str | None
    version: Any
    key: tuple[Any, ...]


def write(connection: sa.Connection, terms: Terms, receipts: Sequence[Receipt]) -> None:
    """Write receipts set by set, each set committed by itself: repeated ones find nothing to do."""
    for some in _sets(terms, _rows(terms, receipts)):
        texts = [one.text for one in some] if some[0].text else []
        try:
            _write(connection, terms, some, [_fitted(terms, text) for text in texts])
        except sa.exc.DataError:
            if not texts:
                raise
            # The column cannot hold Chinese signs: what can be said without them is better than no receipt.
            _write(connection, terms, some, [_plain(_fitted(terms, _plain(text))) for text in texts])


def _write(connection: sa.Connection, terms: Terms, some: Sequence[_Row], texts: Sequence[Any]) -> None:
    first = some[0]
    with connection.begin():
        connection.execute(
            statements.receipt(
                terms, [one.key for one in some], flag=terms.flag.failed if first.failed else terms.flag.done,
                claim_id=first.claim, texts=texts,
                versions=None if first.version is None else [one.version for one in some],
            )
        )  # fmt: skip


def _rows(terms: Terms, receipts: Sequence[Receipt]) -> Iterator[_Row]:
    """Take receipts apart; their tokens are read in one go."""
    width, worded = len(terms.key), terms.receipt_error is not None
    before = [one for one in (terms.claim_id, terms.version) if one is not None]
    claim = None if terms.claim_id is None else before.index(terms.claim_id)
    version = None if terms.version is None else before.index(terms.version)
    tokens = orjson.loads(f"[{','.join(one.token for one in receipts)}]")
    for receipt, marks in zip(receipts, tokens, strict=True):
        yield _Row(
            receipt.outcome == "quarantined",
            "\n".join(receipt.errors) if worded else "",
            None if claim is None else marks[claim],
            None if version is None else marks[version],
            tuple(marks[-width:]),
        )


def _sets(terms: Terms, rows: Iterable[_Row]) -> Iterator[Sequence[_Row]]:
    """Gather the rows that one statement can write."""
    gathered: dict[tuple[Any, ...], list[_Row]] = {}
    for one in rows:
        gathered.setdefault((one.failed, bool(one.text), one.claim, one.version is None), []).append(one)
    for (_, worded, *_), found in gathered.items():
        if worded:
            yield from (found[start : start + _TEXTS_AT_ONCE] for start in range(0, len(found), _TEXTS_AT_ONCE))
        else:
            yield from statements.portions(terms, found)


def _fitted(terms: Terms, text: str) -> Any:
    """Cut a text to the length of its column, and say that it was cut."""
    column, stored = terms.receipt_error, terms.plan.stored
    length = getattr(terms.type_of(column), "length", None) if column is not None else None
    most = int(length or _MOST_TEXT)
    encoding = stored.encoding if stored is not None else "utf-8" if terms.dialect == "oracle" else None
    text = _cut(text, most, encoding)
    kept_as_bytes = stored is not None and column is not None and column.name in stored.columns
    return stored.written(text) if stored is not None and kept_as_bytes else text


def _cut(text: str, most: int, encoding: str | None) -> str:
    """Cut to `most` characters, or bytes of an encoding: such columns count bytes."""

    def long(piece: str) -> int:
        return len(piece) if encoding is None else len(piece.encode(encoding, "replace"))

    if long(text) <= most:
        return text
    mark = _CUT if long(_CUT) < most else ""
    text = text[:most]
    while long(text) > most - long(mark):
        text = text[:-1]
    return text + mark


def _plain(text: Any) -> Any:
    return text.encode("ascii", "replace").decode() if isinstance(text, str) else text
