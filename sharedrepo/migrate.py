"""Brings a database to the present state: migrations, then views, then partitions of history and log."""

from __future__ import annotations

import hashlib
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

SQL = Path(__file__).resolve().parent.parent / "sql"
MONTHS_AHEAD = 2


def upgrade(engine: sa.Engine) -> str:
    """Run the migrations that are missing and make the views that are missing or changed; return the revision reached.

    Everything happens in one transaction: a database is either upgraded whole or left as it was. One that is up to date
    is only looked at, so that a process which starts waits for no reader of a view, and none for it.
    """
    config = Config()
    config.set_main_option("script_location", str(SQL / "migrations"))
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('hub.migrate'))"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        _make_views(connection)
        connection.execute(sa.text("SELECT core_history.make_partitions(:ahead)"), {"ahead": MONTHS_AHEAD})
        connection.execute(sa.text("SELECT audit.make_partitions(:ahead)"), {"ahead": MONTHS_AHEAD})
        return str(connection.execute(sa.text("SELECT version_num FROM hub_migration")).scalar_one())


def _make_views(connection: sa.Connection) -> None:
    """Make each view whose query is not the one that it was made of, in name order: a comment on it says which.

    A view that stands on one that is made anew goes with it, and so is missing when its turn comes.
    """
    for file in sorted((SQL / "views").glob("*/*.sql")):
        view = f'"{file.parent.name}"."{file.stem}"'
        query = file.read_text(encoding="utf-8").strip()
        mark = f"made of {hashlib.blake2b(query.encode(), digest_size=16).hexdigest()}"
        if connection.scalar(sa.text("SELECT obj_description(to_regclass(:view), 'pg_class')"), {"view": view}) == mark:
            continue
        # A view whose columns changed cannot be replaced in place; views hold nothing, so it is made anew.
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view} CASCADE")
        connection.exec_driver_sql(f"CREATE VIEW {view} WITH (security_invoker = true) AS {query}")
        connection.exec_driver_sql(f"COMMENT ON VIEW {view} IS '{mark}'")
