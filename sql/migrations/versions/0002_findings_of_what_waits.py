"""Findings say whether they speak of the version that stands or of a refused one that waits beside it.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    waits = sa.Column("waits", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("finding", waits, schema="quality")
    op.execute(
        """UPDATE quality.finding AS f SET waits = TRUE WHERE f.state = 'open' AND f.effect = 'refuse'
           AND f.record_id IS NOT NULL"""
    )


def downgrade() -> None:
    op.drop_column("finding", "waits", schema="quality")
