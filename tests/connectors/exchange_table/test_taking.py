"""Kind exchange_table, against real servers: each row is claimed once and handed over."""

from __future__ import annotations

import pytest

from connectors.seam import Acknowledges, Receipt
from connectors.source import Expect
from hub.errors import SchemaMismatch
from tests.connectors.conftest import Department
from tests.connectors.exchange_table.parts import (
    FLAG,
    ask,
    change,
    flags,
    hub,
    keys,
    made,
    make,
    pull,
    put,
    settle,
    table,
)
from tests.connectors.parts import records, stream


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
