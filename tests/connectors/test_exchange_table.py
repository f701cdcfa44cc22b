"""Kind exchange_table, against real servers: each row taken once, each gets its receipt, nobody is kept waiting."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import oracle

from connectors.kinds.database.plan import Plan
from connectors.kinds.exchange_table import claims, receipts, statements
from connectors.kinds.exchange_table import terms as terms_module
from connectors.kinds.exchange_table.connector import ExchangeTableConnector
from connectors.kinds.exchange_table.options import option_faults
from connectors.kinds.exchange_table.terms import Terms
from connectors.seam import Acknowledges, Receipt, Window
from connectors.source import Cursor, Expect, StreamSpec, load_sources
from hub.errors import ConfigError, RefuseUnit, RetrySource, SchemaMismatch, StopSource, StreamMissing, WrongEncoding
from hub.records import Slice
from tests.connectors.conftest import Department
from tests.connectors.parts import keyed, opened, records, source, stream

FLAG = {"column": "REC_FLAG", "waiting": [None, "", "0"], "claimed": "9", "done": "1", "failed": "2"}
AGREED: dict[str, Any] = {
    "flag": FLAG, "claim": {"id": "CLAIM_ID", "time": "CLAIM_TIME"},
    "receipt": {"time": "RESPONSETIME", "error": "ERR_MSG"}, "version": "VERSION", "order": ["INSERTTIME"],
}  # fmt: skip
TABLE = """CREATE TABLE {q}ex_sl{q} (
 {q}SBLSH{q} varchar(50) NOT NULL, {q}STEP{q} varchar(5) NOT NULL, {q}NAME{q} varchar(100),
 {q}VERSION{q} integer, {q}INSERTTIME{q} {stamp}, {q}REC_FLAG{q} varchar(2), {q}CLAIM_ID{q} varchar(40),
 {q}CLAIM_TIME{q} {stamp}, {q}RESPONSETIME{q} varchar(19), {q}ERR_MSG{q} varchar(60),
 PRIMARY KEY ({q}SBLSH{q}, {q}STEP{q}))"""


def quote(place: Department) -> str:
    return "`" if place.backend == "mysql" else '"'


def make(place: Department, count: int = 0) -> None:
    stamp = {"postgresql": "timestamp", "mysql": "datetime", "sqlite": "timestamp"}[place.backend]
    place.run(TABLE.format(q=quote(place), stamp=stamp))
    put(place, *(f"K{number:04}" for number in range(count)))


def put(place: Department, *keys: str, flag: str | None = "0", version: int | None = 1, step: str = "1") -> None:
    """Write rows as a department does."""
    names = ("SBLSH", "STEP", "NAME", "VERSION", "INSERTTIME", "REC_FLAG")
    rows = [
        (key, step, f"受理{key}", version, f"2026-01-05 08:{number % 60:02}:00", flag)
        for number, key in enumerate(keys)
    ]
    values = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in rows)
    if keys:
        place.run(
            f"INSERT INTO ex_sl ({', '.join(quote(place) + name + quote(place) for name in names)}) VALUES {values}"
        )


def literal(value: Any) -> str:
    return "NULL" if value is None else repr(value)


def ask(place: Department, query: str) -> list[tuple[Any, ...]]:
    engine = sa.create_engine(re.sub("^mysql:", "mysql+pymysql:", place.url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        if place.schema and place.backend == "postgresql":
            connection.exec_driver_sql(f"SET search_path TO {place.schema}")
        return [tuple(row) for row in connection.exec_driver_sql(query.replace('"', quote(place)))]


def flags(place: Department) -> dict[str, str | None]:
    rows = ask(place, 'SELECT "SBLSH", "STEP", "REC_FLAG" FROM ex_sl')
    return {key + ("" if step == "1" else step): flag for key, step, flag in rows}


def change(place: Department, key: str, **values: Any) -> None:
    sets = ", ".join(f'"{name}" = {literal(value)}' for name, value in values.items())
    place.run(f"UPDATE ex_sl SET {sets} WHERE \"SBLSH\" = '{key}'".replace('"', quote(place)))


def table(place: Department, **options: Any) -> StreamSpec:
    expect = options.pop("expect", None)
    cursor = options.pop("cursor", None)
    own = {name: value for name, value in {**AGREED, **options}.items() if value is not None}
    return made("sl", {**place.options, "table": "ex_sl", **own}, cursor=cursor, expect=expect)


def made(name: str, options: dict[str, Any], **said: Any) -> StreamSpec:
    """Make a stream; `key` of the options is not the mapping's."""
    return replace(stream(name, **said), options=options)


def hub(place: Department, one: StreamSpec, mark: str = "") -> ExchangeTableConnector:
    """Open the connector of a hub; `mark` makes it another deployment."""
    return ExchangeTableConnector(source("exchange_table", one), place.url, lambda data: keyed(mark.encode() + data))


def pull(connector: ExchangeTableConnector, one: StreamSpec, *, size: int = 100, full: bool = False) -> list[Slice]:
    slices = list(connector.read(one, {}, slice_size=size, full=full))
    assert [piece.last for piece in slices] == [False] * (len(slices) - 1) + [True]
    assert all(len(piece.tokens) in (0, piece.read) for piece in slices)
    assert [row for piece in slices for row in sorted([*piece.rows, *(one.row for one in piece.broken)])] == list(
        range(1, sum(piece.read for piece in slices) + 1)
    )
    return slices


def keys(slices: Sequence[Slice]) -> list[str]:
    return [record["SBLSH"] for record in records(list(slices))]


