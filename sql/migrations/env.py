"""Alembic's environment: runs the migrations on the connection that `sharedrepo.migrate` hands over."""

from __future__ import annotations

from alembic import context

from sharedrepo.models import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, include_schemas=True, version_table="hub_migration")
with context.begin_transaction():
    context.run_migrations()
