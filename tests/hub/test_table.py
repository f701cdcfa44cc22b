"""A table of columns is, to everybody, the records that it holds: as objects, as JSON, and cut into parts."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import jsontext
from hub.records import Record
from hub.table import TEXT, Column, Table, chosen, lines_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", '"', "\\", "\\n", "\n", "\t\x00\x1f\x7f", "受理", "😀", "null", "\u2028"]
)
LITERALS = st.integers(-(2**63), 2**63 - 1) | st.booleans()
NAMES = st.lists(TEXTS, min_size=1, max_size=5, unique=True)


def written(value: Any) -> str | None:
    return None if value is None else jsontext.dumps(value).decode()


def column(name: str, values: list[Any], *, literal: bool) -> Column:
    texts = [written(value) for value in values] if literal else values
    return Column(name, pa.array(texts, TEXT), literal)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, list[Record]]:
    names, size = draw(NAMES), draw(st.integers(0, 6))
    columns, values = [], []
    for name in names:
        literal = draw(st.booleans())
        cells = draw(st.lists(st.none() | (LITERALS if literal else TEXTS), min_size=size, max_size=size))
        columns.append(column(name, cells, literal=literal))
        values.append(cells)
    return Table(columns, size), [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


@settings(max_examples=300, deadline=None)
@given(tables())
def test_a_table_is_its_records(made: tuple[Table, list[Record]]) -> None:
    table, records = made
    assert list(table) == records
    assert [table[place] for place in range(len(table))] == records
    assert table.lines() == [jsontext.dumps(record) for record in records] == lines_of(records)


@settings(max_examples=150, deadline=None)
@given(tables(), st.data())
def test_parts_of_a_table_are_the_parts_of_its_records(made: tuple[Table, list[Record]], data: st.DataObject) -> None:
    table, records = made
    places = data.draw(st.lists(st.integers(0, max(len(records) - 1, 0)), max_size=8)) if records else []
    part = chosen(table, places)
    assert list(part) == [records[place] for place in places]
    assert lines_of(part) == [jsontext.dumps(records[place]) for place in places]
    start, end = data.draw(st.integers(-8, 8)), data.draw(st.integers(-8, 8))
    assert list(table[start:end]) == records[start:end]
    assert lines_of(table[start:end]) == [jsontext.dumps(record) for record in records[start:end]]


def test_a_place_that_is_not_there_is_an_index_error() -> None:
    table = Table([column("a", ["x"], literal=False)], 1)
    assert table[-1] == {"a": "x"}
    with pytest.raises(IndexError):
        table[1]


def test_records_without_fields_are_empty_objects() -> None:
    assert Table([], 2).lines() == [b"{}", b"{}"]
    assert list(Table([], 2)) == [{}, {}]
