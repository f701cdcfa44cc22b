"""Kind exchange_table, against real servers: check and discover say what the table and the account cannot do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.connectors.conftest import Department
from tests.connectors.exchange_table.parts import (
    FLAG,
    ask,
    flags,
    hub,
    make,
    pull,
    put,
    settle,
    table,
)


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


def test_discover_lists_the_tables_as_of_a_database(department: Department) -> None:
    make(department)
    found = {
        one.name.removeprefix(f"{department.schema}."): one for one in hub(department, table(department)).discover()
    }
    assert found["ex_sl"].key == ("SBLSH", "STEP")
