"""A record that waits keeps the organ that it names: no row of it stands that could say whose it is.

Revision ID: 0038
"""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE ledger.waiting ADD COLUMN organ TEXT")


def downgrade() -> None:
    op.execute("ALTER TABLE ledger.waiting DROP COLUMN organ CASCADE")  # the views are made anew by the next upgrade
