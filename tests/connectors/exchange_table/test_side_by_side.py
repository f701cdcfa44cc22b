"""Kind exchange_table, against real servers: the department and other pulls work meanwhile, nobody is kept waiting."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from hub.errors import RetrySource
from tests.connectors.conftest import Department
from tests.connectors.exchange_table.parts import (
    change,
    flags,
    hub,
    keys,
    make,
    pull,
    put,
    quote,
    settle,
    table,
)
from tests.connectors.parts import records


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
        assert time.monotonic() - begun < 20, "nobody waited for the other's lock"
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
    assert time.monotonic() - begun < 20
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
