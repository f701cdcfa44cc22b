"""Brings a database to the present state: migrations, then views, then history partitions."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

SQL = Path(__file__).resolve().parent.parent / "sql"
MONTHS_AHEAD = 2


def upgrade(engine: sa.Engine) -> str:
    """Run the migrations that are missing and create or replace all views; return the revision reached.

    Everything happens in one transaction: a database is either upgraded whole or left as it was.
    """
    config = Config()
    config.set_main_option("script_location", str(SQL / "migrations"))
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('hub.migrate'))"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        for file in sorted((SQL / "views").glob("*/*.sql")):
            _replace_view(connection, file)
        connection.execute(sa.text("SELECT core_history.make_partitions(:ahead)"), {"ahead": MONTHS_AHEAD})
        return str(connection.execute(sa.text("SELECT version_num FROM hub_migration")).scalar_one())


def _replace_view(connection: sa.Connection, file: Path) -> None:
    view = f'"{file.parent.name}"."{file.stem}"'
    query = file.read_text(encoding="utf-8").strip()
    # A view whose columns changed cannot be replaced in place; views hold nothing, so it is made anew.
    connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view} CASCADE")
    connection.exec_driver_sql(f"CREATE VIEW {view} WITH (security_invoker = true) AS {query}")
