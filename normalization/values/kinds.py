"""The kinds of canonical columns and how each is read: one table from `x-kind` to the modules of this package."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from hub.documents import Column
from normalization.values import boolean, date, instant, number, region, text
from normalization.values.common import TEXT, Read

_IDENTIFIERS = frozenset(
    {
        "case_number",
        "other_number",
        "number",
        "document_number",
        "predecessor",
        "local_code",
        "code",
        "version",
        "scheme",
    }
)
"""Columns of kind text that hold a number or code: they are compared, so they are brought to half-width form."""

_TYPES = {"instant": instant.INSTANT, "integer": number.INTEGER, "boolean": boolean.BOOLEAN}

_BY_KIND: dict[str, Callable[[pa.Array], Read]] = {
    "text": text.read_text,
    "code": text.read_identifier,
    "integer": number.read_integer,
    "decimal": number.read_decimal,
    "boolean": boolean.read_column,
    "region": region.read_column,
    "organ": text.read_number,
    "item_code": text.read_number,
    "credit_code": text.read_number,
    "certificate_id": text.read_number,
    "person_name": text.read_text,
    "person_text": text.read_text,
    "person_address": text.read_text,
    "person_number": text.read_number,
    "person_phone": text.read_identifier,
    "number_id": text.read_number,
}

_SAMPLE = datetime(2026, 12, 29, 23, 58, 57, tzinfo=UTC)


def type_of(column: Column) -> Any:
    """Tell the Arrow type of a canonical column."""
    return _TYPES.get(column.kind, TEXT)


def read_column(column: Column, texts: pa.Array, zone: str, formats: tuple[str, ...] = ()) -> Read:
    """Read a column of texts as what the canonical column holds.

    Raises:
        KeyError: the canonical document has a kind that nobody reads.
    """
    if column.kind == "instant":
        return instant.read_column(texts, zone, formats)
    if column.kind == "date":
        return date.read_column(texts, zone, formats, open_end=date.is_open_ended(column.name))
    if column.kind == "text" and column.name in _IDENTIFIERS:
        return text.read_identifier(texts)
    return _BY_KIND[column.kind](texts)


def read_scalar(column: Column, value: str) -> Any:
    """Read one text (a constant, or the value of a code list) as what the canonical column holds.

    Raises:
        Unreadable: it is no such value.
    """
    read = read_column(column, pa.array([value], TEXT), "Asia/Shanghai")
    for fault in read.faults.values():
        raise fault
    return read.values.to_pylist()[0]


def fault_of_format(form: str) -> str | None:
    """Say what is wrong with a declared format of times; None where it can be used."""
    if form in instant.EPOCHS:
        return None
    if not (re.search("%[Yy]", form) and re.search("%[mbB]", form) and "%d" in form):
        return f"must say year, month and day (%Y %m %d), or be one of {', '.join(instant.EPOCHS)}"
    try:
        datetime.strptime(_SAMPLE.strftime(form), form).replace(tzinfo=UTC)
    except ValueError:
        return "is none that can be read (letters as of strptime)"
    return None
