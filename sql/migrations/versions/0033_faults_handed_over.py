"""What supervision finds wrong becomes issues: faults that are handed over, and when somebody looked.

Revision ID: 0033
"""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE quality.handed_fault (
    rule TEXT NOT NULL,
    organ TEXT NOT NULL,
    records BIGINT NOT NULL,
    of_records BIGINT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    places JSONB DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_handed_fault PRIMARY KEY (rule, organ),
    CONSTRAINT ck_handed_fault_records CHECK (records BETWEEN 1 AND of_records)
);
COMMENT ON TABLE quality.handed_fault IS
    'What a part above the findings found wrong when it looked last: a row a rule and organ, with some places.';

CREATE TABLE quality.handed_look (
    rule TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_handed_look PRIMARY KEY (rule)
);
COMMENT ON TABLE quality.handed_look IS
    'When a part above the findings looked last for what breaks a rule: what is gone since then is mended.';
"""


def upgrade() -> None:
    op.execute(_TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE quality.handed_fault, quality.handed_look")
