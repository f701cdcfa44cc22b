"""The history twins: each core table has one in `core_history`, with the images that were replaced or closed.

A twin is range-partitioned by the month in which the image was closed, so that old months can be moved away whole.
"""

from __future__ import annotations

import sqlalchemy as sa

from sharedrepo.models.base import column, instant, metadata
from sharedrepo.models.documents import TABLES


def twin(table: sa.Table) -> sa.Table:
    """Make the twin of a core table: the same columns, and which batch closed the image and when."""
    copied = [column(c.name, c.type, nullable=c.nullable, info=c.info, privacy=c.info["class"]) for c in table.columns]
    made = sa.Table(
        table.name,
        metadata,
        *copied,
        column("closed_by", sa.BigInteger(), nullable=False),
        instant("closed_at", nullable=False, server_default=sa.func.transaction_timestamp()),
        schema="core_history",
        postgresql_partition_by="RANGE (closed_at)",
    )
    sa.Index(None, made.c.record_id, made.c.part)
    if table.name == "credential":
        sa.Index(None, made.c.number)  # what was known of it at an earlier instant
    return made


HISTORY: dict[str, sa.Table] = {name: twin(table) for name, table in TABLES.items()}
"""The history twins by document name."""
