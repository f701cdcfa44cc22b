"""The tables are made from the contracts: codes are checked, twins are whole, personal values have no clear column."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from hub.documents import Documents
from pipeline.runtime import Runtime
from sharedrepo.models import HISTORY, MERGE_ORDER, TABLES
from tests.departments import Department
from tests.journeys.conftest import Hub

CODED = [
    (document.name, column.name)
    for _name, document in Documents.load().items()
    for column in document.columns.values()
    if column.codes
]


def test_every_document_has_a_table_and_every_table_a_twin_with_all_its_columns() -> None:
    assert set(TABLES) == set(HISTORY) == {name for name, _document in Documents.load().items()} == set(MERGE_ORDER)
    for name, table in TABLES.items():
        twin = {column.name: str(column.type) for column in HISTORY[name].columns}
        for column in table.columns:
            assert twin.pop(column.name) == str(column.type), f"{name}.{column.name}"
        assert set(twin) == {"closed_by", "closed_at"}


def test_every_closed_code_list_is_checked_by_the_database(runtime: Runtime) -> None:
    inspector = sa.inspect(runtime.engine)
    missing = []
    for table, column in CODED:
        checks = [one["sqltext"] for one in inspector.get_check_constraints(table, schema="core")]
        codes = Documents.load()[table].columns[column].codes or ()
        if not any(column in text and all(f"'{code}'" in text for code in codes) for text in checks):
            missing.append(f"{table}.{column}")
    assert missing == []


@pytest.mark.parametrize(
    ("table", "column"), [("stage_event", "stage"), ("decision", "outcome"), ("acceptance", "outcome")]
)
def test_a_code_that_no_contract_knows_cannot_be_written(
    table: str, column: str, hub: Hub, department: Department
) -> None:
    department.case("C1")
    hub.pull()
    with pytest.raises(sa.exc.IntegrityError), hub.runtime.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE core.{table} SET {column} = 'whatever'")


def test_a_personal_column_has_no_clear_column() -> None:
    for name, document in Documents.load().items():
        for column in document.columns.values():
            if column.personal:
                assert column.name not in TABLES[name].columns, f"{name}.{column.name}"
                assert "sealed" in TABLES[name].columns


def test_the_history_of_a_record_holds_every_image_once(hub: Hub, department: Department) -> None:
    """The replaced image goes to the twin with the batch that closed it; a deletion closes an image, too."""
    department.case("C1")
    hub.pull()
    for version, text in ((2, "二"), (3, "三")):
        department.change("PRE_NODE", {"UNID": "C1-3"}, OPINION=text, DATAVERSION=version)
        hub.pull()
    department.change("PRE_NODE", {"UNID": "C1-3"}, SYNC_STATUS="D", DATAVERSION=4)
    hub.pull()
    images = hub.rows(
        """SELECT h.opinion, opened.recorded_at < closed.recorded_at FROM core_history.stage_event AS h
           JOIN ledger.batch AS opened ON opened.batch_id = h.batch_id
           JOIN ledger.batch AS closed ON closed.batch_id = h.closed_by ORDER BY h.closed_by"""
    )
    assert images == [("同意", True), ("二", True), ("三", True)]


def test_what_was_recorded_is_strictly_ordered(hub: Hub, department: Department) -> None:
    for number in range(3):
        department.case(f"C{number}")
        hub.pull()
    recorded = [row[0] for row in hub.rows("SELECT recorded_at FROM ledger.batch ORDER BY batch_id")]
    assert recorded == sorted(set(recorded))


def test_history_is_partitioned_ahead_of_its_time(runtime: Runtime) -> None:
    with runtime.engine.connect() as connection:
        twins = connection.exec_driver_sql(
            """SELECT p.relname, count(*) FROM pg_inherits AS i JOIN pg_class AS p ON p.oid = i.inhparent
               JOIN pg_namespace AS n ON n.oid = p.relnamespace WHERE n.nspname = 'core_history' AND p.relkind = 'p'
               GROUP BY p.relname"""
        ).all()
    assert {name for name, _count in twins} == set(HISTORY)
    assert {count >= 3 for _name, count in twins} == {True}
