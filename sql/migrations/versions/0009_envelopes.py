"""Numbered deliveries: what each envelope said, up to which number all have come, and receipts of whole deliveries.

Revision ID: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE ledger.envelope (
            stream_id INTEGER NOT NULL,
            number BIGINT NOT NULL,
            status TEXT NOT NULL,
            mark TEXT NOT NULL,
            unit TEXT,
            records BIGINT NOT NULL,
            organs JSONB NOT NULL DEFAULT '{}',
            found JSONB NOT NULL DEFAULT '{}',
            complete_through TIMESTAMP WITH TIME ZONE,
            batch_id BIGINT NOT NULL,
            CONSTRAINT pk_envelope PRIMARY KEY (stream_id, number),
            CONSTRAINT ck_envelope_status CHECK (status IN ('reading', 'received', 'held'))
        )"""
    )
    op.execute(
        """COMMENT ON TABLE ledger.envelope IS
           '批次信封: each numbered delivery of a stream: keyed mark of its content, counts, how far all has come.'"""
    )
    op.execute("ALTER TABLE ledger.stream ADD COLUMN envelope_through BIGINT NOT NULL DEFAULT 0")
    _basis("'declared', 'inferred', 'envelope'")
    op.execute("ALTER TABLE ledger.receipt ADD COLUMN envelope JSONB")


def downgrade() -> None:
    op.execute("ALTER TABLE ledger.receipt DROP COLUMN envelope")
    op.execute("UPDATE ledger.stream SET complete_basis = 'declared' WHERE complete_basis = 'envelope'")
    _basis("'declared', 'inferred'")
    op.execute("ALTER TABLE ledger.stream DROP COLUMN envelope_through")
    op.execute("DROP TABLE ledger.envelope")


def _basis(known: str) -> None:
    op.execute("ALTER TABLE ledger.stream DROP CONSTRAINT ck_stream_basis")
    op.execute(f"ALTER TABLE ledger.stream ADD CONSTRAINT ck_stream_basis CHECK (complete_basis IN ({known}))")