def settle(connector: ExchangeTableConnector, one: StreamSpec, slices: Sequence[Slice], **errors: str) -> None:
    """Give each row its receipt: quarantined where an error is said of its key."""
    for piece in slices:
        told = [errors.get(record["SBLSH"]) for record in piece.records]
        connector.acknowledge(one, [
            Receipt(token, "new") if said is None else Receipt(token, "quarantined", (said,))
            for token, said in zip(piece.tokens, told, strict=True)
        ])  # fmt: skip


def test_rows_are_claimed_handed_over_in_order_and_get_their_receipts(department: Department) -> None:
    make(department, 25)
    put(department, "null", flag=None)
    put(department, "empty", flag="")
    put(department, "done", flag="1")
    put(department, "other", flag="7")
    one = table(department)
    connector = hub(department, one)
    assert isinstance(connector, Acknowledges)
    slices = pull(connector, one, size=10)
    assert [piece.read for piece in slices] == [10, 10, 7]
    assert sorted(keys(slices)) == sorted([*(f"K{number:04}" for number in range(25)), "empty", "null"])
    assert len({token for piece in slices for token in piece.tokens}) == 27
    assert set(flags(department).values()) == {"9", "1", "7"}, "what was handed over is claimed"
    settle(connector, one, slices, K0003="拒收 refused: /SLZTDM unknown code. Use a code of the list.")
    found = flags(department)
    assert found.pop("K0003") == "2"
    assert found.pop("other") == "7"
    assert set(found.values()) == {"1"}
    assert ask(department, 'SELECT "ERR_MSG" FROM ex_sl WHERE "SBLSH" = \'K0003\'') == [
        ("拒收 refused: /SLZTDM unknown code. Use a code of the list.",)
    ]
    assert ask(department, "SELECT count(*) FROM ex_sl WHERE \"RESPONSETIME\" > '2026-01-05 0'") == [(27,)]
    assert keys(pull(connector, one)) == []


def test_a_record_holds_nothing_that_the_hub_writes(department: Department) -> None:
    make(department, 1)
    one = table(department)
    connector = hub(department, one)
    first = records(pull(connector, one))
    assert first[0] == {
        "SBLSH": "K0000", "STEP": "1", "NAME": "受理K0000", "VERSION": 1, "INSERTTIME": "2026-01-05 08:00:00",
        "REC_FLAG": None, "CLAIM_ID": None, "CLAIM_TIME": None, "RESPONSETIME": None, "ERR_MSG": None,
    }  # fmt: skip
    assert records(pull(connector, one)) == first, "a row that is handed over again is the same record"
    less = table(department, leave_out=["CLAIM_ID", "ERR_MSG"])
    assert set(records(pull(hub(department, less), less))[0]) == set(first[0]) - {
        "CLAIM_ID", "ERR_MSG",
    }  # fmt: skip


def test_what_a_dead_pull_had_claimed_is_handed_over_again_to_this_hub_alone(department: Department) -> None:
    make(department, 6)
    one = table(department)
    dead = hub(department, one).read(one, {}, slice_size=2, full=False)
    next(dead)
    dead.close()
    assert sorted(flags(department).values()) == ["0", "0", "9", "9", "9", "9"], "it had claimed one slice ahead"
    assert sorted(keys(pull(hub(department, one, "another"), one))) == ["K0004", "K0005"]
    again = hub(department, one)
    slices = pull(again, one)
    assert sorted(keys(slices)) == ["K0000", "K0001", "K0002", "K0003"]
    settle(again, one, slices)
    assert sorted(flags(department).values()) == ["1", "1", "1", "1", "9", "9"]


def test_without_a_column_for_claims_every_claimed_row_is_taken_again(department: Department) -> None:
    make(department, 3)
    put(department, "left", flag="9")
    one = table(department, claim=None)
    connector = hub(department, one)
    slices = pull(connector, one)
    assert sorted(keys(slices)) == ["K0000", "K0001", "K0002", "left"]
    settle(connector, one, slices)
    assert set(flags(department).values()) == {"1"}


def test_a_row_corrected_after_it_was_claimed_keeps_waiting(department: Department) -> None:
    make(department, 3)
    one = table(department)
    connector = hub(department, one)
    slices = pull(connector, one)
    change(department, "K0000", VERSION=2, REC_FLAG="0")
    change(department, "K0001", VERSION=2)
    settle(connector, one, slices)
    assert flags(department) == {"K0000": "0", "K0001": "9", "K0002": "1"}
    again = pull(connector, one)
    assert sorted((record["SBLSH"], record["VERSION"]) for record in records(again)) == [("K0000", 2), ("K0001", 2)]
    settle(connector, one, slices)
    assert flags(department) == {"K0000": "9", "K0001": "9", "K0002": "1"}, "an old receipt does not speak of a new row"
    settle(connector, one, again)
    assert set(flags(department).values()) == {"1"}


def test_a_receipt_may_come_twice_and_for_a_row_that_is_gone(department: Department) -> None:
    make(department, 3)
    put(department, "none", version=None)
    one = table(department)
    connector = hub(department, one)
    slices = pull(connector, one)
    department.run("DELETE FROM ex_sl WHERE \"SBLSH\" = 'K0001'".replace('"', quote(department)))
    settle(connector, one, slices, K0002="wrong")
    after = ask(department, "SELECT * FROM ex_sl ORDER BY 1")
    settle(connector, one, slices)
    assert ask(department, "SELECT * FROM ex_sl ORDER BY 1") == after
    assert flags(department) == {"K0000": "1", "K0002": "2", "none": "1"}


