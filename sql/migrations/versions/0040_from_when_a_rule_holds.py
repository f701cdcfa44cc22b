"""A rule that is enabled later holds from that day on: what was over before raises no card.

Revision ID: 0040
"""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The rules of a hub that runs already have judged what was over: they hold from its beginning.
    op.execute("ALTER TABLE supervision.rule ADD COLUMN holds_from DATE")


def downgrade() -> None:
    op.execute("ALTER TABLE supervision.rule DROP COLUMN holds_from")
