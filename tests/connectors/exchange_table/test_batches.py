"""Kind exchange_table, against real servers: declared batches are taken whole and reconciled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from hub.errors import RefuseUnit, StreamMissing
from hub.records import Slice
from tests.connectors.conftest import Department
from tests.connectors.exchange_table.parts import (
    DECLARED,
    change,
    flags,
    hub,
    keys,
    make,
    pull,
    put,
    quote,
    table,
)

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
    with pytest.raises(RefuseUnit, match=r"/8: 1 rows have come, of 1 declared, and their md5 is"):
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
