"""The log of deeds on records is only added to: whose values were seen by whom stays known.

Revision ID: 0029
"""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_GUARD = """
CREATE INDEX ix_work_log_at ON quality.work_log (at);
CREATE FUNCTION quality.only_logged() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log of deeds is only added to' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER only_logged BEFORE UPDATE OR DELETE OR TRUNCATE ON quality.work_log
    FOR EACH STATEMENT EXECUTE FUNCTION quality.only_logged();
"""


def upgrade() -> None:
    op.execute(_GUARD)


def downgrade() -> None:
    op.execute("DROP TRIGGER only_logged ON quality.work_log")
    op.execute("DROP FUNCTION quality.only_logged()")
    op.execute("DROP INDEX quality.ix_work_log_at")
