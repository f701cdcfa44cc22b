"""A post under an idempotency key is answered the same when it comes again.

Revision ID: 0011
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE ledger.post (
            source_system_id SMALLINT NOT NULL,
            client_id INTEGER NOT NULL,
            key_hash BYTEA NOT NULL,
            body_hash BYTEA NOT NULL,
            batch_id BIGINT NOT NULL,
            recorded_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
            answer TEXT NOT NULL,
            CONSTRAINT pk_post PRIMARY KEY (source_system_id, client_id, key_hash)
        )"""
    )
    op.execute("CREATE INDEX ix_post_recorded_at ON ledger.post (recorded_at)")
    op.execute(
        """COMMENT ON TABLE ledger.post IS
           'Posts under an idempotency key and what they were answered: written with the batch, told again for days.'"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE ledger.post")
