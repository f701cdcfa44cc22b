"""The screen of columns gives the answer of the screen of records, for any schema and any table."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import jsontext
from hub.records import Record
from hub.table import TEXT, Column, Table
from tests.validation.test_schema_vocabulary import NAMES, keywords, texts
from validation.columnscreen import ColumnScreen
from validation.structure import StructureJudge

plain_schemas = st.fixed_dictionaries(
    {"properties": st.dictionaries(st.sampled_from(NAMES), keywords, max_size=4)},
    optional={"required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True), "type": st.just("object")},
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    names = draw(st.lists(st.sampled_from([*NAMES, "other"]), min_size=1, max_size=4, unique=True))
    size = draw(st.integers(1, 8))
    columns = []
    for name in names:
        literal = draw(st.booleans())
        kind: Any = st.integers(-4, 4) | st.booleans() | st.integers(-(2**63), 2**63 - 1) if literal else texts
        values = draw(st.lists(st.none() | kind, min_size=size, max_size=size))
        said = [None if value is None else jsontext.dumps(value).decode() for value in values] if literal else values
        columns.append(Column(name, pa.array(said, TEXT), literal))
    return Table(columns, size)


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(plain_schemas, tables(), st.sampled_from(["evolve", "freeze", "quarantine"]))
def test_columns_are_judged_as_records_are(schema: dict[str, Any], table: Table, contract: str) -> None:
    assert ColumnScreen.fits(schema)
    judge = StructureJudge(schema, contract)
    records: list[Record] = list(table)
    assert judge.judge(table) == judge.judge(records)


def test_a_schema_that_speaks_of_the_fields_together_is_judged_by_records() -> None:
    assert not ColumnScreen.fits({"properties": {}, "enum": [1]})
    assert not ColumnScreen.fits({"type": ["object", "null"]})
    assert ColumnScreen.fits({"title": "t", "x-sparse": True, "required": ["A"]})
    table = Table([Column("A", pa.array(["x", "y"], TEXT))], 2)
    found = StructureJudge({"const": 5}).judge(table)
    assert [one.record for one in found if one.rule == "schema_violation"] == [0, 1]
    assert found == StructureJudge({"const": 5}).judge(list(table))
