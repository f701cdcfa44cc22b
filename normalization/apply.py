"""Apply a mapping to a slice of records: tell them apart (`identify`) and translate them (`translate`).

Both work on columns: each field is taken out once, each kind of value reads its distinct texts, nothing loops over
records. What cannot be read is never dropped in silence: it is null in the frame and stands raw in a finding.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from hub.errors import InternalError
from hub.findings import Finding
from hub.records import Record
from normalization.fields import Fields
from normalization.identify import Context, Identity, detail_of, identify, in_order, organ_column
from normalization.model import ColumnMap, Field, StreamMapping, Yield
from normalization.occurrences import Occurrences
from normalization.values import code, kinds
from normalization.values.common import TEXT, Read, Unknown

__all__ = ["Context", "Identity", "Occurrences", "TableRows", "Translation", "identify", "translate"]


@dataclass(frozen=True, slots=True)
class TableRows:
    """The canonical rows of one table: which record gave each, by which yield of the mapping, and the values.

    Columns are pandas `str`, `Int64`, `boolean`, or `datetime64[us, UTC]` with `<name>_precision` (d, m, s) beside it;
    dates are ISO text, decimals plain text. Columns of persons are clear text here: the pipeline protects them.
    """

    record: npt.NDArray[np.int64]
    part: npt.NDArray[np.int16]
    frame: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Translation:
    """What a slice says in the canonical language; tables without a row are absent."""

    tables: dict[str, TableRows]
    excluded: npt.NDArray[np.bool_]
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows that one yield gives."""

    table: str
    number: int
    record: npt.NDArray[np.int64]
    columns: dict[str, Any]


def translate(
    stream: StreamMapping, records: Sequence[Record], ctx: Context, keys: Sequence[str | None] | None = None
) -> Translation:
    """Translate a slice of records into canonical rows.

    Give the records that are kept: a record that deletes, or that the structure judge refused, need not be readable.
    `keys` (of `identify`, one a record) are needed only where the mapping asks for `{value: record_key}`.

    Raises:
        InternalError: the mapping asks for the keys, and they were not given.
    """
    fields = Fields(records, stream.row_fields)
    work = _Work(stream, fields, ctx, keys, [])
    admitted = np.zeros(len(records), dtype=np.bool_)
    parts = []
    for number, made in enumerate(stream.yields):
        rows = np.flatnonzero(fields.holds(made.when)) if made.when else np.arange(len(records))
        admitted[rows] = True
        if len(rows):
            parts.append(_Part(made.table, number, rows, work.columns(made, rows)))
    unlisted = work.unlisted(admitted)
    tables = {table: _rows([part for part in parts if part.table == table], stream, table) for table in stream.tables}
    return Translation(
        {table: rows for table, rows in tables.items() if rows is not None},
        ~admitted & ~unlisted,
        in_order(_once(work.findings)),
    )


def _once(findings: list[Finding]) -> list[Finding]:
    """Tell one fault of one field once, though several columns are made of it; it refuses if any of them does."""
    found: dict[tuple[int, str, str | None, str | None], Finding] = {}
    for finding in findings:
        place = (finding.record, finding.rule, finding.pointer, None if finding.pointer else finding.field)
        first = found.setdefault(place, finding)
        if finding.refuse and not first.refuse:
            found[place] = dataclasses.replace(first, refuse=True)
    return list(found.values())


def _rows(parts: list[_Part], stream: StreamMapping, table: str) -> TableRows | None:
    """Put the rows of one table together, in order of record and yield."""
    if not parts:
        return None
    names = dict.fromkeys(
        name for made in stream.yields if made.table == table for column in made.columns for name in _names(column)
    )
    types = {
        name: kind
        for made in stream.yields
        if made.table == table
        for column in made.columns
        for name, kind in _types(column)
    }
    record = np.concatenate([part.record for part in parts])
    number = np.concatenate([np.full(len(part.record), part.number, dtype=np.int16) for part in parts])
    columns = {
        name: pa.chunked_array(
            [part.columns[name] if name in part.columns else pa.nulls(len(part.record), types[name]) for part in parts],
            types[name],
        )
        for name in names
    }
    if len(parts) > 1:
        order = np.lexsort((number, record))
        record, number = record[order], number[order]
        columns = {name: column.take(pa.array(order)) for name, column in columns.items()}
    frame = pd.DataFrame({name: _series(column) for name, column in columns.items()}, copy=False)
    return TableRows(record, number, frame)


def _names(column: ColumnMap) -> list[str]:
    return [name for name, _ in _types(column)]


def _types(column: ColumnMap) -> list[tuple[str, Any]]:
    name, kind = column.column.name, kinds.type_of(column.column)
    return [(name, kind), (f"{name}_precision", TEXT)] if column.column.kind == "instant" else [(name, kind)]


_MASKED: ReadOnly[Any, Any] = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


