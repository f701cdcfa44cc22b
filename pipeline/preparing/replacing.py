"""Puts right what a system is known to send wrong, before its records are judged: columns, not rows.

Only the records that are judged are changed: what is hashed, archived and kept waiting is what was received.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hub.findings import Finding
from hub.mends import Replacement, changed
from hub.records import Record
from hub.table import Column, Table
from normalization.fields import Fields
from normalization.model import Field
from normalization.values import instant
from normalization.values.common import TEXT, text_of
from pipeline.preparing.desk import Desk
from pipeline.preparing.mended import RULE

Mask = npt.NDArray[np.bool_]
_BY = "source.yml"


def put_right(desk: Desk, records: Sequence[Record]) -> tuple[Sequence[Record], list[Finding]]:
    """Return the records as they are meant, and a finding for each value that was put right.

    Each value is compared as it came: one correction does not lead into another.
    """
    said = desk.mapping.corrections
    if not said or not len(records):
        return records, []
    days = _Days(desk, records)
    findings: list[Finding] = []
    hits: list[tuple[Field, Replacement, Mask]] = []
    for field, its in _by_field(said).items():
        texts = Fields(records, [field]).texts(field)
        for one in its:
            hit = _equal(texts, one.was)
            if (one.since or one.until) and hit.any():
                hit &= days.within(one.since, one.until)
            if hit.any():
                hits.append((field, one, hit))
                findings += _told(desk, field, one, texts, hit)
    return (_replaced(records, hits) if hits else records), findings


def _by_field(said: Sequence[Replacement]) -> dict[Field, list[Replacement]]:
    out: dict[Field, list[Replacement]] = {}
    for one in said:
        out.setdefault(Field.of(one.field), []).append(one)
    return out


def _equal(texts: pa.Array, was: Any) -> Mask:
    if was is None:
        found = pc.or_kleene(texts.is_null(), pc.equal(pc.utf8_trim_whitespace(texts), "")).fill_null(True)
    else:
        found = pc.equal(texts, pa.scalar(text_of(was), TEXT)).fill_null(False)
    mask: Mask = found.to_numpy(zero_copy_only=False)
    return mask.copy()


def _told(desk: Desk, field: Field, one: Replacement, texts: pa.Array, hit: Mask) -> list[Finding]:
    personal = field.path[0] not in desk.shown
    detail = {"reason": one.reason, "by": _BY}
    return [
        Finding(
            index, RULE, field=field.name, pointer=field.pointer, value=texts[index].as_py(), personal=personal,
            detail=detail,
        )
        for index in np.flatnonzero(hit).tolist()
    ]  # fmt: skip


def _replaced(records: Sequence[Record], hits: list[tuple[Field, Replacement, Mask]]) -> Sequence[Record]:
    if isinstance(records, Table) and all(_fits(records, field, one) for field, one, _hit in hits):
        return _columns(records, hits)
    out = list(records)
    for field, one, hit in hits:
        for index in np.flatnonzero(hit).tolist():
            try:
                out[index] = changed(out[index], field.path, one.to)
            except ValueError:
                continue  # the place is not there in this record: nothing was found at it, and nothing is put there
    return out


def _fits(table: Table, field: Field, one: Replacement) -> bool:
    """Say whether a value can stand in a table's column: a column holds texts, or numbers and truth values."""
    column = table.column(field.path[0])
    return column is not None and (one.to is None or column.literal != isinstance(one.to, str))


def _columns(table: Table, hits: list[tuple[Field, Replacement, Mask]]) -> Table:
    texts = {column.name: column.texts for column in table.columns}
    for field, one, hit in hits:
        new = pa.scalar(text_of(one.to), TEXT)
        texts[field.path[0]] = pc.if_else(pa.array(hit), new, texts[field.path[0]])
    return Table([Column(one.name, texts[one.name], one.literal) for one in table.columns], len(table))


class _Days:
    """The day of each record, read once and only where a correction is bound to days."""

    def __init__(self, desk: Desk, records: Sequence[Record]) -> None:
        self._desk, self._records = desk, records
        self._days: npt.NDArray[np.datetime64] | None = None

    def within(self, since: date | None, until: date | None) -> Mask:
        """Say which records are of these days, both included."""
        if self._days is None:
            self._days = self._read()
        good = np.ones(len(self._records), dtype=np.bool_)
        if since is not None:
            good &= self._days >= np.datetime64(since)
        if until is not None:
            good &= self._days <= np.datetime64(until)
        return good

    def _read(self) -> npt.NDArray[np.datetime64]:
        context, asked = self._desk.context, self._desk.mapping.reported_at
        read = np.datetime64(context.read_at.astimezone(ZoneInfo(context.time_zone)).date())
        days = np.full(len(self._records), read, dtype="datetime64[D]")
        if asked is None:
            return days
        texts = Fields(self._records, [asked.field]).texts(asked.field)
        values = instant.read_column(texts, context.time_zone, asked.formats).values.cast(pa.timestamp("us", tz="UTC"))
        local = pc.local_timestamp(values.cast(pa.timestamp("us", tz=context.time_zone)))
        written = local.cast(pa.date32()).to_numpy(zero_copy_only=False).astype("datetime64[D]")
        return np.where(np.isnat(written), days, written)
