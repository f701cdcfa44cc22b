"""Files of very many checks: kept until they are answered, part by part.

Revision ID: 0031
"""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE audit.check_job (
    job_id UUID NOT NULL,
    client_id INTEGER NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    reason TEXT,
    questions INTEGER NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_check_job PRIMARY KEY (job_id),
    CONSTRAINT ck_check_job_state CHECK (state IN ('waiting', 'done', 'stopped'))
);
CREATE INDEX ix_check_job_waiting ON audit.check_job (made_at) WHERE state = 'waiting';
COMMENT ON TABLE audit.check_job IS
    '批量核验: a file of checks that a client sent, and how far it is answered; goes some days after its end.';

CREATE TABLE audit.check_job_part (
    job_id UUID NOT NULL,
    part INTEGER NOT NULL,
    size INTEGER NOT NULL,
    questions BYTEA,
    answers BYTEA,
    leased_until TIMESTAMP WITH TIME ZONE DEFAULT '-infinity' NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_check_job_part PRIMARY KEY (job_id, part),
    CONSTRAINT fk_check_job_part_job_id FOREIGN KEY (job_id) REFERENCES audit.check_job (job_id) ON DELETE CASCADE
);
COMMENT ON TABLE audit.check_job_part IS
    'Up to a thousand questions of a file, locked; when they are answered, the answers stand in their place.';
"""


def upgrade() -> None:
    op.execute(_TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE audit.check_job_part, audit.check_job")
