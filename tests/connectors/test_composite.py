"""PostgreSQL read by columns: the very records that reading row by row gives, whatever stands in the table."""

from __future__ import annotations

from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.kinds.database import composite, connector
from connectors.source import Cursor
from hub.table import Table, lines_of
from tests.connectors.conftest import Department
from tests.connectors.parts import pull, records, stream

COLUMNS = (
    "id integer PRIMARY KEY, word text, long varchar(200), padded char(6), small smallint, big bigint, truth boolean,"
    " amount numeric, day date, at timestamp, zoned timestamptz, span interval, code uuid"
)
WORDS = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
ODD = st.sampled_from(
    ["", " ", '"', '""', "\\", "\\\\", "a\\", ",", "(", ")", "\n", "\r\n", "\r", "\t", "\ufeff", "\ufeffa", "NULL",
     "\\N", "a,b", 'say "no"', "受理，办结", "-", "\x1f", "\x0b", " padded "]
)  # fmt: skip
ROW = st.fixed_dictionaries(
    {
        "word": WORDS | ODD,
        "long": WORDS | ODD,
        "padded": st.none() | st.sampled_from(["", "a", "a b", "受理", '"', "\\"]),
        "small": st.none() | st.integers(-(2**15), 2**15 - 1),
        "big": st.none() | st.integers(-(2**63), 2**63 - 1),
        "truth": st.none() | st.booleans(),
        "amount": st.none() | st.sampled_from(["0", "-1.50", "1e20", "NaN", "0.000000000001"]),
        "day": st.none() | st.sampled_from(["2026-01-05", "infinity", "0044-03-15 BC"]),
        "at": st.none() | st.sampled_from(["2026-01-05 08:30:00", "2026-01-05 08:30:00.123456", "-infinity"]),
        "zoned": st.none() | st.sampled_from(["2026-01-05 08:30:00+08", "9999-12-31 23:59:59.999999+00"]),
        "span": st.none() | st.sampled_from(["1 day 02:03:04", "-3 mons"]),
        "code": st.none() | st.just("0b5e8c6a-3c1f-4f8e-9a51-2f6f0d9f4f11"),
    }
)


def fill(place: Department, rows: list[dict[str, Any]], columns: str = COLUMNS) -> None:
    place.run("DROP TABLE IF EXISTS probe", f"CREATE TABLE probe ({columns})")
    with psycopg2.connect(place.url.replace("+psycopg2", "")) as connection, connection.cursor() as cursor:
        for number, row in enumerate(rows):
            names = ", ".join(["id", *row])
            marks = ", ".join(["%s"] * (len(row) + 1))
            cursor.execute(f"INSERT INTO {place.schema}.probe ({names}) VALUES ({marks})", [number, *row.values()])
    connection.close()


def read(place: Department, *, size: int = 100, **options: Any) -> list[Any]:
    one = stream("probe", key=("id",), schema=place.schema, table="probe", **options)
    return pull("database", place.url, one, size=size)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=12), size=st.integers(1, 13))
def test_columns_give_the_records_that_rows_give(postgres: Department, rows: list[dict[str, Any]], size: int) -> None:
    fill(postgres, rows)
    by_column = read(postgres, size=size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connector, "tables_of", lambda *_: None)
        by_row = read(postgres, size=size)
    assert [isinstance(piece.records, Table) for piece in by_column if len(piece.records)] == [True] * -(
        -len(rows) // size
    )
    assert records(by_column) == records(by_row)
    assert [line for piece in by_column for line in lines_of(piece.records)] == [
        line for piece in by_row for line in lines_of(piece.records)
    ]
    assert [piece.rows for piece in by_column] == [piece.rows for piece in by_row]


def test_long_rows_are_taken_apart_in_portions(postgres: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composite, "_MOST_TEXT", 100)
    rows = [{"word": "字" * (number * 17 % 200)} for number in range(40)]
    fill(postgres, rows)
    assert [record["word"] for record in records(read(postgres))] == [row["word"] for row in rows]


@pytest.mark.parametrize("type_", ["double precision", "jsonb", "text[]", "inet", "real"])
def test_a_type_whose_text_is_not_the_value_is_read_row_by_row(postgres: Department, type_: str) -> None:
    fill(postgres, [{}], f"id integer PRIMARY KEY, other {type_}")
    (piece,) = read(postgres)
    assert not isinstance(piece.records, Table)
    assert records([piece]) == [{"id": 0, "other": None}]


def test_names_that_fall_together_are_read_row_by_row(postgres: Department) -> None:
    fill(postgres, [{'"ID"': "b"}], 'id integer PRIMARY KEY, "ID" text')
    (piece,) = read(postgres, names="upper")
    assert not isinstance(piece.records, Table)


def test_a_pull_by_pages_goes_on_behind_the_last_row(postgres: Department) -> None:
    fill(postgres, [{"at": f"2026-01-05 08:{number // 3:02}:00"} for number in range(20)])
    one = stream("probe", cursor=Cursor("at"), key=("id",), schema=postgres.schema, page_rows=7)
    slices = pull("database", postgres.url, one, size=5)
    assert [record["id"] for record in records(slices)] == list(range(20))
    assert all(isinstance(piece.records, Table) for piece in slices)
    assert slices[-1].state == {"cursor": "2026-01-05 08:06:00"}
    assert slices[0].state["tie"] == [4]
