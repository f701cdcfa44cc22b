"""What a draft said when it was proposed and each time that it was revised.

Revision ID: 0019
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE catalog.item_deed ADD COLUMN content JSONB")


def downgrade() -> None:
    op.execute("ALTER TABLE catalog.item_deed DROP COLUMN content")
