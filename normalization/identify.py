"""Tell the records of a slice apart: key, order, operation, case, organ and report time of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from hub.findings import Finding
from hub.records import Record
from hub.sentences import sentence
from normalization.fields import Fields
from normalization.model import Field, Operation, StreamMapping, TimeField
from normalization.occurrences import Occurrences
from normalization.values import code, instant
from normalization.values.common import TEXT, Read, Unreadable
from normalization.values.instant import INSTANT
from normalization.values.number import read_integer
from normalization.values.text import read_number

LONGEST_KEY = 500
"""Longer keys are refused: an index entry of PostgreSQL holds no more than 2,700 bytes."""

_SEPARATOR, _ABSENT = "\x1f", "\x1e"


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about a slice besides its records: the source, when it was read, and the hub's keyed hash."""

    source: str
    organ: str | None
    region: str | None
    time_zone: str
    read_at: datetime
    keyed_hash: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells the records of a slice apart, one entry a record; a null is explained by a finding.

    `orders` are version integers, or microseconds since 1970 where the order is a time; all None without an order.
    """

    keys: list[str | None]
    orders: list[int | None]
    deleted: npt.NDArray[np.bool_]
    cases: list[str | None]
    reported_at: pd.Series[pd.Timestamp]
    organs: list[str | None]
    findings: list[Finding]


def identify(stream: StreamMapping, records: Sequence[Record], ctx: Context, seen: Occurrences) -> Identity:
    """Tell the records of a slice apart.

    `seen` counts equal fingerprints over all slices of one snapshot or file, in order of arrival; the pipeline makes a
    new one for each. Records whose key, case, order or operation is unreadable get a refusing finding.
    """
    fields = Fields(records, stream.identity_fields)
    work = _Work(stream, fields, ctx, [])
    cases = work.cases()
    keys = work.fingerprints(seen) if stream.key.fingerprint else work.keys()
    return Identity(
        keys=keys,
        orders=work.orders(),
        deleted=work.deleted(),
        cases=cases,
        reported_at=work.reported_at(),
        organs=work.organs(),
        findings=in_order(work.findings),
    )


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings by record; within one record they keep the order in which the mapping names the fields."""
    return sorted(findings, key=lambda finding: finding.record)