def test_a_dry_run_reads_what_waits_and_changes_nothing(department: Department) -> None:
    make(department, 5)
    one = table(department)
    pull(hub(department, one), one)
    put(department, "new")
    put(department, "failed", flag="2")
    before = ask(department, "SELECT * FROM ex_sl ORDER BY 1")
    looking = hub(department, one)
    looking.only_look()
    slices = pull(looking, one, size=4)
    assert sorted(keys(slices)) == [*(f"K{number:04}" for number in range(5)), "new"]
    assert [piece.tokens for piece in slices] == [(), ()]
    assert "failed" in keys(pull(looking, one, full=True))
    looking.acknowledge(one, [Receipt('["x",1,"new","1"]', "new")])
    assert ask(department, "SELECT * FROM ex_sl ORDER BY 1") == before


def test_a_full_pull_tries_failed_rows_again_and_reads_done_ones_without_a_receipt(department: Department) -> None:
    make(department, 4)
    one = table(department)
    connector = hub(department, one)
    settle(connector, one, pull(connector, one), K0001="unknown code", K0002="unknown code")
    put(department, "new")
    slices = pull(connector, one, full=True, size=1)
    assert sorted(keys(slices)) == ["K0000", "K0001", "K0002", "K0003", "new"]
    assert sorted(keys([piece for piece in slices if piece.tokens])) == ["K0001", "K0002", "new"]
    settle(connector, one, [piece for piece in slices if piece.tokens], K0002="unknown code")
    assert flags(department) == {"K0000": "1", "K0001": "1", "K0002": "2", "K0003": "1", "new": "1"}
    assert ask(department, 'SELECT "ERR_MSG" FROM ex_sl WHERE "SBLSH" = \'K0001\'') == [(None,)], (
        "the error is taken back"
    )


