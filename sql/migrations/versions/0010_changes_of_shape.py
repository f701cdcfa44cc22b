"""A change of a stream's shape is told once: how many records showed it, and when it was last seen.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("finding", sa.Column("seen", sa.BigInteger()), schema="quality")
    op.add_column("finding", sa.Column("last_batch_id", sa.BigInteger()), schema="quality")
    op.add_column("stream", sa.Column("pull_batch_id", sa.BigInteger()), schema="ledger")
    # Until now a change was told of a unit, and forgotten with it: the next pull tells it again, of the stream.
    op.execute(
        """UPDATE quality.finding SET state = 'closed'
           WHERE state = 'open' AND rule IN ('unknown_field', 'missing_field') AND record_id IS NULL"""
    )


def downgrade() -> None:
    op.drop_column("stream", "pull_batch_id", schema="ledger")
    op.drop_column("finding", "last_batch_id", schema="quality")
    op.drop_column("finding", "seen", schema="quality")
