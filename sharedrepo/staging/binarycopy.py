"""COPY in PostgreSQL's binary form: what the server would have to parse, it takes as it is.

The form stands in PostgreSQL's documentation of COPY ("Binary Format"): a header, then for each row the number of its
fields and for each field its length and its bytes, all integers in network order. A slice is written column by
column: lengths and values of each column are arrays, and one join puts the rows together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from hub.errors import InternalError
from sharedrepo.staging import stage

_BYTES = pa.large_binary()
_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_NULL, _NOTHING = pa.scalar(b"\xff\xff\xff\xff", _BYTES), pa.scalar(b"", _BYTES)
_PORTION = 4_000
"""Rows that are written at a time."""
_EPOCH_DAYS = 10_957
"""PostgreSQL counts from 2000-01-01, Arrow from 1970-01-01."""
_EPOCH_MICROSECONDS = _EPOCH_DAYS * 86_400_000_000

_Fixed = Callable[[Any], Any]
"""Turns a column into one whose numbers PostgreSQL stores."""


def _days(values: Any) -> Any:
    return pc.subtract(values.cast(pa.date32()).cast(pa.int32()), _EPOCH_DAYS)


def _microseconds(values: Any) -> Any:
    return pc.subtract(values.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()), _EPOCH_MICROSECONDS)


# The first that fits counts: a small integer is an integer to SQLAlchemy.
_FIXED: tuple[tuple[type[Any], str, _Fixed], ...] = (
    (sa.SmallInteger, ">i2", lambda values: values.cast(pa.int16())),
    (sa.BigInteger, ">i8", lambda values: values.cast(pa.int64())),
    (sa.Integer, ">i4", lambda values: values.cast(pa.int32())),
    (sa.Boolean, ">i1", lambda values: values.cast(pa.int8())),
    (sa.TIMESTAMP, ">i8", _microseconds),
    (sa.Date, ">i4", _days),
)
_VARIABLE = (sa.Text, sa.CHAR, sa.LargeBinary)


def copy(cursor: stage.Cursor, table: str, like: sa.Table, columns: Mapping[str, Any]) -> None:
    """COPY arrow arrays into `table`, whose columns have the types of `like`; decimals still go as text.

    Raises:
        ArrowInvalid: a value does not fit its column; nothing was sent.
        InternalError: a column of bytes was given text.
    """
    kinds = [like.columns[name].type for name in columns]
    if not all(isinstance(kind, _VARIABLE) or _fixed(kind) for kind in kinds):
        stage.copy(cursor, table, dict(columns))
        return
    # What does not fit is an error here, before the server is asked anything.
    ready = [_ready(name, values, kind) for (name, values), kind in zip(columns.items(), kinds, strict=True)]
    if not ready or not len(ready[0].values):
        return
    names = ", ".join(f'"{name}"' for name in columns)
    stream: Any = _Stream(_pieces_of(ready))  # the driver calls nothing but `read`
    cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT binary)", stream)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A column as PostgreSQL stores it: numbers of a width, or texts and bytes (no width)."""

    values: Any
    width: str | None


def _ready(name: str, values: Any, kind: Any) -> _Ready:
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(kind, sa.LargeBinary) and (pa.types.is_string(whole.type) or pa.types.is_large_string(whole.type)):
        raise InternalError(f"column {name} holds bytes and was given text")
    fixed = _fixed(kind)
    if fixed is None:
        return _Ready(whole.cast(_BYTES), None)
    width, turn = fixed
    return _Ready(turn(whole), width)


def _fixed(kind: Any) -> tuple[str, _Fixed] | None:
    return next(((width, turn) for type_, width, turn in _FIXED if isinstance(kind, type_)), None)


class _Stream:
    """What the driver reads from: each reading takes the next piece, however long, and the last one is empty."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, _size: int = -1) -> bytes:
        """Return the next piece."""
        return next(self._pieces, b"")


def _pieces_of(columns: list[_Ready]) -> Iterator[bytes]:
    """Write the rows in portions: while the server takes one in, the next is written."""
    yield _HEADER
    for start in range(0, len(columns[0].values), _PORTION):
        yield _written([_Ready(one.values.slice(start, _PORTION), one.width) for one in columns])
    yield _TRAILER


def _written(columns: list[_Ready]) -> bytes:
    parts: list[Any] = [pa.scalar(len(columns).to_bytes(2, "big"), _BYTES)]
    for one in columns:
        parts += _text(one.values) if one.width is None else [_number(one.values, one.width)]
    rows = pc.binary_join_element_wise(*parts, _NOTHING, null_handling="replace", null_replacement="")
    _validity, offsets, content = rows.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64)
    return bytes(memoryview(content)[bounds[rows.offset] : bounds[rows.offset + len(rows)]])


def _number(numbers: Any, width: str) -> Any:
    """Write a column of numbers: length and value of each in one piece."""
    field = np.empty(len(numbers), dtype=[("length", ">i4"), ("value", width)])
    field["length"] = field.dtype["value"].itemsize
    field["value"] = numbers.fill_null(0).to_numpy(zero_copy_only=False)
    written = _pieces(field)
    return pc.if_else(numbers.is_valid(), written, _NULL) if numbers.null_count else written


def _text(raw: Any) -> list[Any]:
    """Write a column of texts or bytes: the lengths, and the values themselves."""
    bounds = np.frombuffer(raw.buffers()[1], dtype=np.int64)[raw.offset : raw.offset + len(raw) + 1]
    lengths = np.diff(bounds).astype(">i4")
    if raw.null_count:
        lengths[raw.is_null().to_numpy(zero_copy_only=False)] = -1
    return [_pieces(lengths), raw]


def _pieces(fields: npt.NDArray[Any]) -> Any:
    """Return an array of equally long byte strings over the bytes of `fields`."""
    bounds = np.arange(len(fields) + 1, dtype=np.int64) * fields.dtype.itemsize
    return pa.Array.from_buffers(_BYTES, len(fields), [None, pa.py_buffer(bounds), pa.py_buffer(fields.tobytes())])
