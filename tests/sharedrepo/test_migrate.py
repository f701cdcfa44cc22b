"""Upgrading: what is up to date is only looked at, what is not is made anew."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from pipeline.runtime import Runtime
from sharedrepo.migrate import SQL, newest, upgrade


def test_an_upgrade_of_what_is_up_to_date_waits_for_no_reader(runtime: Runtime) -> None:
    """Every process upgrades when it starts: one that reads a view for long must not keep all others waiting."""
    impatient = sa.create_engine(runtime.engine.url, connect_args={"options": "-c lock_timeout=3s"})
    with runtime.engine.connect() as reader:
        reader.exec_driver_sql("SELECT * FROM ledger.balance").all()
        assert upgrade(impatient) == upgrade(runtime.engine)
    impatient.dispose()


def test_a_view_that_is_not_made_of_its_file_is_made_anew_with_those_that_stand_on_it(runtime: Runtime) -> None:
    columns = sa.text("SELECT count(*) FROM information_schema.columns WHERE table_name = 'balance'")
    with runtime.engine.begin() as connection:
        before = connection.scalar(columns)
        connection.exec_driver_sql("DROP VIEW ledger.balance")
        connection.exec_driver_sql("CREATE VIEW ledger.balance AS SELECT 1 AS old")
        connection.exec_driver_sql("COMMENT ON VIEW ledger.balance IS 'made of something else'")
        connection.exec_driver_sql("DROP VIEW quality.finding_group")
    upgrade(runtime.engine)
    with runtime.engine.connect() as connection:
        assert connection.scalar(columns) == before
        assert connection.exec_driver_sql("SELECT count(*) FROM quality.finding_group").scalar_one() == 0


def test_the_newest_revision_is_the_one_that_all_migrations_lead_to(runtime: Runtime) -> None:
    assert ScriptDirectory(str(SQL / "migrations")).get_heads() == [newest()] == [upgrade(runtime.engine)]


def test_a_database_of_a_newer_hub_is_refused(runtime: Runtime) -> None:
    with runtime.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE hub_migration SET version_num = '9999'")
    with pytest.raises(CommandError, match="9999"):
        upgrade(runtime.engine)


def test_a_process_that_finds_all_up_to_date_does_not_load_what_migrates() -> None:
    program = "import sys, pipeline.runtime; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
