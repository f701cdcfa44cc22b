"""What a department's database role may read: the views in `out`, below them columns, never hashes or sealed values.

The views run with the rights of who asks (security_invoker), so a role needs the columns that they name. Which rows it
sees is decided by the tables' policies (row-level security, forced), for a direct question as for one through a view.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

SCHEMAS: Final = ("core", "catalog", "out")
VIEWS: Final = (
    "out.credential", "out.decision", "out.case_progress", "out.prerequisite_status", "out.item",
    "catalog.in_force", "catalog.version_of_case",
)  # fmt: skip
COLUMNS: Final = {
    "core.approval_case": (
        "record_id, source_system_id, case_number, reporting_organ, handling_organ, item_code, item_name"
    ),
    "core.case_overview": (
        "case_id, state, applied_at, accepted_at, due_at, accept_first, undertake_first, review_first, approve_first, "
        "complete_first, closed_at, closing_outcome"
    ),
    "core.case_identifier": "case_id, scheme, number",
    "core.decision": (
        "record_id, source_system_id, case_number, organ, document_number, decision_kind, outcome, decided_at, "
        "reported_at"
    ),
    "core.credential": (
        "record_id, source_system_id, case_number, issuer, credential_type, number, version, holder_name_mask, "
        "holder_number_mask, valid_from, valid_to, issued_at, status, reported_at"
    ),
    "core.credential_status": "record_id, status, since",
    "catalog.item": "item_id, code, base_code, organ, region",
    "catalog.item_number": "item_id, number",
    "catalog.item_version": (
        "version_id, item_id, version, state, status, change, content, effective_on, published_at"
    ),
}
"""What readers may see of each table; every one of these has row-level security, forced."""


def grant(connection: sa.Connection, role: str) -> None:
    """Give a role what readers may see."""
    name = quoted(connection, role)
    for schema in SCHEMAS:
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
    for table, columns in COLUMNS.items():
        connection.exec_driver_sql(f"GRANT SELECT ({columns}) ON {table} TO {name}")
    for view in VIEWS:
        connection.exec_driver_sql(f"GRANT SELECT ON {view} TO {name}")


def revoke(connection: sa.Connection, role: str) -> None:
    """Take from a role what readers may see."""
    name = quoted(connection, role)
    for view in VIEWS:
        connection.exec_driver_sql(f"REVOKE SELECT ON {view} FROM {name}")
    for table, columns in COLUMNS.items():
        connection.exec_driver_sql(f"REVOKE SELECT ({columns}) ON {table} FROM {name}")
    for schema in SCHEMAS:
        connection.exec_driver_sql(f"REVOKE USAGE ON SCHEMA {schema} FROM {name}")


def mind(connection: sa.Connection, *, views_made: bool) -> None:
    """Keep readers and policies right through an upgrade.

    A view that is made anew has lost its grants. Where the tables were given to another owner, the hub's own policy
    goes to that one: by the former owner's it would see nothing, and say so to nobody.
    """
    if connection.scalar(sa.text("SELECT to_regclass('access.reader')")) is None:
        return
    if views_made:
        for role in connection.scalars(sa.text(_LIVING)).all():
            grant(connection, role)
    for table in connection.scalars(sa.text(_ASTRAY)).all():
        connection.exec_driver_sql(f"ALTER POLICY hub ON {table} TO CURRENT_USER")


def quoted(connection: sa.Connection, role: str) -> str:
    """Return a role's name as SQL."""
    return connection.dialect.identifier_preparer.quote_identifier(role)


_LIVING: Final = """
SELECT r.role FROM access.reader AS r JOIN pg_roles AS p ON p.rolname = r.role WHERE r.ended_at IS NULL ORDER BY 1
"""

_ASTRAY: Final = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE p.polname = 'hub' AND n.nspname IN ('core', 'catalog') AND c.relforcerowsecurity
    AND NOT c.relowner = ANY (p.polroles) AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
ORDER BY 1
"""
