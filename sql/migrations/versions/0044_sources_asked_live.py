"""How often a source was asked live in the present minute, so that askers do not drive a department's system.

Revision ID: 0044
"""

from __future__ import annotations

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE audit.live_asked (
    source TEXT NOT NULL,
    minute TIMESTAMP WITH TIME ZONE NOT NULL,
    asked INTEGER NOT NULL,
    CONSTRAINT pk_live_asked PRIMARY KEY (source)
);
COMMENT ON TABLE audit.live_asked IS
    '实时询问: how often each source was asked live for one record in the newest minute in which it was.';
"""


def upgrade() -> None:
    op.execute(_TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE audit.live_asked")
