"""Brings a database to the present state: migrations, then views, then partitions of history and log."""

from __future__ import annotations

import hashlib
from pathlib import Path

import sqlalchemy as sa

SQL = Path(__file__).resolve().parent.parent / "sql"
MONTHS_AHEAD = 2


def upgrade(engine: sa.Engine) -> str:
    """Run the migrations that are missing and make the views that are missing or changed; return the revision reached.

    Everything happens in one transaction: a database is either upgraded whole or left as it was. One that is up to date
    is only looked at, so that a process which starts waits for no reader of a view, and none for it.
    """
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('hub.migrate'))"))
        if _reached(connection) != newest():
            _migrate(connection)
        _make_views(connection)
        connection.execute(sa.text("SELECT core_history.make_partitions(:ahead)"), {"ahead": MONTHS_AHEAD})
        connection.execute(sa.text("SELECT audit.make_partitions(:ahead)"), {"ahead": MONTHS_AHEAD})
        return str(_reached(connection))


def newest() -> str:
    """Return the revision that all migrations lead to: each file's name begins with its own, and they are counted."""
    return max(file.name.partition("_")[0] for file in (SQL / "migrations" / "versions").glob("*.py"))


def _reached(connection: sa.Connection) -> str | None:
    """Return the revision of the database; None for one that was never migrated."""
    if connection.scalar(sa.text("SELECT to_regclass('hub_migration')")) is None:
        return None
    reached: str | None = connection.scalar(sa.text("SELECT version_num FROM hub_migration"))
    return reached


def _migrate(connection: sa.Connection) -> None:
    """Run the migrations that are missing.

    Raises:
        alembic.util.CommandError: the database is at a revision that is not among the migrations.
    """
    from alembic import command  # noqa: PLC0415  # slow to import, and seldom needed: every process upgrades
    from alembic.config import Config  # noqa: PLC0415  # see above

    config = Config()
    config.set_main_option("script_location", str(SQL / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _make_views(connection: sa.Connection) -> None:
    """Make each view whose query is not the one that it was made of, in name order: a comment on it says which.

    A view that stands on one that is made anew goes with it, and so is missing when its turn comes.
    """
    marks = _marks(connection)
    for file in sorted((SQL / "views").glob("*/*.sql")):
        view = f'"{file.parent.name}"."{file.stem}"'
        query = file.read_text(encoding="utf-8").strip()
        mark = f"made of {hashlib.blake2b(query.encode(), digest_size=16).hexdigest()}"
        if marks.get(view) == mark:
            continue
        # A view whose columns changed cannot be replaced in place; views hold nothing, so it is made anew.
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view} CASCADE")
        connection.exec_driver_sql(f"CREATE VIEW {view} WITH (security_invoker = true) AS {query}")
        connection.exec_driver_sql(f"COMMENT ON VIEW {view} IS '{mark}'")
        marks = _marks(connection)


def _marks(connection: sa.Connection) -> dict[str, str]:
    """Return what each view that is there was made of, by its quoted name."""
    query = """SELECT '"' || n.nspname || '"."' || c.relname || '"', d.description
               FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               JOIN pg_description AS d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
               WHERE c.relkind = 'v'"""
    return {str(view): str(mark) for view, mark in connection.exec_driver_sql(query)}
