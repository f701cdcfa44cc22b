"""Kind database, against real servers: nothing lost, nothing moved on that was not read, every trouble typed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest

from connectors.source import Cursor, Expect, StreamSpec
from hub.errors import (
    RetrySource,
    SchemaMismatch,
    SourceUnreachable,
    StopSource,
    StreamMissing,
    WrongCredentials,
)
from tests.connectors.conftest import Department
from tests.connectors.parts import opened, pull, records, stream
from tests.servers import mariadb_port

BASE = datetime(2026, 1, 5, 8, 0, 0)  # noqa: DTZ001  # a department's local time
TABLE = "CREATE TABLE node (id varchar(20) NOT NULL PRIMARY KEY, name varchar(50), changed {stamp}, n integer)"


def at(minutes: float) -> str:
    return (BASE + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")


def make(place: Department, rows: list[tuple[str, str | None]]) -> None:
    stamp = {"postgresql": "timestamp", "mysql": "datetime", "sqlite": "timestamp"}[place.backend]
    place.run(TABLE.format(stamp=stamp))
    insert(place, rows)


def insert(place: Department, rows: list[tuple[str, str | None]]) -> None:
    values = ", ".join(
        f"('{key}', '节点{key}', {'NULL' if moment is None else repr(moment)}, {number})"
        for number, (key, moment) in enumerate(rows)
    )
    if values:
        place.run(f"INSERT INTO node VALUES {values}")


def node(place: Department, cursor: Cursor | None = None, **options: object) -> StreamSpec:
    return stream("node", cursor=cursor, key=("id",), **{**place.options, **options})


def keys(slices: list) -> list[str]:
    return [record["id"] for record in records(slices)]


def test_a_pull_in_slices_is_the_whole_table_in_order(department: Department) -> None:
    make(department, [(f"K{number:03}", at(number // 7)) for number in range(100)])
    for size in (1, 7, 33, 100, 1000):
        slices = pull("database", department.url, node(department, Cursor("changed")), size=size)
        assert keys(slices) == [f"K{number:03}" for number in range(100)]
        assert [row for piece in slices for row in piece.rows] == list(range(1, 101))
        assert all(piece.read <= size for piece in slices)
    first = records(slices)[0]
    assert first == {"id": "K000", "name": "节点K000", "changed": at(0), "n": 0}
    json.dumps(first)


def test_the_next_pull_brings_what_is_new_and_the_boundary_again(department: Department) -> None:
    make(department, [("A", at(0)), ("B", at(1)), ("C", at(1))])
    one = node(department, Cursor("changed"))
    state = pull("database", department.url, one)[-1].state
    assert state == {"cursor": at(1)}
    insert(department, [("0", at(1)), ("D", at(2))])  # "0" sorts before the rows read with the same value
    after = pull("database", department.url, one, state)
    assert keys(after) == ["0", "B", "C", "D"]
    assert keys(pull("database", department.url, one, after[-1].state)) == ["D"]


def test_lookback_finds_what_was_committed_late_and_never_moves_back(department: Department) -> None:
    make(department, [("A", at(0)), ("B", at(30))])
    one = node(department, Cursor("changed", timedelta(minutes=10)))
    state = pull("database", department.url, one)[-1].state
    insert(department, [("late", at(25))])
    after = pull("database", department.url, one, state)
    assert keys(after) == ["late", "B"]
    assert after[-1].state == {"cursor": at(30)}
    cut_off = opened("database", department.url, one).read(one, state, slice_size=1, full=False)
    assert next(cut_off).state == state, "a row within the lookback does not move the cursor back"
    cut_off.close()


def test_the_upper_bound_is_fixed_when_the_pull_begins(postgres: Department) -> None:
    make(postgres, [(f"K{number}", at(number)) for number in range(6)])
    one = node(postgres, Cursor("changed"), page_rows=2)
    running = opened("database", postgres.url, one).read(one, {}, slice_size=2, full=False)
    first = next(running)
    insert(postgres, [("meanwhile", at(99))])
    rest = list(running)
    assert keys([first, *rest]) == [f"K{number}" for number in range(6)]
    assert keys(pull("database", postgres.url, one, rest[-1].state)) == ["K5", "meanwhile"]


def test_rows_that_no_cursor_leads_to_come_with_every_pull(department: Department) -> None:
    future = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y-%m-%d %H:%M:%S")
    make(department, [("A", at(0)), ("none", None), ("future", future), ("B", at(1))])
    one = node(department, Cursor("changed"))
    first = pull("database", department.url, one)
    assert set(keys(first)) == {"A", "B", "none", "future"}
    assert first[-1].state == {"cursor": at(1)}, "a date in the future does not carry the cursor away"
    insert(department, [("C", at(2))])
    second = pull("database", department.url, one, first[-1].state)
    assert set(keys(second)) == {"B", "C", "none", "future"}
    assert second[-1].state == {"cursor": at(2)}


def test_only_rows_in_the_future_are_read_and_the_cursor_stays(department: Department) -> None:
    make(department, [("future", "2199-01-01 00:00:00")])
    slices = pull("database", department.url, node(department, Cursor("changed")))
    assert keys(slices) == ["future"]
    assert slices[-1].state == {}


def test_a_pull_that_broke_off_goes_on_behind_the_last_slice(department: Department) -> None:
    make(department, [(f"K{number:03}", at(0)) for number in range(20)])
    one = node(department, Cursor("changed"))
    running = opened("database", department.url, one).read(one, {}, slice_size=8, full=False)
    broken = next(running)
    running.close()
    assert broken.state == {"cursor": at(0), "tie": ["K007"]}
    rest = pull("database", department.url, one, broken.state)
    assert keys([broken, *rest]) == [f"K{number:03}" for number in range(20)]
    assert rest[-1].state == {"cursor": at(0)}
    nothing = pull("database", department.url, one, {"cursor": at(0), "tie": ["K019"]})
    assert keys(nothing) == []
    assert nothing[-1].state == {"cursor": at(0)}, "a pull that ended begins at the value itself next time"


def test_pages_are_short_queries_and_give_the_same(department: Department) -> None:
    make(department, [(f"K{number:03}", at(number // 9)) for number in range(50)])
    for cursor in (Cursor("changed"), None):
        whole = pull("database", department.url, node(department, cursor))
        paged = pull("database", department.url, node(department, cursor, page_rows=7), size=3)
        assert records(paged) == records(whole)


def test_pages_need_a_key_that_tells_rows_apart(department: Department) -> None:
    make(department, [("A", at(0))])
    department.run("CREATE TABLE loose (id varchar(20), changed varchar(20))", "INSERT INTO loose VALUES ('A', 'x')")
    one = stream("loose", cursor=Cursor("changed"), key=("id",), page_rows=2, **department.options)
    with pytest.raises(SchemaMismatch, match="page_rows needs a key"):
        pull("database", department.url, one)


def test_full_reads_everything_whatever_the_state(department: Department) -> None:
    make(department, [("A", at(0)), ("B", at(5))])
    one = node(department, Cursor("changed"))
    slices = pull("database", department.url, one, {"cursor": at(5)}, full=True, size=1)
    assert keys(slices) == ["A", "B"]
    assert [piece.state["cursor"] for piece in slices] == [at(5), at(5)]


def test_a_stream_without_cursor_is_read_whole_in_key_order(department: Department) -> None:
    make(department, [("B", at(0)), ("A", at(5))])
    one = stream("node", key=("id",), expect=Expect(1, 5), **department.options)
    slices = pull("database", department.url, one, size=1)
    assert keys(slices) == ["A", "B"]
    assert slices[0].unit is not None
    assert slices[0].unit.rows == 2
    assert [piece.unit_ends for piece in slices] == [False, True]


def test_an_empty_table_gives_one_empty_slice(department: Department) -> None:
    make(department, [])
    slices = pull("database", department.url, node(department, Cursor("changed")))
    assert [(piece.read, piece.state, piece.last) for piece in slices] == [(0, {}, True)]


def test_counts_for_a_volume_bound_are_those_of_the_pull(department: Department) -> None:
    make(department, [("A", at(0)), ("B", at(1)), ("none", None)])
    one = stream("node", cursor=Cursor("changed"), key=("id",), expect=Expect(1, 9), **department.options)
    first = pull("database", department.url, one)
    assert first[0].unit is not None
    assert first[0].unit.rows == 3
    second = pull("database", department.url, one, first[-1].state)
    assert second[0].unit is not None
    assert second[0].unit.rows == sum(piece.read for piece in second) == 2


def test_numbers_can_be_cursors(department: Department) -> None:
    department.run(
        "CREATE TABLE seq (id integer NOT NULL PRIMARY KEY, t varchar(9))",
        "INSERT INTO seq VALUES (1,'a'),(2,'b'),(9,'c'),(10,'d')",
    )
    one = stream("seq", cursor=Cursor("id", 1), **department.options)
    state = pull("database", department.url, one)[-1].state
    assert state == {"cursor": 10}
    assert [record["id"] for record in records(pull("database", department.url, one, state))] == [9, 10]


def test_field_names_can_be_put_in_upper_case(department: Department) -> None:
    make(department, [("A", at(0))])
    one = stream("node", cursor=Cursor("CHANGED"), key=("ID",), names="upper", **department.options)
    assert list(records(pull("database", department.url, one))[0]) == ["ID", "NAME", "CHANGED", "N"]


def test_columns_can_be_chosen_and_left_out(department: Department) -> None:
    make(department, [("A", at(0))])
    assert list(records(pull("database", department.url, node(department, columns=["id", "n"])))[0]) == ["id", "n"]
    assert list(records(pull("database", department.url, node(department, leave_out=["n"])))[0]) == [
        "id",
        "name",
        "changed",
    ]
    with pytest.raises(SchemaMismatch, match="no column 'nn'"):
        pull("database", department.url, node(department, leave_out=["nn"]))


def test_a_view_is_read_like_a_table(department: Department) -> None:
    make(department, [("A", at(0)), ("B", at(1))])
    department.run("CREATE VIEW seen AS SELECT * FROM node")
    one = stream("seen", cursor=Cursor("changed"), key=("id",), **department.options)
    slices = pull("database", department.url, one, size=1)
    assert keys(slices) == ["A", "B"]
    assert keys(pull("database", department.url, one, slices[0].state)) == ["A", "B"], "no key is sure to be filled"


def test_a_heartbeat_says_up_to_when_the_source_is_complete(department: Department) -> None:
    make(department, [("A", at(0))])
    department.run("CREATE TABLE beat (t varchar(30))", "INSERT INTO beat VALUES ('2026-01-05 09:00:00')")
    beat = {"table": "beat", "column": "t", **({"schema": department.schema} if department.schema else {})}
    slices = pull("database", department.url, node(department, Cursor("changed"), heartbeat=beat))
    assert slices[-1].complete_through == "2026-01-05T09:00:00+08:00"


def test_every_type_of_postgresql_becomes_json(postgres: Department) -> None:
    postgres.run(
        """CREATE TABLE types (id integer PRIMARY KEY, d date, t timestamp, tz timestamptz, tm time, i interval,
           n numeric(20,4), m money, u uuid, j jsonb, a text[], ta timestamp[], f float8, b boolean, c char(8),
           big bigint)""",
        """INSERT INTO types VALUES (1, '2026-01-05', '2026-01-05 08:30:00.123456', '2026-01-05 08:30:00+08', '08:30',
           '2 days', 12345678901234.5600, 3, '7f3f8c7e-8a63-4d5c-9ba1-000000000001', '{"k": [1, "二"]}', '{a,NULL}',
           '{2026-01-05 00:00:00}', 1.5, true, 'ab', 9223372036854775807)""",
        "INSERT INTO types (id, t, f, n) VALUES (2, 'infinity', 'NaN', 'NaN')",
    )
    first, second = records(pull("database", postgres.url, stream("types", **postgres.options)))
    json.dumps([first, second], allow_nan=False)
    assert first["t"] == "2026-01-05 08:30:00.123456"
    assert first["tz"] == "2026-01-05 00:30:00+00"
    assert first["n"] == "12345678901234.5600"
    assert first["j"] == {"k": [1, "二"]}
    assert first["c"] == "ab"
    assert first["big"] == 9223372036854775807
    assert first["b"] is True
    assert (second["t"], second["f"], second["n"], second["d"]) == ("infinity", "nan", "NaN", None)


def test_every_type_of_mariadb_becomes_json(mariadb: Department) -> None:
    mariadb.run(
        """CREATE TABLE types (id integer PRIMARY KEY, d date, t datetime(6), tm time, n decimal(20,4), f double,
           y year, b bit(1), x text, e enum('a','b')) CHARACTER SET utf8mb4""".replace("mysql://", ""),
        """INSERT INTO types VALUES (1, '2026-01-05', '2026-01-05 08:30:00.123456', '30:00:00', 12345.6000, 1.5, 2026,
           b'1', '生僻字𠮷', 'b')""",
    )
    (first,) = records(pull("database", mariadb.url, stream("types")))
    json.dumps(first)
    assert first["d"] == "2026-01-05"
    assert first["t"] == "2026-01-05 08:30:00.123456"
    assert first["n"] == "12345.6000"
    assert (first["b"], first["y"], first["x"], first["e"]) == (1, 2026, "生僻字𠮷", "b")


def test_bytes_are_refused_unless_left_out(department: Department) -> None:
    kind = {"postgresql": "bytea", "mysql": "blob", "sqlite": "blob"}[department.backend]
    department.run(f"CREATE TABLE photo (id integer PRIMARY KEY, picture {kind})", "INSERT INTO photo VALUES (1, NULL)")
    with pytest.raises(SchemaMismatch, match=r"picture hold bytes.*leave_out"):
        pull("database", department.url, stream("photo", **department.options))
    left = stream("photo", leave_out=["picture"], **department.options)
    assert records(pull("database", department.url, left)) == [{"id": 1}]


def test_a_sqlite_value_that_no_text_can_hold_is_a_broken_record(sqlite: Department) -> None:
    sqlite.run("CREATE TABLE odd (id integer PRIMARY KEY, t text)", "INSERT INTO odd VALUES (1, x'00ff'), (2, 'good')")
    (piece,) = pull("database", sqlite.url, stream("odd"))
    assert piece.records == [{"id": 2, "t": "good"}]
    assert [(broken.row, broken.rule) for broken in piece.broken] == [(1, "unreadable_record")]
    assert list(piece.rows) == [2]


def test_a_table_that_is_gone_names_those_that_are_there(department: Department) -> None:
    make(department, [])
    with pytest.raises(StreamMissing, match=r"source probe, stream gone: .*'[^']*gone'.*known: .*node"):
        pull("database", department.url, stream("gone", **department.options))


def test_a_cursor_that_is_gone_names_the_columns(department: Department) -> None:
    make(department, [])
    with pytest.raises(SchemaMismatch, match=r"'updated', which is the cursor.*known: changed, id, n, name"):
        pull("database", department.url, node(department, Cursor("updated")))


def test_a_lookback_that_does_not_fit_is_told(department: Department) -> None:
    make(department, [("A", at(0))])
    with pytest.raises(SchemaMismatch, match="lookback of cursor id"):
        pull("database", department.url, node(department, Cursor("id", timedelta(days=1))), {"cursor": "K1"})


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("postgresql://x@127.0.0.1:1/test", SourceUnreachable),
        ("mysql://x@127.0.0.1:1/test", SourceUnreachable),
        ("sqlite:////nowhere/at/all.db", SourceUnreachable),
        ("postgresql://127.0.0.1:notaport/x", StopSource),
        ("oracul://secret@x/y", StopSource),
        ("nonsense", StopSource),
    ],
)
def test_an_address_where_nothing_answers_is_typed_and_never_shown(url: str, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        pull("database", url, stream("node"))
    assert "secret" not in str(caught.value)
    assert "source probe" in str(caught.value)


def test_a_wrong_password_is_told_apart(mariadb: Department, postgres: Department) -> None:
    with pytest.raises(WrongCredentials, match="Ask the department for valid credentials"):
        pull("database", f"mysql://nobody:wrong@127.0.0.1:{mariadb_port()}/test", stream("node"))
    with pytest.raises(WrongCredentials):
        pull("database", postgres.elsewhere(username="no_such_role_at_all", password="pw"), stream("node"))
    with pytest.raises(SourceUnreachable, match="does not exist"):
        pull("database", postgres.elsewhere(database="no_such_database"), stream("node"))


def test_a_missing_right_says_to_grant_it(postgres: Department) -> None:
    make(postgres, [("A", at(0))])
    role = f"reader_{postgres.schema}"
    postgres.run(f"CREATE ROLE {role} LOGIN", f"GRANT USAGE ON SCHEMA {postgres.schema} TO {role}")
    try:
        with pytest.raises(WrongCredentials, match="grant SELECT"):
            pull("database", postgres.elsewhere(username=role), node(postgres))
    finally:
        postgres.run(f"REVOKE ALL ON SCHEMA {postgres.schema} FROM {role}", f"DROP ROLE {role}")


def test_a_connection_that_dies_while_reading_keeps_no_part_of_a_slice(postgres: Department) -> None:
    postgres.run(
        "CREATE TABLE node AS SELECT i AS id, repeat('x', 500) AS pad FROM generate_series(1, 50000) i",
        "ALTER TABLE node ADD PRIMARY KEY (id)",
    )
    one = stream("node", cursor=Cursor("id"), key=("id",), **postgres.options)
    running = opened("database", postgres.url, one).read(one, {}, slice_size=1000, full=False)
    pieces = [next(running), next(running)]
    killer = psycopg2.connect(postgres.url.replace("+psycopg2", ""))
    killer.autocommit = True
    with killer.cursor() as cursor:  # who reads this table, and nobody else on a server that tests share
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = %s::regclass AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()",
            [f"{postgres.schema}.node"],
        )
        assert cursor.rowcount == 1
    killer.close()
    with pytest.raises(RetrySource, match=r"source probe, stream node: .*cursor stays"):
        pieces.extend(running)
    assert all(piece.read == 1000 for piece in pieces)
    rest = pull("database", postgres.url, one, pieces[-1].state, size=1000)
    assert [record["id"] for record in records([*pieces, *rest])] == list(range(1, 50001))


def test_an_error_about_a_value_does_not_quote_it(postgres: Department) -> None:
    """A view of the department casts a text that is no number; the server would say which."""
    postgres.run(
        "CREATE TABLE persons (id integer PRIMARY KEY, said text)",
        "INSERT INTO persons VALUES (1, '王晓岚 \"330185199003071223\"')",
        "CREATE VIEW casting AS SELECT id, said::integer AS number FROM persons",
    )
    with pytest.raises(StopSource) as told:
        pull("database", postgres.url, stream("casting", key=("id",), **postgres.options))
    assert "invalid input syntax for type integer: *** (error 22P02)" in str(told.value)
    assert "王" not in str(told.value)
    assert "330185" not in str(told.value)


def test_the_department_is_never_written_to(postgres: Department) -> None:
    make(postgres, [("A", at(0))])
    postgres.run(
        "CREATE FUNCTION sneaky() RETURNS integer LANGUAGE plpgsql AS $$BEGIN DELETE FROM node; RETURN 1; END$$",
        f"CREATE VIEW trap AS SELECT {postgres.schema}.sneaky() AS id",
    )
    with pytest.raises(StopSource):
        pull("database", postgres.url, stream("trap", **postgres.options))
    assert keys(pull("database", postgres.url, node(postgres))) == ["A"]


def test_names_from_a_source_file_are_never_sql(department: Department) -> None:
    make(department, [("A", at(0))])
    with pytest.raises(StreamMissing):
        pull("database", department.url, stream("node; DROP TABLE node", **department.options))
    with pytest.raises(SchemaMismatch):
        pull("database", department.url, node(department, Cursor("id) FROM node; DROP TABLE node --")))
    assert keys(pull("database", department.url, node(department))) == ["A"]


def test_check_reports_each_stream_and_discover_lists_tables(department: Department) -> None:
    make(department, [("A", at(0))])
    connector = opened("database", department.url, node(department), stream("gone", **department.options))
    report = connector.check()
    assert [(item.stream, item.ok) for item in report.items] == [(None, True), ("node", True), ("gone", False)]
    assert not report.ok
    listed = {one.name.rpartition(".")[2]: one for one in connector.discover()}
    assert [field.name for field in listed["node"].fields] == ["id", "name", "changed", "n"]
    assert listed["node"].key == ("id",)
    assert not opened("database", "postgresql://x@127.0.0.1:1/x", node(department)).check().ok
