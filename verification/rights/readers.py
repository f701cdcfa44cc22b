"""Departments that read by SQL: a database role for one organ and one purpose, made, listed, ended.

What the role sees follows the sharing classes and grants of its organ and purpose at each statement; this module only
makes the door. The role is no superuser, bypasses no row-level security, belongs to no other role and writes nothing.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import Any, Final

import psycopg2.errors
import psycopg2.extensions
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from hub.errors import HubError
from sharedrepo.access import readers

MOST_CONNECTIONS: Final = 10
STATEMENT_SECONDS: Final = 300
TRANSACTION_SECONDS: Final = STATEMENT_SECONDS
"""So long a transaction of a reader may last: an open one may hold up the seal of the log of checks."""
_PASSWORD_BYTES: Final = 24
_ENDING_MS: Final = 5_000
"""So long an ended session is waited for: what it left behind goes with it, and then its role can go."""


class CannotRead(HubError):
    """A reader cannot be made or ended as it was asked for; nothing was written."""

    exit_status = 65


def make(engine: sa.Engine, *, organ: str, purpose: str, actor: str, password: bool = True) -> tuple[str, str | None]:
    """Make a role for an organ and a purpose; return its name and its password, which is shown this once.

    Without a password the server's own configuration must let the role in: by peer, certificate or another way.

    Raises:
        CannotRead: the purpose is empty, or the hub's role may not make roles.
    """
    if not purpose.strip():
        raise CannotRead("a reader has a purpose: its grants are those for this purpose.")
    role = f"out_{organ.lower()}_{secrets.token_hex(3)}"
    secret = secrets.token_urlsafe(_PASSWORD_BYTES) if password else None
    with _minded(), engine.begin() as connection:
        name = readers.quoted(connection, role)
        connection.exec_driver_sql(
            f"CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOINHERIT "
            f"CONNECTION LIMIT {MOST_CONNECTIONS} PASSWORD {_verifier(connection, role, secret)}"
        )
        connection.exec_driver_sql(f"ALTER ROLE {name} SET default_transaction_read_only = on")
        connection.exec_driver_sql(f"ALTER ROLE {name} SET statement_timeout = '{STATEMENT_SECONDS}s'")
        connection.exec_driver_sql(f"ALTER ROLE {name} SET idle_in_transaction_session_timeout = '60s'")
        connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {_database(connection)} TO {name}")
        readers.grant(connection, role)
        connection.execute(
            sa.text(
                "INSERT INTO access.reader (role, organ, purpose, made_by) VALUES (:role, :organ, :purpose, :actor)"
            ),
            {"role": role, "organ": organ, "purpose": purpose, "actor": actor},
        )
    return role, secret


def renew(engine: sa.Engine, role: str) -> str:
    """Give a role another password and return it; the former one lets nobody in from now on.

    Raises:
        CannotRead: there is no such reader.
    """
    secret = secrets.token_urlsafe(_PASSWORD_BYTES)
    with _minded(), engine.begin() as connection:
        _living(connection, role)
        name = readers.quoted(connection, role)
        connection.exec_driver_sql(f"ALTER ROLE {name} PASSWORD {_verifier(connection, role, secret)}")
    return secret


def end(engine: sa.Engine, role: str, *, actor: str) -> None:
    """Take a role away: what its open sessions ask from now on shows nothing, and the sessions are ended.

    Raises:
        CannotRead: there is no such reader.
    """
    with _minded(), engine.begin() as connection:
        _living(connection, role)
        connection.execute(
            sa.text("UPDATE access.reader SET ended_by = :actor, ended_at = now() WHERE role = :role"),
            {"actor": actor, "role": role},
        )
        readers.revoke(connection, role)
        name = readers.quoted(connection, role)
        connection.exec_driver_sql(f"REVOKE CONNECT ON DATABASE {_database(connection)} FROM {name}")
        connection.exec_driver_sql(f"ALTER ROLE {name} NOLOGIN PASSWORD NULL")
    # What may fail here shows nobody anything: open sessions see nothing any more, and nobody logs in anew.
    for statement in (
        f"SELECT pg_terminate_backend(pid, {_ENDING_MS}) FROM pg_stat_activity WHERE usename = '{role}'",
        f"DROP ROLE {name}",
    ):
        with contextlib.suppress(DBAPIError), engine.begin() as connection:
            connection.exec_driver_sql(statement)


_OVERLONG: Final = """
SELECT count(*) FROM (
    SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity AS a JOIN access.reader AS r ON r.role = a.usename
    WHERE a.xact_start < clock_timestamp() - make_interval(secs => :seconds)) AS ended
"""


def end_overlong(engine: sa.Engine, *, seconds: float = TRANSACTION_SECONDS) -> int:
    """End the sessions of readers whose transaction lasts too long; return how many.

    Also a transaction that reads only can take a number (`pg_current_xact_id()`), for which the seal then waits; and
    what a role's settings bound, its session can set anew. Where the hub's role may not end others' sessions, nothing
    is done: `hub audit status` tells how old the oldest unsealed entry is.
    """
    with contextlib.suppress(DBAPIError), engine.begin() as connection:
        return int(connection.scalar(sa.text(_OVERLONG), {"seconds": seconds}) or 0)
    return 0


def listed(engine: sa.Engine) -> list[dict[str, Any]]:
    """Return all readers, ended ones too."""
    query = """SELECT r.role, r.organ, r.purpose, r.made_by, r.made_at, r.ended_by, r.ended_at,
                   CASE WHEN r.ended_at IS NOT NULL THEN 'ended' WHEN p.rolname IS NULL THEN 'lost' ELSE 'living' END
                   AS state
               FROM access.reader AS r LEFT JOIN pg_roles AS p ON p.rolname = r.role ORDER BY r.made_at, r.role"""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query)).mappings()]


def _living(connection: sa.Connection, role: str) -> None:
    found = connection.scalar(
        sa.text("SELECT count(*) FROM access.reader WHERE role = :role AND ended_at IS NULL"), {"role": role}
    )
    if not found:
        raise CannotRead(f"no reader {role!r} lives. `hub share role list` lists them.")


def _verifier(connection: sa.Connection, role: str, secret: str | None) -> str:
    """Return what the server keeps of a password, as SQL: the password itself is never sent, and so never logged."""
    if secret is None:
        return "NULL"
    driver = connection.connection.driver_connection
    made = psycopg2.extensions.encrypt_password(secret, role, scope=driver, algorithm="scram-sha-256")
    return f"'{made}'"


def _database(connection: sa.Connection) -> str:
    return readers.quoted(connection, str(connection.scalar(sa.text("SELECT current_database()"))))


@contextlib.contextmanager
def _minded() -> Any:
    """Turn the server's refusal into what to do."""
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg2.errors.InsufficientPrivilege):
            raise
        raise CannotRead(
            "the hub's database role may not make or end roles. As the server's administrator: "
            "ALTER ROLE … CREATEROLE (docs/verify/sql.md)."
        ) from None