@dataclass(slots=True)
class _Work:
    """The parts of one identification; findings gather here."""

    stream: StreamMapping
    fields: Fields
    ctx: Context
    findings: list[Finding]

    def cases(self) -> list[str | None]:
        """Read the parent reference of each record."""
        case = self.stream.case
        if case is None:
            return [None] * len(self.fields)
        column = self._bounded(self._whole(case), (case,))
        if case not in [part.field for part in self.stream.key.parts]:
            self._missing(column, case, "the number of the case is empty")
        found: list[str | None] = column.to_pylist()
        return found

    def keys(self) -> list[str | None]:
        """Read the source's own key of each record; several fields are joined by `|`."""
        columns = []
        for part in self.stream.key.parts:
            column = self._key_part(part)
            self._missing(column, part.field, "the key is empty")
            columns.append(column)
        joined = columns[0]
        if len(columns) > 1:
            escaped = [pc.replace_substring(pc.replace_substring(one, "\\", "\\\\"), "|", "\\|") for one in columns]
            joined = pc.binary_join_element_wise(*escaped, pa.scalar("|", TEXT))
        found: list[str | None] = self._bounded(joined, [part.field for part in self.stream.key.parts]).to_pylist()
        return found

    def fingerprints(self, seen: Occurrences) -> list[str | None]:
        """Make a key for each record from named fields and its occurrence number among equals."""
        parts = self.stream.key.parts
        columns = [self._key_part(part) for part in parts]
        empty = np.logical_and.reduce([~column.is_valid().to_numpy(zero_copy_only=False) for column in columns])
        filled = [column.fill_null(_ABSENT) for column in columns]
        joined = pc.binary_join_element_wise(*filled, pa.scalar(_SEPARATOR, TEXT))
        hashes = [self.ctx.keyed_hash(text.encode()) for text in joined.to_pylist()]
        detail = {
            "reason": "empty in all fields of the fingerprint",
            "fields": ", ".join(part.field.name for part in parts),
        }
        for row in np.flatnonzero(empty).tolist():
            self._add(row, "missing_key", parts[0].field, None, detail=detail)
        return [
            None if nameless else f"fp:{hashed.hex()}#{number}"
            for hashed, number, nameless in zip(hashes, seen.number(hashes), empty.tolist(), strict=True)
        ]

    def _key_part(self, part: TimeField) -> pa.Array:
        """Read one part of a key as text; a time is written in one form, so that two styles give one key."""
        if not part.time:
            return self._whole(part.field)
        read = instant.read_column(self.fields.texts(part.field), self.ctx.time_zone, part.formats)
        self._unreadable(read, part.field, "unreadable_value", refuse=True)
        return pc.cast(pc.cast(read.values, pa.timestamp("us")), pa.string()).cast(TEXT)

    def _whole(self, field: Field) -> pa.Array:
        """Read a key's field, and refuse records in which characters of it had to be taken away."""
        read = self.fields.identifiers(field)
        for row, characters in read.mended.items():
            self._add(
                row, "unreadable_value", field, self._value(field, row), detail={"removed": characters}, refuse=True
            )
        return read.values

    def _bounded(self, column: pa.Array, fields: Sequence[Field]) -> pa.Array:
        """Refuse keys that no index could hold."""
        long = pc.greater(pc.utf8_length(column), LONGEST_KEY).fill_null(False)
        if not pc.any(long, min_count=0).as_py():
            return column
        detail: dict[str, str] = {"reason": sentence("a key has at most {longest} characters", longest=LONGEST_KEY)}
        for row in np.flatnonzero(long.to_numpy(zero_copy_only=False)).tolist():
            self._add(row, "missing_key", fields[0], None, detail=detail)
        return pc.if_else(long, pa.scalar(None, TEXT), column)

    def orders(self) -> list[int | None]:
        """Read what orders the records of one key."""
        order = self.stream.order
        if order is None:
            return [None] * len(self.fields)
        texts = self.fields.texts(order.field)
        read = instant.read_column(texts, self.ctx.time_zone, order.formats) if order.time else read_integer(texts)
        self._unreadable(read, order.field, "unreadable_version")
        empty = ~read.values.is_valid().to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(empty).tolist():
            if row not in read.faults:
                self._add(row, "unreadable_version", order.field, None, detail={"reason": "the version is empty"})
        found: list[int | None] = pc.cast(read.values, pa.int64()).to_pylist()
        return found

    def deleted(self) -> npt.NDArray[np.bool_]:
        """Say which records delete; an operation that nobody knows is refused, not taken for a change."""
        operation = self.stream.operation
        if operation is None:
            return np.zeros(len(self.fields), dtype=np.bool_)
        read = code.read_column(self.fields.texts(operation.field), _meanings(operation))
        self._unreadable(read, operation.field, "unknown_code", refuse=True)
        found: npt.NDArray[np.bool_] = pc.equal(read.values, "delete").fill_null(False).to_numpy(zero_copy_only=False)
        return found

    def reported_at(self) -> pd.Series[pd.Timestamp]:
        """Read when the department wrote each record."""
        asked = self.stream.reported_at
        if asked is None:
            return pd.Series(pd.NaT, index=range(len(self.fields)), dtype="datetime64[us, UTC]")
        read = instant.read_column(self.fields.texts(asked.field), self.ctx.time_zone, asked.formats)
        if asked != self.stream.order:  # else the unreadable order has told it
            self._unreadable(read, asked.field, "unreadable_value")
        found: pd.Series[pd.Timestamp] = read.values.cast(INSTANT).to_pandas().astype("datetime64[us, UTC]")
        return found

    def organs(self) -> list[str | None]:
        """Read the organ that each record names; the source's own where the stream names none."""
        asked = self.stream.organ_from
        if asked is None:
            return [self.ctx.organ] * len(self.fields)
        found: list[str | None] = organ_column(self.fields, asked).to_pylist()
        return found

    def _missing(self, column: pa.Array, field: Field, reason: str) -> None:
        told = {finding.record for finding in self.findings if finding.pointer == field.pointer}
        for row in np.flatnonzero(~column.is_valid().to_numpy(zero_copy_only=False)).tolist():
            if row not in told:
                self._add(row, "missing_key", field, None, detail={"reason": reason})

    def _unreadable(self, read: Read, field: Field, rule: str, *, refuse: bool | None = None) -> None:
        for row, fault in read.faults.items():
            self._add(row, rule, field, self._value(field, row), detail=detail_of(fault), refuse=refuse)

    def _value(self, field: Field, row: int) -> str | None:
        found: str | None = self.fields.texts(field)[row].as_py()
        return found

    def _add(
        self,
        row: int,
        rule: str,
        field: Field | None,
        value: str | None,
        *,
        detail: dict[str, str],
        refuse: bool | None = None,
    ) -> None:
        self.findings.append(
            Finding(
                record=row,
                rule=rule,
                field=field.name if field else None,
                pointer=field.pointer if field else None,
                value=value,
                personal=field in self.stream.personal,
                detail=detail,
                refuse=refuse,
            )
        )


def organ_column(fields: Fields, asked: Field) -> pa.Array:
    """Read the organs that the rows of a stream name."""
    return read_number(fields.texts(asked)).values


def detail_of(fault: Unreadable) -> dict[str, str]:
    """Write what was expected; never the value."""
    return {"reason": fault.reason, **({"known": fault.known} if fault.known else {})}


def _meanings(operation: Operation) -> dict[str, str | None]:
    return {**dict.fromkeys(sorted(operation.keep or ()), "keep"), **dict.fromkeys(sorted(operation.delete), "delete")}
