"""Records of one table, held as columns: a record is made only where somebody asks for it.

A source that hands over whole columns need not make a million small objects first: their JSON is written, their hashes
are taken and their fields are read column by column. To everybody else a `Table` is a sequence of records.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast, overload

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from hub import jsontext
from hub.records import Record

TEXT = pa.large_string()
_QUOTE, _BACKSLASH, _FIRST_PLAIN = 0x22, 0x5C, 0x20


@dataclass(frozen=True, slots=True)
class Column:
    """One field of all records: `texts` as large strings, null where the record says null.

    A `literal` column holds integers or truth values, each text as JSON writes it; all others hold texts.
    """

    name: str
    texts: Any
    literal: bool = False

    def values(self) -> list[Any]:
        """Return the values as JSON-native Python objects."""
        found: list[str | None] = self.texts.to_pylist()
        if not self.literal:
            return cast("list[Any]", found)
        return [None if text is None else orjson.loads(text) for text in found]


class Table(Sequence[Record]):
    """A sequence of records that all have the same fields, held column by column."""

    __slots__ = ("_by_name", "_size", "columns")

    def __init__(self, columns: Sequence[Column], size: int) -> None:
        self.columns = tuple(columns)
        self._by_name = {column.name: column for column in self.columns}
        self._size = size

    @property
    def names(self) -> tuple[str, ...]:
        """Return the fields in their order."""
        return tuple(self._by_name)

    def column(self, name: str) -> Column | None:
        """Return one field's column; None where the records have no such field."""
        return self._by_name.get(name)

    def take(self, indices: Sequence[int]) -> Table:
        """Return the table of the records at `indices`, in that order."""
        chosen = pa.array(indices, pa.int64())
        return Table([Column(one.name, one.texts.take(chosen), one.literal) for one in self.columns], len(indices))

    def lines(self) -> list[bytes]:
        """Write each record as one line of JSON, byte for byte as `jsontext.dumps` writes it."""
        if not self._size or not self.columns:
            return [b"{}"] * self._size
        parts: list[Any] = []
        fixed = "{"  # the text between two values, gathered until a value comes
        for number, column in enumerate(self.columns):
            fixed += f"{',' if number else ''}{orjson.dumps(column.name).decode()}:"
            if column.texts.null_count == self._size:
                fixed += "null"
            elif column.literal:
                parts += [_scalar(fixed), pc.fill_null(column.texts, "null")]
                fixed = ""
            elif column.texts.null_count:
                quoted = pc.binary_join_element_wise(_QUOTED, _escaped(column.texts), _QUOTED, _NOTHING)
                parts += [_scalar(fixed), pc.fill_null(quoted, "null")]
                fixed = ""
            else:
                parts += [_scalar(f'{fixed}"'), _escaped(column.texts)]
                fixed = '"'
        if not parts:
            return [f"{fixed}}}".encode()] * self._size
        written = pc.binary_join_element_wise(*parts, _scalar(f"{fixed}}}"), _NOTHING)
        lines: list[bytes] = written.cast(pa.large_binary()).to_pylist()
        return lines

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Table: ...
    def __getitem__(self, index: int | slice) -> Record | Table:
        """Make one record, or cut out a table of several."""
        if isinstance(index, slice):
            return self.take(range(*index.indices(self._size)))
        place = range(self._size)[index]
        return {
            one.name: Column(one.name, one.texts[place : place + 1], one.literal).values()[0] for one in self.columns
        }

    def __iter__(self) -> Iterator[Record]:
        """Make all records, one after the other."""
        names = self.names
        if not names:
            return iter([{} for _ in range(self._size)])
        rows = zip(*(column.values() for column in self.columns), strict=True)
        return (dict(zip(names, row, strict=True)) for row in rows)

    def __len__(self) -> int:
        return self._size


def lines_of(records: Sequence[Record]) -> list[bytes]:
    """Write each record as one line of JSON."""
    return records.lines() if isinstance(records, Table) else [jsontext.dumps(record) for record in records]


def chosen(records: Sequence[Record], indices: Sequence[int]) -> Sequence[Record]:
    """Return the records at `indices`, held as they were."""
    return records.take(indices) if isinstance(records, Table) else [records[index] for index in indices]


def _scalar(text: str) -> Any:
    return pa.scalar(text, TEXT)


_QUOTED, _NOTHING = _scalar('"'), _scalar("")


def _escaped(texts: Any) -> Any:
    """Escape what JSON cannot hold as it stands; most columns need nothing, which one look at all their bytes tells."""
    if not _needs_escape(texts):
        return texts
    coded = texts.dictionary_encode()
    written = [orjson.dumps(text)[1:-1].decode() for text in coded.dictionary.to_pylist()]
    return pa.array(written, TEXT).take(coded.indices)


def _needs_escape(texts: Any) -> bool:
    _validity, offsets, content = texts.buffers()
    if content is None:
        return False
    bounds = np.frombuffer(offsets, dtype=np.int64)
    said = np.frombuffer(content, dtype=np.uint8)[bounds[texts.offset] : bounds[texts.offset + len(texts)]]
    return bool(((said < _FIRST_PLAIN) | (said == _QUOTE) | (said == _BACKSLASH)).any())
