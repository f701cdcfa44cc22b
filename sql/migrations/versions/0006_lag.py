"""Each batch says how new its newest record was, so that the lag of a feed can be told.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batch", sa.Column("newest_report", sa.TIMESTAMP(timezone=True)), schema="ledger")


def downgrade() -> None:
    op.drop_column("batch", "newest_report", schema="ledger")
