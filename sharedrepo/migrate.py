"""Brings a database to the present state: migrations, then views, then partitions of history and log."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import sqlalchemy as sa

from sharedrepo.access import readers

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
        readers.mind(connection, views_made=_make_views(connection))
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


def _make_views(connection: sa.Connection) -> bool:
    """Make each view whose query is not the one that it was made of, in name order; say whether one was made.

    A comment on the view says what it was made of. A view that stands on one that is made anew goes with it, and so is
    missing when its turn comes.
    """
    marks, made = _marks(connection), False
    for file in sorted((SQL / "views").glob("*/*.sql")):
        view = f'"{file.parent.name}"."{file.stem}"'
        query, comments = file.read_text(encoding="utf-8").strip(), _comments(file)
        said = "".join((query, *(f"\n{column}: {comment}" for column, comment in comments.items())))
        mark = f"made of {hashlib.blake2b(said.encode(), digest_size=16).hexdigest()}"
        if marks.get(view) == mark:
            continue
        # A view whose columns changed cannot be replaced in place; views hold nothing, so it is made anew.
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view} CASCADE")
        connection.exec_driver_sql(f"CREATE VIEW {view} WITH (security_invoker = true) AS {query}")
        connection.exec_driver_sql(f"COMMENT ON VIEW {view} IS '{mark}'")
        for column, comment in comments.items():
            literal = comment.replace("'", "''").replace("%", "%%")
            connection.exec_driver_sql(f"COMMENT ON COLUMN {view}.\"{column}\" IS '{literal}'")
        marks, made = _marks(connection), True
    return made


def _comments(file: Path) -> dict[str, str]:
    """Return what is said of a view's columns in `columns.csv` beside it, where there is one."""
    said = file.parent / "columns.csv"
    if not said.is_file():
        return {}
    with said.open(encoding="utf-8", newline="") as lines:
        return {row["column"]: row["comment"] for row in csv.DictReader(lines) if row["view"] == file.stem}


def _marks(connection: sa.Connection) -> dict[str, str]:
    """Return what each view that is there was made of, by its quoted name."""
    query = """SELECT '"' || n.nspname || '"."' || c.relname || '"', d.description
               FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               JOIN pg_description AS d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
               WHERE c.relkind = 'v'"""
    return {str(view): str(mark) for view, mark in connection.exec_driver_sql(query)}
