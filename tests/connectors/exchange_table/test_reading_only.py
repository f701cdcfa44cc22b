"""Kind exchange_table, against real servers: where nothing may or shall be written, rows are only read."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from connectors.seam import Receipt, Window
from connectors.source import Cursor
from tests.connectors.conftest import Department
from tests.connectors.exchange_table.parts import (
    ask,
    hub,
    keys,
    make,
    pull,
    put,
    table,
)
from tests.connectors.parts import records


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
