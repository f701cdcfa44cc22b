"""Record ids come in blocks, and the overview of a case has room to be rewritten in its place.

A pull takes twenty thousand record ids at a time: a call of the sequence for each cost more than all look-ups. An
overview is rewritten with every event of its case: where its page has room, no index entry is written for that.

Revision ID: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER SEQUENCE ledger.source_record_record_id_seq INCREMENT BY 1000")
    op.execute("ALTER TABLE core.case_overview SET (fillfactor = 50)")


def downgrade() -> None:
    op.execute("ALTER TABLE core.case_overview RESET (fillfactor)")
    op.execute("ALTER SEQUENCE ledger.source_record_record_id_seq INCREMENT BY 1")
