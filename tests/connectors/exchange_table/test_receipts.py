"""Kind exchange_table, against real servers: each row gets its receipt, and each receipt fits its column."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.kinds.exchange_table import receipts
from tests.connectors.conftest import Department
from tests.connectors.exchange_table.parts import (
    ask,
    flags,
    hub,
    make,
    pull,
    put,
    quote,
    settle,
    table,
)


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
    assert len([text for text in written if text.startswith("UPDATE")]) == 2 + 1, (
        "texts by hundreds, all else in one set"
    )
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
