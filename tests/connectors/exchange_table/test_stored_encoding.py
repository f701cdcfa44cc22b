"""Kind exchange_table, against real servers: bytes of another encoding than the column claims."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg2
import pytest
import sqlalchemy as sa

from connectors.seam import Receipt
from hub.errors import StopSource, WrongEncoding
from tests.connectors.conftest import Department
from tests.connectors.exchange_table.parts import (
    hub,
    made,
    make,
    pull,
    quote,
    table,
)
from tests.connectors.parts import opened, records


@pytest.fixture
def ascii_postgres(postgres_url: str) -> Iterator[Department]:
    """A PostgreSQL database that claims no encoding, as old ones do."""
    name = f"ascii_{os.getpid()}"
    server = Department("postgresql", postgres_url, None)

    def outside(statement: str) -> None:
        engine = sa.create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    how = "ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    outside(f"CREATE DATABASE {name} {how}")
    yield Department("postgresql", server.elsewhere(database=name), "public", {"schema": "public"})
    outside(f"DROP DATABASE {name}")


def put_bytes(place: Department, key: bytes, name: bytes) -> None:
    """Write a row as a program does that knows nothing of encodings."""
    if place.backend == "postgresql":
        with closing(psycopg2.connect(place.url.replace("+psycopg2", ""))) as connection, connection.cursor() as cursor:
            cursor.execute("SET client_encoding = 'SQL_ASCII'")
            values = b"convert_from('\\x%b', 'SQL_ASCII'), '1', convert_from('\\x%b', 'SQL_ASCII')"
            cursor.execute(
                b'INSERT INTO ex_sl ("SBLSH", "STEP", "NAME", "VERSION", "REC_FLAG") VALUES ('
                + values % (key.hex().encode(), name.hex().encode()) + b", 1, '0')"
            )  # fmt: skip
            connection.commit()
    else:
        place.run(
            "INSERT INTO ex_sl (SBLSH, STEP, NAME, VERSION, REC_FLAG) VALUES "
            f"(CONVERT(x'{key.hex()}' USING latin1), '1', CONVERT(x'{name.hex()}' USING latin1), 1, '0')"
        )


@pytest.fixture(params=["ascii_postgres", "mariadb"])
def careless(request: pytest.FixtureRequest) -> Department:
    """A database whose columns claim one character set and hold another."""
    place: Department = request.getfixturevalue(request.param)
    make(place)
    if place.backend == "mysql":
        place.run(
            "ALTER TABLE ex_sl CONVERT TO CHARACTER SET latin1",
            "ALTER TABLE ex_sl ADD note varchar(9) CHARACTER SET utf8mb4",
        )
    return place


@pytest.fixture
def gbk_rows(careless: Department) -> Department:
    put_bytes(careless, b"K1", "受理".encode("gbk"))
    put_bytes(careless, "浙〔1〕".encode("gbk"), "王晓岚".encode("gbk"))
    put_bytes(careless, b"K3", b"ab\xff")
    return careless


def test_gbk_bytes_are_read_as_what_they_are(gbk_rows: Department) -> None:
    one = replace(made("ex_sl", {**gbk_rows.options, "stored_encoding": "gbk"}), key=("SBLSH",))
    (piece,) = list(opened("database", gbk_rows.url, one).read(one, {}, slice_size=9, full=False))
    assert {(record["SBLSH"], record["NAME"]) for record in piece.records} == {("K1", "受理"), ("浙〔1〕", "王晓岚")}
    (broken,) = piece.broken
    assert broken.message == "column NAME holds bytes that are not gbk"
    for size in (1, 2):
        cut = list(opened("database", gbk_rows.url, one).read(one, {}, slice_size=size, full=False))
        assert len(records(cut)) == 2, "reading goes on behind a key in such bytes"


def test_receipts_find_rows_by_such_bytes_and_speak_the_same_encoding(gbk_rows: Department) -> None:
    one = table(gbk_rows, stored_encoding="gbk", order=["SBLSH"], leave_out=["ERR_MSG"])
    as_it_lies = replace(one, options={**gbk_rows.options, "table": "ex_sl", "write": False, "stored_encoding": "gbk"})
    connector = hub(gbk_rows, one)
    (piece,) = pull(connector, one)
    assert {(record["SBLSH"], record["NAME"]) for record in piece.records} == {("K1", "受理"), ("浙〔1〕", "王晓岚")}
    given = [Receipt(token, "new") for token in piece.tokens[:2]]
    given += [Receipt(piece.tokens[2], "quarantined", ("拒收 refused: 字段 NAME 的字节不是 gbk。" * 3,))]
    connector.acknowledge(one, given)
    after = pull(connector, as_it_lies)
    said = {record["SBLSH"]: (record["REC_FLAG"], record["ERR_MSG"]) for record in records(after)}
    assert said == {"K1": ("1", None), "浙〔1〕": ("1", None)}
    quote_ = quote(gbk_rows)
    gbk_rows.run(f"UPDATE ex_sl SET {quote_}NAME{quote_} = 'mended' WHERE {quote_}SBLSH{quote_} = 'K3'")
    again = records(pull(connector, as_it_lies))
    (failed,) = [record for record in again if record["SBLSH"] == "K3"]
    assert failed["REC_FLAG"] == "2"
    assert failed["ERR_MSG"].startswith("拒收 refused: 字段 NAME 的字节不是 gbk。")
    assert failed["ERR_MSG"].endswith("…(cut)")
    assert len(failed["ERR_MSG"].encode("gbk")) <= 60


def test_columns_that_claim_unicode_are_read_as_they_claim(mariadb: Department) -> None:
    make(mariadb)
    mariadb.run("ALTER TABLE ex_sl MODIFY NAME varchar(100) CHARACTER SET latin1")
    mariadb.run("ALTER TABLE ex_sl ADD note varchar(9) CHARACTER SET utf8mb4")
    put_bytes(mariadb, b"K1", "受理".encode("gbk"))
    mariadb.run("UPDATE ex_sl SET note = '备注'")
    one = made("ex_sl", {"stored_encoding": "gbk"})
    (record,) = records(list(opened("database", mariadb.url, one).read(one, {}, slice_size=9, full=False)))
    assert (record["NAME"], record["note"]) == ("受理", "备注")


def test_without_the_option_such_bytes_end_in_a_typed_error(ascii_postgres: Department) -> None:
    make(ascii_postgres)
    put_bytes(ascii_postgres, b"K1", "受理".encode("gbk"))
    one = made("ex_sl", dict(ascii_postgres.options))
    with pytest.raises(WrongEncoding):
        list(opened("database", ascii_postgres.url, one).read(one, {}, slice_size=9, full=False))


def test_a_server_whose_bytes_nobody_can_ask_for_is_told(sqlite: Department) -> None:
    make(sqlite)
    one = made("ex_sl", {"stored_encoding": "gbk"})
    with pytest.raises(StopSource, match="stored_encoding does not work with sqlite"):
        list(opened("database", sqlite.url, one).read(one, {}, slice_size=9, full=False))
