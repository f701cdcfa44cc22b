"""A batch may close what a snapshot no longer holds.

Revision ID: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KINDS = "'pull', 'release', 'replay', 'take_back', 'retranslate', 'accept'"


def upgrade() -> None:
    op.execute("ALTER TABLE ledger.batch DROP CONSTRAINT ck_batch_kind")
    op.execute(f"ALTER TABLE ledger.batch ADD CONSTRAINT ck_batch_kind CHECK (kind IN ({_KINDS}, 'absence'))")


def downgrade() -> None:
    op.execute("ALTER TABLE ledger.batch DROP CONSTRAINT ck_batch_kind")
    op.execute(f"ALTER TABLE ledger.batch ADD CONSTRAINT ck_batch_kind CHECK (kind IN ({_KINDS}))")