def test_rows_taken_at_the_same_time_are_taken_once(department: Department, locking: bool) -> None:
    make(department, 300)
    one = table(department)
    hubs = [hub(department, one, str(number)) for number in range(3)]
    got: list[list[str]] = [[] for _ in hubs]

    def work(number: int) -> None:
        for _ in range(200):
            try:
                slices = pull(hubs[number], one, size=7)
            except RetrySource:  # SQLite locks its whole file
                continue
            got[number] += keys(slices)
            settle(hubs[number], one, slices)
            if set(flags(department).values()) == {"1"}:
                return

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(hubs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = [key for some in got for key in some]
    assert sorted(together) == sorted(set(together)) == sorted(flags(department))
    assert set(flags(department).values()) == {"1"}


@pytest.fixture(params=["as the server can", "without SKIP LOCKED"])
def locking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Claim as the server can, and as one would that cannot pass locked rows by."""
    can = request.param == "as the server can"
    if not can:
        monkeypatch.setattr("connectors.kinds.exchange_table.taking.passes_locked_rows_by", lambda _: False)
    return can


@contextmanager
def held(place: Department, key: str) -> Iterator[sa.Connection]:
    """Hold a row as a job of the department would: changed, and not yet committed."""
    engine = sa.create_engine(re.sub("^mysql:", "mysql+pymysql:", place.url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        if place.schema:
            connection.exec_driver_sql(f"SET search_path TO {place.schema}")
        query = f"UPDATE ex_sl SET \"NAME\" = 'being changed' WHERE \"SBLSH\" = '{key}'"
        connection.exec_driver_sql(query.replace('"', quote(place)))
        yield connection
    engine.dispose()


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_a_row_that_the_department_is_writing_is_passed_by_at_once(server: str, request: pytest.FixtureRequest) -> None:
    place: Department = request.getfixturevalue(server)
    make(place, 5)
    one = table(place)
    connector = hub(place, one)
    with held(place, "K0002") as job:
        begun = time.monotonic()
        slices = pull(connector, one)
        settle(connector, one, slices)
        assert time.monotonic() - begun < 3, "nobody waited for the other's lock"
        assert sorted(keys(slices)) == ["K0000", "K0001", "K0003", "K0004"]
        job.commit()
    assert [(record["SBLSH"], record["NAME"]) for record in records(pull(connector, one))] == [
        ("K0002", "being changed")
    ]


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_the_department_writes_freely_while_rows_are_on_their_way(server: str, request: pytest.FixtureRequest) -> None:
    place: Department = request.getfixturevalue(server)
    make(place, 20)
    one = table(place)
    running = hub(place, one).read(one, {}, slice_size=5, full=False)
    next(running)
    begun = time.monotonic()
    put(place, "meanwhile")
    change(place, "K0000", NAME="corrected", VERSION=2, REC_FLAG="0")
    change(place, "K0019", NAME="corrected")
    assert time.monotonic() - begun < 3
    running.close()


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_a_receipt_for_a_row_that_is_locked_stays_owed(
    server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.kinds.database.engine._TOLD", {
        "postgresql": ("SET lock_timeout = '300ms'",), "mysql": ("SET SESSION innodb_lock_wait_timeout = 1",),
    })  # fmt: skip
    place: Department = request.getfixturevalue(server)
    make(place, 2)
    one = table(place)
    connector = hub(place, one)
    slices = pull(connector, one)
    with held(place, "K0001"), pytest.raises(RetrySource):
        settle(connector, one, slices)
    settle(connector, one, slices)
    assert set(flags(place).values()) == {"1"}


def test_a_pull_ends_even_where_a_trigger_sets_the_flag_back(postgres: Department) -> None:
    make(postgres, 7)
    postgres.run(
        """CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF NEW."REC_FLAG" IN ('1', '9') THEN NEW."REC_FLAG" := '0'; END IF; RETURN NEW; END $$""",
        "CREATE TRIGGER again BEFORE UPDATE ON ex_sl FOR EACH ROW EXECUTE FUNCTION again()",
    )
    one = table(postgres)
    assert len(keys(pull(hub(postgres, one), one, size=2))) == 7


def test_fewer_rows_than_expected_are_not_claimed(department: Department) -> None:
    make(department, 3)
    one = table(department, expect=Expect(least=5))
    (piece,) = pull(hub(department, one), one)
    assert piece.unit is not None
    assert (piece.unit.rows, piece.tokens) == (3, ())
    assert set(flags(department).values()) == {"0"}, "they wait until enough have come"
    put(department, "A", "B")
    (piece,) = pull(hub(department, one), one)
    assert len(piece.tokens) == 5


def test_a_key_that_does_not_tell_rows_apart_is_refused_before_anything_is_claimed(
    department: Department, locking: bool
) -> None:
    make(department, 3)
    put(department, "K0001", step="2")
    one = table(department, key=["SBLSH"])
    with pytest.raises(SchemaMismatch, match=r"the key \(SBLSH\) of \d rows finds \d rows again"):
        pull(hub(department, one), one)
    assert set(flags(department).values()) == {"0"}


def test_rows_without_a_key_are_read_at_every_pull_and_get_no_receipt(department: Department) -> None:
    department.run("CREATE TABLE loose (no varchar(9), name varchar(9), state integer)")
    department.run("INSERT INTO loose VALUES ('A', 'a', 0), (NULL, 'b', 0), ('C', 'c', 0), (NULL, 'd', 1)")
    flag = {"column": "state", "waiting": ["0"], "claimed": 9, "done": "1", "failed": 2}
    one = made("loose", {**department.options, "flag": flag, "key": ["no"]})
    connector = hub(department, one)
    for wanted in (["A", "C"], []):
        slices = pull(connector, one)
        assert [piece.records[0]["name"] for piece in slices if piece.read and not piece.tokens] == ["b"]
        owed = [piece for piece in slices if piece.tokens]
        assert sorted(record["no"] for record in records(owed)) == wanted
        for piece in owed:
            connector.acknowledge(one, [Receipt(token, "new") for token in piece.tokens])
    assert ask(department, "SELECT no, state FROM loose ORDER BY name") == [("A", 1), (None, 0), ("C", 1), (None, 1)]
    (said, *_) = [item.message for item in connector.check().items if item.stream]
    assert "no may be NULL: such rows get no receipt" in said


def test_a_table_without_any_key_is_told(department: Department) -> None:
    department.run("CREATE TABLE loose (no varchar(9), state varchar(2))")
    one = stream("loose", flag={**FLAG, "column": "state"}, **department.options)
    with pytest.raises(SchemaMismatch, match="has no primary key"):
        pull(hub(department, one), one)


# --- receipts ---


def test_an_error_text_is_cut_to_its_column_and_says_so(department: Department) -> None:
    make(department, 3)
    one = table(department)
    connector = hub(department, one)
    slices = pull(connector, one)
    long = "拒收 refused: /SLZTDM 代码不在列表中 (unknown_code: a code that is not listed). Use a code of the list."
    settle(connector, one, slices, K0000=long, K0001="x" * 60, K0002="y" * 61)
    texts = dict(ask(department, 'SELECT "SBLSH", "ERR_MSG" FROM ex_sl'))
    assert texts["K0000"] == long[:54] + "…(cut)"
    assert texts["K0001"] == "x" * 60
    assert texts["K0002"] == "y" * 54 + "…(cut)"


def test_a_column_that_has_no_chinese_signs_gets_what_can_be_said_without(mariadb: Department) -> None:
    make(mariadb, 2)
    mariadb.run("ALTER TABLE ex_sl MODIFY ERR_MSG varchar(60) CHARACTER SET ascii")
    one = table(mariadb)
    connector = hub(mariadb, one)
    settle(connector, one, pull(connector, one), K0000="拒收 refused: /SLZTDM")
    assert ask(mariadb, "SELECT ERR_MSG FROM ex_sl WHERE REC_FLAG = '2'") == [("?? refused: /SLZTDM",)]
    assert set(flags(mariadb).values()) == {"1", "2"}


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("varchar(19)", r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"),
        ("varchar(14)", r"20\d{12}"),
        ("timestamp", r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"),
        ("timestamptz", r"20\d\d-.*\+\d\d:\d\d"),
        ("date", r"20\d\d-\d\d-\d\d"),
    ],
)
def test_the_time_of_receipt_is_local_and_fits_its_column(postgres: Department, kind: str, shown: str) -> None:
    make(postgres, 1)
    postgres.run(f'ALTER TABLE ex_sl DROP "RESPONSETIME", ADD "RESPONSETIME" {kind}')
    one = table(postgres)
    connector = hub(postgres, one)
    settle(connector, one, pull(connector, one))
    ((found,),) = ask(postgres, 'SELECT "RESPONSETIME" FROM ex_sl')
    assert re.fullmatch(shown, str(found))


def test_receipts_are_written_set_by_set(postgres: Department) -> None:
    make(postgres, 3000)
    one = table(postgres)
    connector = hub(postgres, one)
    slices = pull(connector, one, size=3000)
    written: list[str] = []
    sa.event.listen(connector.engine, "before_cursor_execute", lambda *said: written.append(said[2]))
    errors = {f"K{number:04}": f"wrong in row {number}" for number in range(200)}
    settle(connector, one, slices, **errors)
    assert len([text for text in written if text.startswith("UPDATE")]) == 2 + 2
    assert ask(postgres, 'SELECT count(*), count(DISTINCT "ERR_MSG") FROM ex_sl WHERE "REC_FLAG" = \'2\'') == [
        (200, 200)
    ]
    assert ask(postgres, 'SELECT "ERR_MSG" FROM ex_sl WHERE "SBLSH" = \'K0123\'') == [("wrong in row 123",)]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=80), st.integers(1, 40), st.sampled_from([None, "gbk", "utf-8"]))
def test_a_cut_text_always_fits(text: str, most: int, encoding: str | None) -> None:
    def size(piece: str) -> int:
        return len(piece) if encoding is None else len(piece.encode(encoding, "replace"))

    found = receipts._cut(text, most, encoding)
    assert size(found) <= most
    assert (
        found == text
        if size(text) <= most
        else found.removesuffix("…(cut)") == text[: len(found.removesuffix("…(cut)"))]
    )


# --- declared batches ---

DECLARED = {"column": "BATCHNO", "table": "ex_batch", "number": "NO", "rows": "ROW_COUNT"}
SUMMED = {**DECLARED, "checksum": {"column": "CHECKSUM", "algorithm": "md5", "over": ["SBLSH", "NAME", "VERSION"]}}


def make_batches(place: Department) -> None:
    make(place)
    mark = quote(place)
    place.run(
        f"ALTER TABLE ex_sl ADD {mark}BATCHNO{mark} varchar(20)",
        f"CREATE TABLE ex_batch ({mark}NO{mark} integer, {mark}ROW_COUNT{mark} integer, {mark}CHECKSUM{mark} char(64))",
    )


def declare(place: Department, number: int, rows: int, checksum: str = "") -> None:
    place.run(f"INSERT INTO ex_batch VALUES ({number}, {rows}, '{checksum}')")


def put_batch(place: Department, number: int, *names: str) -> None:
    put(place, *names)
    for name in names:
        change(place, name, BATCHNO=str(number))


def units(slices: Sequence[Slice]) -> dict[str, list[str]]:
    """The keys of each unit; each has one slice that ends it."""
    found: dict[str, list[str]] = {}
    ends = [piece.unit.name for piece in slices if piece.unit and piece.unit_ends]
    for piece in slices:
        assert piece.unit is not None
        found.setdefault(piece.unit.name, []).extend(record["SBLSH"] for record in piece.records)
    assert sorted(ends) == sorted(found)
    return found


def test_a_batch_is_taken_whole_or_not_at_all(department: Department) -> None:
    make_batches(department)
    put_batch(department, 7, "A1", "A2", "A3")
    put_batch(department, 8, "B1", "B2")
    put_batch(department, 9, "C1")
    put(department, "without")
    declare(department, 7, 3)
    declare(department, 8, 3)
    one = table(department, batches=DECLARED)
    connector = hub(department, one)
    message = next(item.message for item in connector.check().items if item.stream)
    assert (
        "batch 8 waits: 2 rows have come, 3 are declared; batch 9 waits: 1 rows have come, it is not declared"
        in message
    )
    slices = pull(connector, one, size=2)
    assert units(slices) == {"ex_sl/7": ["A1", "A2", "A3"]}
    assert {piece.unit.declared["records"] for piece in slices if piece.unit} == {3}
    put_batch(department, 8, "B3")
    declare(department, 9, 1)
    assert units(pull(hub(department, one, "other"), one)) == {"ex_sl/8": ["B1", "B3", "B2"], "ex_sl/9": ["C1"]}
    assert flags(department)["without"] == "0"


def test_the_rest_of_a_batch_is_reconciled_with_what_is_left_of_its_total(department: Department) -> None:
    make_batches(department)
    put_batch(department, 7, "A1", "A2", "A3", "A4")
    declare(department, 7, 4)
    one = table(department, batches=DECLARED)
    dead = hub(department, one).read(one, {}, slice_size=1, full=False)
    next(dead)
    dead.close()
    slices = pull(hub(department, one), one)
    assert units([piece for piece in slices if piece.unit and piece.unit.declared]) == {"ex_sl/7": ["A3", "A4"]}
    assert slices[-1].unit is not None
    assert slices[-1].unit.declared == {"records": 2}
    put_batch(department, 7, "A5")
    late = pull(hub(department, one), one)[-1]
    assert (late.unit and late.unit.declared, late.read) == ({"records": 0}, 1), (
        "a row too many does not pass for declared"
    )


def test_a_batch_whose_checksum_is_wrong_waits_and_is_told(department: Department) -> None:
    make_batches(department)
    put_batch(department, 7, "A1", "A2")
    put_batch(department, 8, "B1")
    good = hashlib.md5("A1|受理A1|1\nA2|受理A2|1".encode()).hexdigest()
    declare(department, 7, 2, good.upper())
    declare(department, 8, 1, "0" * 32)
    one = table(department, batches=SUMMED)
    got: list[Slice] = []
    with pytest.raises(RefuseUnit, match=r"batch 8: 1 rows have come, of 1 declared, and their md5 is"):
        got.extend(hub(department, one).read(one, {}, slice_size=10, full=False))
    assert [(keys([piece]), piece.last) for piece in got] == [(["A1", "A2"], True)], (
        "the good batch was handed over first"
    )
    assert flags(department)["B1"] == "0"
    department.run("DELETE FROM ex_batch")
    declare(department, 7, 2, good)
    declare(department, 8, 1, hashlib.md5("B1|受理B1|1".encode()).hexdigest())
    assert sorted(keys(pull(hub(department, one, "b"), one))) == ["B1"]


def test_a_dry_run_reads_whole_batches_only(department: Department) -> None:
    make_batches(department)
    put_batch(department, 7, "A1")
    put_batch(department, 8, "B1")
    declare(department, 7, 1)
    one = table(department, batches=DECLARED)
    looking = hub(department, one)
    looking.only_look()
    assert keys(pull(looking, one)) == ["A1"]


def test_a_table_of_batches_that_is_not_there_is_told(department: Department) -> None:
    make(department)
    one = table(department, batches={"column": "STEP", "table": "nowhere", "rows": "n"})
    with pytest.raises(StreamMissing, match="no table of batches 'nowhere'"):
        pull(hub(department, one), one)
    assert not hub(department, one).check().ok


# --- where we may not write ---


def test_a_table_that_may_only_be_read_is_read_as_a_database(department: Department) -> None:
    make(department, 5)
    before = ask(department, "SELECT * FROM ex_sl ORDER BY 1")
    one = table(department, write=False, flag=None, key=["SBLSH", "STEP"], cursor=Cursor("INSERTTIME"))
    connector = hub(department, one)
    assert connector.check().ok
    slices = list(connector.read(one, {}, slice_size=2, full=False))
    assert sorted(keys(slices)) == [f"K{number:04}" for number in range(5)]
    assert records(slices)[0]["REC_FLAG"] == "0", "nothing is written by us, so everything is as it lies there"
    assert all(piece.tokens == () for piece in slices)
    assert slices[-1].state == {"cursor": "2026-01-05 08:04:00"}
    assert keys(list(connector.read(one, slices[-1].state, slice_size=9, full=False))) == ["K0004"]
    connector.acknowledge(one, [Receipt('["x",1,"K0001","1"]', "new")])
    assert ask(department, "SELECT * FROM ex_sl ORDER BY 1") == before


def test_without_a_cursor_such_a_table_is_read_whole(department: Department) -> None:
    make(department, 3)
    one = table(department, write=False)
    assert len(keys(pull(hub(department, one), one))) == 3


# --- check ---


def test_check_counts_and_tries_to_write(department: Department) -> None:
    make(department, 3)
    put(department, "done", flag="1")
    put(department, "failed", flag="2")
    put(department, "claimed", flag="9")
    put(department, "odd", flag="7")
    before = ask(department, "SELECT * FROM ex_sl ORDER BY 1")
    connection, item = hub(department, table(department)).check().items
    assert connection.ok
    assert item.ok
    assert item.message.startswith("3 waiting, 1 claimed, 1 done, 1 failed, 1 unknown; found again by SBLSH, STEP;")
    assert ask(department, "SELECT * FROM ex_sl ORDER BY 1") == before
    told = hub(department, table(department, claim=None)).check().items[1].message
    assert "no column for claim ids: only one hub may read this table" in told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"flag": {**FLAG, "column": "STATUS"}}, "there is no column 'STATUS', which is the column of flag"),
        ({"receipt": {"error": "NOWHERE"}}, "there is no column 'NOWHERE', which is the column of receipt.error"),
        ({"claim": {"id": "STEP"}, "key": ["SBLSH"]}, "column STEP .* cannot hold a claim's id"),
        ({"receipt": {"time": "STEP"}, "key": ["SBLSH"]}, "column STEP .* cannot hold a time"),
        ({"receipt": {"error": "VERSION"}, "version": None}, "column VERSION .* cannot hold a text"),
        ({"key": ["NO"]}, "there is no column 'NO', which is part of the key"),
        (
            {"flag": {**FLAG, "column": "VERSION", "claimed": "X"}, "version": None},
            "VERSION holds numbers, 'X' is none",
        ),
        ({"table": "gone"}, r"there is no table or view '(conn_\d+\.)?gone'"),
    ],
)
def test_what_the_table_cannot_do_is_told_by_check(department: Department, options: dict[str, Any], said: str) -> None:
    make(department)
    waiting = {"flag": {**FLAG, "waiting": ["0"], **options["flag"]}} if "flag" in options else {}
    if waiting and waiting["flag"]["column"] == "VERSION":
        waiting["flag"]["waiting"] = ["0"]
    item = hub(department, table(department, **{**options, **waiting})).check().items[1]
    assert not item.ok
    assert re.search(said, item.message)


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_an_account_that_may_not_write_is_told_by_check(server: str, request: pytest.FixtureRequest) -> None:
    place: Department = request.getfixturevalue(server)
    make(place, 1)
    if server == "postgres":
        place.run(
            "DROP ROLE IF EXISTS ex_reader", "CREATE ROLE ex_reader LOGIN PASSWORD 'x'",
            f"GRANT USAGE ON SCHEMA {place.schema} TO ex_reader", f"GRANT SELECT ON {place.schema}.ex_sl TO ex_reader",
            f'GRANT UPDATE ("REC_FLAG") ON {place.schema}.ex_sl TO ex_reader',
        )  # fmt: skip
        url = re.sub(r"//[^@]*@", "//ex_reader:x@", place.url)
    else:
        place.run(
            "CREATE OR REPLACE USER ex_reader@'127.0.0.1' IDENTIFIED BY 'x'",
            "GRANT SELECT, UPDATE (REC_FLAG) ON ex_sl TO ex_reader@'127.0.0.1'",
        )
        url = place.url.replace("root@", "ex_reader:x@")
    try:
        item = hub(replace(place, url=url), table(place)).check().items[1]
        assert not item.ok
        assert "grant" in item.hint
        flag_only = table(place, claim=None, receipt=None)
        connector = hub(replace(place, url=url), flag_only)
        assert connector.check().ok
        settle(connector, flag_only, pull(connector, flag_only))
        assert flags(place) == {"K0000": "1"}, "the right to write its columns is enough"
    finally:
        place.run(
            *(
                ["DROP OWNED BY ex_reader", "DROP ROLE ex_reader"]
                if server == "postgres"
                else ["DROP USER ex_reader@'127.0.0.1'"]
            )
        )


# --- servers that nobody here can run ---


def on_oracle() -> Terms:
    """The terms of a table as they are on Oracle."""
    names = ("SBLSH", "STEP", "NAME", "VERSION", "INSERTTIME", "REC_FLAG", "CLAIM_ID", "RESPONSETIME", "ERR_MSG")
    whole = sa.table("EX_SL", *map(sa.column, names), schema="GDBS")
    one = whole.c
    types = {**{name: sa.String(60) for name in names}, "RESPONSETIME": oracle.DATE()}
    flag = terms_module._flag(one.REC_FLAG, FLAG, types, "oracle", "probe", "sl")
    return Terms(
        Plan(whole, (one.SBLSH, one.NAME), types, ("SBLSH", "NAME"), None, (), exact=False, resumable=False),
        flag, (one.SBLSH, one.STEP), (), (one.INSERTTIME, one.SBLSH, one.STEP), ("REC_FLAG",), "Asia/Shanghai",
        "oracle",
        version=one.VERSION, claim_id=one.CLAIM_ID, receipt_time=one.RESPONSETIME, receipt_error=one.ERR_MSG,
    )  # fmt: skip


def in_oracles_words(statement: Any) -> str:
    written = statement.compile(dialect=oracle.dialect(), compile_kwargs={"render_postcompile": True})
    return re.sub(r"\s+", " ", str(written)).replace('"GDBS"."EX_SL".', "")


def test_the_claim_is_written_in_oracles_words() -> None:
    """Compiled, never run: there is no Oracle here. '' is NULL there, and FOR UPDATE goes with no limit."""
    terms = on_oracle()
    assert in_oracles_words(statements.waiting(terms, [terms.flag.waits()], 10, lock=True)) == (
        'SELECT "SBLSH", "NAME", "CLAIM_ID", "VERSION", "SBLSH" AS "SBLSH__1", "STEP" FROM "GDBS"."EX_SL"'
        ' WHERE "REC_FLAG" IN (:REC_FLAG_1_1) OR "REC_FLAG" IS NULL'
        ' ORDER BY "INSERTTIME", "SBLSH", "STEP" FOR UPDATE SKIP LOCKED'
    )
    assert in_oracles_words(statements.claim(terms, [("a", "1"), ("b", "2")], "id", [terms.flag.waits()])) == (
        'UPDATE "GDBS"."EX_SL" SET "REC_FLAG"=:REC_FLAG, "CLAIM_ID"=:CLAIM_ID'
        ' WHERE ("REC_FLAG" IN (:REC_FLAG_1_1) OR "REC_FLAG" IS NULL) AND "SBLSH" IN (:SBLSH_1_1, :SBLSH_1_2)'
        ' AND ("SBLSH", "STEP") IN ((:param_1_1_1, :param_1_1_2), (:param_1_2_1, :param_1_2_2))'
    )
    assert in_oracles_words(statements.rows(terms, statements.claimed(terms, "hub"))).endswith(
        'WHERE "REC_FLAG" = :REC_FLAG_1 AND "CLAIM_ID" LIKE :CLAIM_ID_1 ORDER BY "INSERTTIME", "SBLSH", "STEP"'
    )


def test_the_receipt_is_written_in_oracles_words() -> None:
    terms = on_oracle()
    done = statements.receipt(terms, [("a", "1")], flag="1", claim_id="id", versions=None)
    assert in_oracles_words(done) == (
        'UPDATE "GDBS"."EX_SL" SET "REC_FLAG"=:REC_FLAG, "RESPONSETIME"=:RESPONSETIME, "ERR_MSG"=:ERR_MSG'
        ' WHERE "REC_FLAG" = :REC_FLAG_1 AND "CLAIM_ID" = :CLAIM_ID_1 AND "VERSION" IS NULL'
        ' AND "SBLSH" IN (:SBLSH_1_1) AND ("SBLSH", "STEP") IN ((:param_1_1_1, :param_1_1_2))'
    )
    values = done.compile(dialect=oracle.dialect()).params
    assert isinstance(values["RESPONSETIME"], datetime), "a text would be read by the session's own form of dates"
    failed = statements.receipt(
        terms, [("a", "1"), ("b", "2")], flag="2", claim_id="id", versions=[1, 2], texts=["x", "y"]
    )
    assert '"ERR_MSG"=CASE WHEN ("SBLSH" = :SBLSH_1 AND "STEP" = :STEP_1' in in_oracles_words(failed)
    assert '("SBLSH", "STEP", "VERSION") IN ((' in in_oracles_words(failed)
    assert receipts._fitted(terms, "拒" * 30) == "拒" * 17 + "…(cut)", "Oracle counts bytes"


def test_an_empty_text_among_the_waiting_values_is_null_on_oracle() -> None:
    assert FLAG["waiting"] == [None, "", "0"]
    assert on_oracle().flag.waiting == (None, "0")


@pytest.mark.parametrize(
    ("name", "version", "maria", "can"),
    [
        ("mysql", (5, 7, 44), False, False), ("mysql", (8, 0, 36), False, True), ("mysql", (10, 5, 9), True, False),
        ("mariadb", (10, 6, 1), True, True), ("postgresql", (9, 6), False, True), ("oracle", (19,), False, True),
        ("dm", (8,), False, False), ("sqlite", (3, 40), False, False),
    ],
)  # fmt: skip
def test_who_can_pass_locked_rows_by(name: str, version: tuple[int, ...], maria: bool, can: bool) -> None:
    class Asked:
        class dialect:  # noqa: N801  # as SQLAlchemy names it
            pass

    Asked.dialect.name, Asked.dialect.server_version_info, Asked.dialect.is_mariadb = name, version, maria  # type: ignore[attr-defined]
    assert claims.passes_locked_rows_by(Asked) is can  # type: ignore[arg-type]


# --- what a declaration may say ---


@pytest.mark.parametrize(
    ("options", "where", "said"),
    [
        ({}, (), "option 'flag' is missing"),
        ({"flag": {**FLAG, "done": "9"}}, ("flag", "done"), "value '9' means 'claimed' already"),
        ({"flag": {**FLAG, "failed": 0}}, ("flag", "failed"), "value 0 means 'waiting' already"),
        ({"flag": {**FLAG, "done": ""}}, ("flag", "done"), "must be a value"),
        ({"flag": FLAG, "claim": {"id": "rec_flag"}}, ("claim", "id"), "is that of flag.column already"),
        ({"flag": FLAG, "key": ["A", "REC_FLAG"]}, ("key",), "is written by the hub"),
        ({"flag": FLAG, "receipt": {"time": "T"}, "version": "T"}, ("version",), "is written by the hub"),
        ({"flag": FLAG, "page_rows": 5}, ("page_rows",), "pages are for write: false"),
        ({"write": False, "batches": DECLARED}, ("batches",), "with write false they are not"),
    ],
)
def test_a_declaration_that_cannot_hold_is_told(options: dict[str, Any], where: tuple[str, ...], said: str) -> None:
    found = list(option_faults(options))
    assert [place for place, _ in found] == [where]
    assert said in found[0][1]


def test_a_good_declaration_has_no_faults() -> None:
    assert list(option_faults(AGREED)) == []
    assert list(option_faults({"write": False})) == []


# --- bytes of another encoding ---


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

    outside(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    yield Department("postgresql", postgres_url.rsplit("/", 1)[0] + f"/{name}", "public", {"schema": "public"})
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


def test_keys_and_versions_of_every_type_find_their_rows_again(department: Department) -> None:
    stamp, number = (
        ("datetime(6)", "decimal(20,3)") if department.backend == "mysql" else ("timestamp", "numeric(20,3)")
    )
    department.run(
        f"CREATE TABLE odd (day date NOT NULL, n {number} NOT NULL, big bigint NOT NULL, fixed char(9) NOT NULL,"
        f" changed {stamp}, state integer, claim varchar(30), PRIMARY KEY (day, n, big, fixed))"
    )
    rows = [
        (f"2026-01-{day:02}", f"{day}.500", 9007199254740993 + day, f"浙{day}", f"2026-01-05 08:00:{day:02}")
        for day in range(1, 9)
    ]
    values = ", ".join(f"('{a}', {b}, {c}, '{d}', '{e}', 0, NULL)" for a, b, c, d, e in rows)
    department.run(f"INSERT INTO odd VALUES {values}")
    flag = {"column": "state", "waiting": [0], "claimed": 9, "done": 1, "failed": 2}
    one = made("odd", {**department.options, "flag": flag, "claim": {"id": "claim"}, "version": "changed"})
    connector = hub(department, one)
    (piece,) = pull(connector, one)
    department.run("UPDATE odd SET changed = '2026-01-06 09:00:00' WHERE fixed = '浙3'")
    connector.acknowledge(one, [Receipt(token, "new") for token in piece.tokens])
    assert sorted(ask(department, "SELECT state, count(*) FROM odd GROUP BY state")) == [(1, 7), (9, 1)]


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_a_back_fill_reads_by_business_date_and_claims_nothing(server: str, request: pytest.FixtureRequest) -> None:
    place: Department = request.getfixturevalue(server)
    make(place, 5)
    before = ask(place, "SELECT * FROM ex_sl ORDER BY 1")
    one = table(place, business_date="INSERTTIME")
    zone = ZoneInfo("Asia/Shanghai")
    window = Window(datetime(2026, 1, 5, 8, 1, tzinfo=zone), datetime(2026, 1, 5, 8, 3, tzinfo=zone))
    slices = list(hub(place, one).read_window(one, window, slice_size=1))
    assert keys(slices) == ["K0001", "K0002"]
    assert all(record["REC_FLAG"] is None for record in records(slices))
    assert all(not piece.tokens for piece in slices)
    assert ask(place, "SELECT * FROM ex_sl ORDER BY 1") == before


def test_discover_lists_the_tables_as_of_a_database(department: Department) -> None:
    make(department)
    found = {
        one.name.removeprefix(f"{department.schema}."): one for one in hub(department, table(department)).discover()
    }
    assert found["ex_sl"].key == ("SBLSH", "STEP")


def test_faults_of_a_declaration_are_told_with_their_line(tmp_path: Path) -> None:
    folder = tmp_path / "front"
    folder.mkdir()
    (folder / "source.yml").write_text(
        """version: 1
code: front
title: {zh: 前置机}
owner: {organ: 11330000002482285J, name: 局, contact: 信息科}
legal_basis: a test
organ: 11330000002482285J
kind: exchange_table
profile: zhejiang-pre
connection: front
streams:
  PRE_NODE:
    cursor: {field: CREATE_TIME}
    options:
      flag: {column: F, waiting: [null], claimed: "9", done: "9", failed: "2"}
      clam: {id: C}
  PRE_ACCEPT: {options: {write: false}, cursor: {field: CREATE_TIME}}
""",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_sources([tmp_path])
    told = {fault.line: fault.message for fault in caught.value.faults}
    assert told[12] == "rows are claimed by their flag; a cursor is for `write: false`"
    assert told[14] == "value '9' means 'claimed' already"
    assert told[15].startswith("unknown key 'clam'; did you mean 'claim'?")
    assert 16 not in told


def test_a_primary_key_that_the_hub_writes_is_told(department: Department) -> None:
    department.run("CREATE TABLE odd (no varchar(9) NOT NULL, state varchar(2) NOT NULL, PRIMARY KEY (no, state))")
    one = made("odd", {**department.options, "flag": {**FLAG, "column": "state"}})
    with pytest.raises(SchemaMismatch, match="the key holds state, which the hub writes"):
        pull(hub(department, one), one)
