"""Screens records that are held as columns: the schema of each field is asked once for each distinct value.

It gives the very answer that the screen of whole records gives (a property test shows it), for schemas that say nothing
about the fields together; for any other schema there is no `ColumnScreen`, and records are screened one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow.compute as pc

from hub.screens import screen
from hub.table import Column, Table
from validation.schema_lint import ANNOTATIONS

_OF_THE_WHOLE = frozenset({"type", "properties", "required", "additionalProperties"})
"""Keywords of a record's schema that are judged field by field."""


class ColumnScreen:
    """Says which records of a table a schema refuses; a field that no schema names may hold anything."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._required = frozenset(schema.get("required", ()))
        self._fields = {name: _Field(inner) for name, inner in schema.get("properties", {}).items()}

    @staticmethod
    def fits(schema: Mapping[str, Any]) -> bool:
        """Say whether a schema can be judged column by column."""
        words = {word for word in schema if word not in ANNOTATIONS and not word.startswith("x-")}
        return words <= _OF_THE_WHOLE and schema.get("type", "object") == "object"

    def refused(self, table: Table) -> set[int]:
        """Return the records that the schema refuses."""
        if not self._required <= set(table.names):
            return set(range(len(table)))
        refused = np.zeros(len(table), dtype=np.bool_)
        for column in table.columns:
            field = self._fields.get(column.name)
            if field is not None:
                field.mark(column, refused)
        return set(np.flatnonzero(refused).tolist())


class _Field:
    """The schema of one field, compiled for one value and for a list of them."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        words = {word for word in schema if word not in ANNOTATIONS and not word.startswith("x-")}
        types = schema.get("type", ())
        self._plain = words <= {"type", "maxLength"}
        self._takes = frozenset((types,) if isinstance(types, str) else types)
        self._longest = schema.get("maxLength")
        self._anything = not words
        self._one = screen(schema)
        self._all = screen({"type": "array", "items": dict(schema)})

    def mark(self, column: Column, refused: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
        """Mark the records whose value of this field is refused."""
        if self._anything or self._told_at_once(column):
            return
        coded = column.texts.dictionary_encode()
        values = Column(column.name, coded.dictionary, column.literal).values()
        if column.texts.null_count:
            values.append(None)
        if self._all.is_valid(values):
            return
        bad = np.array([not self._one.is_valid(value) for value in values], dtype=np.bool_)
        places = pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy(zero_copy_only=False)
        refused |= bad[places]

    def _told_at_once(self, column: Column) -> bool:
        """Say whether type and length of all values together show that the schema takes each of them."""
        if not self._plain or column.literal or "string" not in self._takes:
            return False
        if column.texts.null_count and "null" not in self._takes:
            return False
        return self._longest is None or (pc.max(pc.utf8_length(column.texts)).as_py() or 0) <= self._longest
