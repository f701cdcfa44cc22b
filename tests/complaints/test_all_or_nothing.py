"""Complaints 3, 4 and 18: data is loaded and the state is not, or the state moves and the data is lost."""

from __future__ import annotations

import psycopg2
import pytest

from hub.errors import HubError
from sharedrepo.telling.ledger import check
from tests.complaints.parts import sliced
from tests.journeys.conftest import Hub

ROWS = "SELECT count(*) FROM core.approval_case"
REFUSE = """CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'planted: %', TG_TABLE_NAME; END $$"""

CARDS = ("330185199003071223", "330185199003071224")
"""A good number of an invented person, and one whose check character is wrong: it raises a finding."""

LATER = [
    ("ledger.stream", "UPDATE OF state", "the cursor cannot be written"),
    ("ledger.batch", "INSERT", "the run's own row cannot be written"),
    ("ledger.source_record", "INSERT", "the ledger cannot be written"),
    ("quality.finding", "INSERT", "the findings cannot be written"),
    ("core.case_party", "INSERT", "one of the tables of the data cannot be written"),
]


@pytest.mark.parametrize(("table", "event", "why"), LATER, ids=[why for _, _, why in LATER])
def test_what_fails_in_any_table_leaves_neither_data_nor_state(hub: Hub, table: str, event: str, why: str) -> None:
    for number in range(9):
        hub.department.put("PRE_APASINFO", PROJID=f"C-{number}", APPLY_CARDNUMBER=CARDS[number % 2])
    hub = Hub(sliced(hub.runtime, 3), hub.department)
    body = REFUSE.replace("pg_temp.", "public.")
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql(body.replace("%", "%%"))
        connection.exec_driver_sql(
            f"CREATE TRIGGER planted BEFORE {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION public.refuse()"
        )
    with pytest.raises((psycopg2.Error, HubError), match="planted"):
        hub.pull()
    state = hub.one("SELECT state FROM ledger.stream WHERE name = 'PRE_APASINFO'")
    assert (hub.one(ROWS), hub.one("SELECT count(*) FROM ledger.source_record"), state) == (0, 0, {}), why
    with hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER planted ON {table}")
    assert hub.pull()["PRE_APASINFO"]["new"] == 9
    assert hub.one(ROWS) == 9
    assert check(hub.runtime.engine) == []


def test_a_load_leaves_no_table_behind(hub: Hub) -> None:
    """Rows are gathered in temporary tables, merged and gone: no dirty row ever stands where people read."""
    tables = "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p')"
    before = hub.one(tables)
    hub.department.case("C-1")
    hub.pull()
    assert hub.one(tables) == before
