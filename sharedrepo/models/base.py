"""One metadata for all tables; each column says its class and, where it holds protected values, how they are kept."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

SCHEMAS = ("core", "core_history", "ledger", "quality", "catalog", "access", "audit", "supervision", "out")
"""The PostgreSQL schemas that this package owns, in the order in which the data goes through them."""


def column(
    name: str, kind: sa.types.TypeEngine[Any], *items: sa.schema.SchemaItem, privacy: str = "internal", **options: Any
) -> sa.Column[Any]:
    """Make a column with its class (public, internal, personal, sensitive); extra `info` goes beside the class.

    `info={"hash": kind}` marks a keyed look-up hash, `info={"sealed": True}` a ciphertext: both are re-keyed by
    `hub key rotate` and left out of `hub db digest` (their content hash stands for them).
    """
    info = {"class": privacy, **options.pop("info", {})}
    return sa.Column(name, kind, *items, info=info, **options)


def instant(name: str, **options: Any) -> sa.Column[Any]:
    """Make a column for an instant, stored with its zone."""
    return column(name, sa.TIMESTAMP(timezone=True), **options)
