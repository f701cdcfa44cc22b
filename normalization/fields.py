"""The fields of a slice of records, each taken out once and kept as a column of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hub.records import Record
from hub.table import Table
from normalization.model import Field, When
from normalization.values.common import TEXT, Read, texts_of
from normalization.values.text import read_identifier

_CHUNK = 1_000
"""So many records are taken apart at a time: they fit the processor's cache, which makes it twice as fast."""


class Fields:
    """Columns of a slice by field: `texts` as received, `identifiers` cleaned and null where nothing is said."""

    def __init__(self, records: Sequence[Record], fields: Sequence[Field]) -> None:
        self._count = len(records)
        self._texts: dict[Field, Any] = _taken_apart(records, fields)
        self._identifiers: dict[Field, Read] = {}

    def __len__(self) -> int:
        return self._count

    def texts(self, field: Field) -> pa.Array:
        """Return the column of texts of one field."""
        return self._texts[field]

    def identifiers(self, field: Field) -> Read:
        """Return the column of one field as identifiers: half-width, and null where blank."""
        if field not in self._identifiers:
            self._identifiers[field] = read_identifier(self.texts(field))
        return self._identifiers[field]

    def holds(self, when: Sequence[When]) -> npt.NDArray[np.bool_]:
        """Say for which records all of these conditions hold."""
        good = np.ones(len(self), dtype=np.bool_)
        for condition in when:
            good &= self._holds(condition)
        return good

    def _holds(self, when: When) -> npt.NDArray[np.bool_]:
        column = self.identifiers(when.field).values
        if when.among is None:
            filled: npt.NDArray[np.bool_] = column.is_valid().to_numpy(zero_copy_only=False)
            return filled if when.present else ~filled
        found: npt.NDArray[np.bool_] = pc.is_in(column, value_set=pa.array(sorted(when.among), TEXT)).to_numpy(
            zero_copy_only=False
        )
        return found


def _taken_apart(records: Sequence[Record], fields: Sequence[Field]) -> dict[Field, Any]:
    """Make the columns of texts of these fields."""
    if isinstance(records, Table):
        return {field: _column(records, field) for field in fields}
    readers = [_reader(field) for field in fields]
    chunks: list[list[Any]] = [[texts_of([])] for _ in fields]
    for start in range(0, len(records), _CHUNK):
        some = records[start : start + _CHUNK]
        for reader, column in zip(readers, chunks, strict=True):
            column.append(texts_of(reader(some)))
    return {field: pa.concat_arrays(column) for field, column in zip(fields, chunks, strict=True)}


def _column(records: Table, field: Field) -> Any:
    """Return the column that a table holds already; a pointer into a plain value leads nowhere."""
    found = records.column(field.path[0]) if len(field.path) == 1 else None
    return pa.nulls(len(records), TEXT) if found is None else found.texts


def _reader(field: Field) -> Callable[[Sequence[Record]], list[Any]]:
    """Make the function that takes one field out of records."""
    if len(field.path) > 1:
        return lambda records: [_dig(record, field.path) for record in records]
    name = field.path[0]
    getter = itemgetter(name)

    def read(records: Sequence[Record]) -> list[Any]:
        try:
            return list(map(getter, records))
        except KeyError:
            return [record.get(name) for record in records]

    return read


def _dig(record: Any, path: tuple[str, ...]) -> Any:
    """Follow a JSON pointer (RFC 6901); None where it leads nowhere."""
    found = record
    for part in path:
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found
