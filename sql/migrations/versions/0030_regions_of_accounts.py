"""Supervisors of cities and counties: an account may be bound to a region.

Revision ID: 0030
"""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """ALTER TABLE access.account ADD COLUMN region TEXT,
           ADD CONSTRAINT ck_account_region CHECK (region IS NOT NULL OR NOT ('regional_supervisor' = ANY (roles)))"""
    )


def downgrade() -> None:
    op.execute("ALTER TABLE access.account DROP COLUMN region")
