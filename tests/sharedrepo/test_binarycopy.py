"""COPY in binary form: the server holds what was given, for every type and every gap, as it does from text."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg2
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import BYTEA

from hub.errors import InternalError
from sharedrepo.embedded import EmbeddedServer
from sharedrepo.staging import binarycopy, stage

PROBE = sa.Table(
    "probe",
    sa.MetaData(),
    sa.Column("small", sa.SmallInteger()),
    sa.Column("plain", sa.Integer()),
    sa.Column("big", sa.BigInteger()),
    sa.Column("truth", sa.Boolean()),
    sa.Column("word", sa.Text()),
    sa.Column("mark", sa.CHAR(1)),
    sa.Column("raw", BYTEA()),
    sa.Column("at", sa.TIMESTAMP(timezone=True)),
    sa.Column("day", sa.Date()),
)
TYPES = {
    "small": pa.int16(), "plain": pa.int64(), "big": pa.int64(), "truth": pa.bool_(), "word": pa.large_string(),
    "mark": pa.string(), "raw": pa.large_binary(), "at": pa.timestamp("us", tz="UTC"), "day": pa.large_string(),
}  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROW = st.fixed_dictionaries(
    {
        "small": st.none() | st.integers(-(2**15), 2**15 - 1),
        "plain": st.none() | st.integers(-(2**31), 2**31 - 1),
        "big": st.none() | st.integers(-(2**63), 2**63 - 1),
        "truth": st.none() | st.booleans(),
        "word": st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9),
        "mark": st.none() | st.sampled_from(["d", "m", "s"]),
        "raw": st.none() | st.binary(max_size=9),
        "at": st.none() | st.integers(-(10**15), 10**16).map(lambda micro: EPOCH + timedelta(microseconds=micro)),
        "day": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)).map(date.isoformat),
    }
)


@pytest.fixture(scope="module")
def cursor(server: EmbeddedServer) -> Any:
    with contextlib.closing(psycopg2.connect(server.url("postgres"))) as connection, connection.cursor() as cursor:
        cursor.execute("SET timezone = 'UTC'")
        columns = ", ".join(f"{one.name} {one.type.compile(postgresql.dialect())}" for one in PROBE.columns)
        cursor.execute(f"CREATE TEMP TABLE probe ({columns})")
        yield cursor


def arrays(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: pa.array([row[name] for row in rows], kind) for name, kind in TYPES.items()}


def held(cursor: Any) -> list[tuple[Any, ...]]:
    cursor.execute(f"SELECT {', '.join(TYPES)} FROM probe")
    found = [tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in cursor.fetchall()]
    cursor.execute("TRUNCATE probe")
    return found


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=9), data=st.data())
def test_what_was_given_is_held(cursor: Any, rows: list[dict[str, Any]], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(rows)))
    given_ = {name: values[start:] for name, values in arrays(rows).items()}  # arrays that begin inside their buffers
    binarycopy.copy(cursor, "probe", PROBE, given_)
    binary = held(cursor)
    stage.copy(cursor, "probe", given_)
    assert binary == held(cursor)
    wanted = [tuple(row[name] for name in TYPES) for row in rows[start:]]
    assert [(*row[:8], None if row[8] is None else row[8].isoformat()) for row in binary] == wanted


def test_more_than_a_portion_keeps_its_order(cursor: Any) -> None:
    size = 2 * 4_000 + 1
    binarycopy.copy(cursor, "probe", PROBE, {"big": pa.chunked_array([list(range(size))]), "small": pa.repeat(3, size)})
    assert [(row[2], row[0]) for row in held(cursor)] == [(number, 3) for number in range(size)]


def test_decimals_go_as_text(cursor: Any) -> None:
    table = sa.Table("fee", sa.MetaData(), sa.Column("amount", sa.Numeric(18, 2)), sa.Column("raw", BYTEA()))
    cursor.execute("CREATE TEMP TABLE fee (amount numeric(18,2), raw bytea)")
    binarycopy.copy(cursor, "fee", table, {"amount": pa.array(["1.50", None]), "raw": stage.bytea([b"\0\xff", None])})
    cursor.execute("SELECT * FROM fee")
    assert [(one, None if raw is None else bytes(raw)) for one, raw in cursor.fetchall()] == [
        (Decimal("1.50"), b"\0\xff"),
        (None, None),
    ]


def test_what_does_not_fit_is_an_error_and_never_cut(cursor: Any) -> None:
    with pytest.raises(pa.ArrowInvalid):
        binarycopy.copy(cursor, "probe", PROBE, {"small": pa.array([2**15])})
    with pytest.raises(InternalError, match="raw"):
        binarycopy.copy(cursor, "probe", PROBE, {"raw": pa.array(["\\x00"])})
    assert held(cursor) == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)))
@pytest.mark.parametrize("more", [[], [""], ["\x1f"], ["'", "\\", "a\x1fb", "%s"]])
def test_many_texts_are_one_parameter(cursor: Any, texts: list[str], more: list[str]) -> None:
    cursor.execute("SELECT %s", (stage.TextArray([*texts, *more]),))
    assert stage.scalar(cursor) == [*texts, *more]
