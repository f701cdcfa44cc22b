"""Upgrading: what is up to date is only looked at, what is not is made anew."""

from __future__ import annotations

import sqlalchemy as sa

from pipeline.runtime import Runtime
from sharedrepo.migrate import upgrade


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