def _series(column: pa.ChunkedArray) -> pd.Series[Any]:
    """Hand a column to pandas without turning integers or truth values with gaps into floats or objects."""
    masked = _MASKED.get(column.type)
    if masked is None:
        texts_or_instants: pd.Series[Any] = column.to_pandas()
        return texts_or_instants
    found: pd.Series[Any] = column.to_pandas(types_mapper={column.type: masked}.get)
    return found


@dataclass(slots=True)
class _Work:
    """The parts of one translation; findings gather here."""

    stream: StreamMapping
    fields: Fields
    ctx: Context
    keys: Sequence[str | None] | None
    findings: list[Finding]

    def columns(self, made: Yield, rows: npt.NDArray[np.int64]) -> dict[str, Any]:
        """Make the columns of one yield for the records that it admits."""
        found: dict[str, Any] = {}
        for column in made.columns:
            read, said = self._read(column, rows)
            self._tell(made.table, column, read, said, rows)
            found[column.column.name] = read.values
            if column.column.kind == "instant":
                found[f"{column.column.name}_precision"] = read.precision
        return found

    def _read(self, column: ColumnMap, rows: npt.NDArray[np.int64]) -> tuple[Read, Any]:
        """Read one column; beside it the texts that it was read from."""
        if column.how == "field":
            texts = self._texts(column, rows)
            read = _canonical(column, texts, self.ctx.time_zone)
            return read, texts
        if column.how == "organ" and self.stream.organ_from is not None:
            texts = organ_column(self.fields, self.stream.organ_from).take(pa.array(rows))
        elif column.how == "record_key":
            texts = self._record_keys(rows)
        else:
            said = {"const": column.const, "organ": self.ctx.organ, "region": self.ctx.region}[column.how]
            return _repeated(column, said, len(rows), self.ctx.time_zone), pa.nulls(len(rows), TEXT)
        return kinds.read_column(column.column, texts, self.ctx.time_zone), texts

    def _record_keys(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        if self.keys is None:
            raise InternalError(f"stream {self.stream.name} maps a record's key: translate needs the keys")
        return pa.array(self.keys, TEXT).take(pa.array(rows))

    def _texts(self, column: ColumnMap, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Take the texts of a column's fields, joined or the first that says something, and cut."""
        if len(column.fields) == 1:
            texts = self._taken(self.fields.texts(column.fields[0]), rows)
        else:
            several = [self._taken(self.fields.identifiers(field).values, rows) for field in column.fields]
            original = [self._taken(self.fields.texts(field), rows) for field in column.fields]
            kept = [
                pc.if_else(cleaned.is_valid(), text, pa.scalar(None, TEXT))
                for cleaned, text in zip(several, original, strict=True)
            ]
            texts = pc.coalesce(*kept) if column.join is None else _joined(kept, column.join)
        if column.cut is None:
            return texts
        return pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(texts), *column.cut)

    def _taken(self, texts: pa.Array, rows: npt.NDArray[np.int64]) -> pa.Array:
        return texts if len(rows) == len(self.fields) else texts.take(pa.array(rows))

    def _tell(self, table: str, column: ColumnMap, read: Read, said: Any, rows: npt.NDArray[np.int64]) -> None:
        """Turn what was wrong in one column into findings."""
        if column.fields == (self.stream.case,) and column.column.name == "case_number":
            return  # identify has told it
        for row, fault in read.faults.items():
            unknown = isinstance(fault, Unknown)
            refuse = column.column.required or (unknown and column.column.deciding)
            detail = detail_of(fault) | ({"list": column.codes.name} if unknown and column.codes else {})
            self._add(
                "unknown_code" if unknown else "unreadable_value",
                table,
                column,
                int(rows[row]),
                said[row].as_py(),
                detail,
                refuse,
            )
        for row, characters in read.mended.items():
            self._add(
                "unreadable_value",
                table,
                column,
                int(rows[row]),
                said[row].as_py(),
                {"removed": characters},
                refuse=False,
            )
        if column.column.required and read.values.null_count:
            for row in np.flatnonzero(~read.values.is_valid().to_numpy(zero_copy_only=False)).tolist():
                if row not in read.faults:
                    self._empty(table, column, int(rows[row]))

    def _empty(self, table: str, column: ColumnMap, record: int) -> None:
        """Refuse a record that leaves a required column empty: the table could not hold it."""
        rule = "missing_key" if column.column.name == "case_number" else "schema_violation"
        self._add(rule, table, column, record, None, {"reason": "this value is required and empty"}, refuse=True)

    def unlisted(self, admitted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Refuse records that no yield admits because of a code that no condition names; say which they are.

        A record is excluded only by the mapping's own words: by `exclude`, or because a field that a yield asks for is
        empty. An unknown code must not let a record vanish.
        """
        left = ~admitted
        for conditions in self.stream.exclude:
            left &= ~self.fields.holds(conditions)
        found = np.zeros(len(admitted), dtype=np.bool_)
        known = _known_codes(self.stream)
        for field, codes in known.items() if left.any() else ():
            column = self.fields.identifiers(field).values
            unknown = pc.invert(pc.is_in(column, value_set=pa.array(sorted(codes), TEXT))).to_numpy(
                zero_copy_only=False
            )
            strange = left & unknown & column.is_valid().to_numpy(zero_copy_only=False)
            detail = {"reason": "no yield of the mapping takes this code", "known": ", ".join(sorted(codes))}
            for row in np.flatnonzero(strange).tolist():
                value = self.fields.texts(field)[row].as_py()
                told = _finding(
                    "unknown_code", None, field.name, (field,), row, value, self.stream, detail, refuse=True
                )
                self.findings.append(told)
            found |= strange
        return found

    def _add(
        self,
        rule: str,
        table: str,
        column: ColumnMap,
        record: int,
        value: str | None,
        detail: dict[str, str],
        refuse: bool,
    ) -> None:
        told = self._said_in(column, record)
        finding = _finding(rule, table, column.column.name, told, record, value, self.stream, detail, refuse=refuse)
        self.findings.append(finding)

    def _said_in(self, column: ColumnMap, record: int) -> tuple[Field, ...]:
        """Tell in which field a record says what the column is made of, that one first."""
        if column.how == "organ" and self.stream.organ_from is not None:
            return (self.stream.organ_from,)
        if len(column.fields) <= 1:
            return column.fields
        filled = [field for field in column.fields if self.fields.identifiers(field).values[record].is_valid]
        return (*filled[:1], *(field for field in column.fields if field not in filled[:1]))


def _finding(
    rule: str,
    table: str | None,
    name: str,
    fields: tuple[Field, ...],
    record: int,
    value: str | None,
    stream: StreamMapping,
    detail: ReadOnly[str, str],
    *,
    refuse: bool,
) -> Finding:
    return Finding(
        record=record,
        rule=rule,
        table=table,
        field=name,
        pointer=fields[0].pointer if fields else None,
        value=value,
        personal=any(field in stream.personal for field in fields),
        detail=detail,
        refuse=refuse,
    )


def _known_codes(stream: StreamMapping) -> dict[Field, frozenset[str]]:
    """Gather, by field, the codes that conditions of yields name."""
    known: dict[Field, frozenset[str]] = {}
    for made in stream.yields:
        for when in made.when:
            if when.among is not None:
                known[when.field] = known.get(when.field, frozenset()) | when.among
    return known


def _canonical(column: ColumnMap, texts: pa.Array, zone: str) -> Read:
    """Read texts as the column's kind, through its code list where it has one."""
    if column.codes is None:
        read = kinds.read_column(column.column, texts, zone, column.formats)
        return read if column.precision is None else _coarser(read, column.precision)
    looked_up = code.read_column(texts, column.codes.values, column.unlisted)
    if column.column.kind in {"code", "text"}:
        return looked_up
    read = kinds.read_column(column.column, looked_up.values, zone)
    return Read(read.values, {**looked_up.faults, **read.faults}, read.mended, read.precision)


def _coarser(read: Read, precision: str) -> Read:
    """Lower the precision of instants to what the mapping says it is."""
    order = {"d": 0, "m": 1, "s": 2}
    coarse = [name for name, rank in order.items() if rank <= order[precision]]
    kept = pc.fill_null(pc.is_in(read.precision, value_set=pa.array(coarse, TEXT)), False)
    lowered = pc.if_else(pc.or_(kept, read.precision.is_null()), read.precision, pa.scalar(precision, TEXT))
    return Read(read.values, read.faults, read.mended, lowered)


def _joined(texts: list[pa.Array], separator: str) -> pa.Array:
    """Join what is filled; null where nothing is."""
    trimmed = [pc.utf8_trim_whitespace(text) for text in texts]
    silent = functools.reduce(pc.and_, [text.is_null() for text in trimmed])
    # pyarrow's "skip" loses rows in which every part is null: an empty text keeps them in their place.
    trimmed[0] = pc.if_else(silent, pa.scalar("", TEXT), trimmed[0])
    joined = pc.binary_join_element_wise(*trimmed, pa.scalar(separator, TEXT), null_handling="skip")
    return pc.if_else(silent, pa.scalar(None, TEXT), joined)


def _repeated(column: ColumnMap, said: str | None, count: int, zone: str) -> Read:
    """Repeat what is the same for every record."""
    kind = kinds.type_of(column.column)
    if said is None:
        return Read(pa.nulls(count, kind), precision=pa.nulls(count, TEXT))
    once = kinds.read_column(column.column, pa.array([said], TEXT), zone)
    precision = None if once.precision is None else pa.repeat(once.precision[0], count)
    return Read(pa.repeat(once.values[0], count), precision=precision)
