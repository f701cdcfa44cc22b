"""When the first pull of a source has come to its end, its open cases are looked at by supervision.

Revision ID: 0046
"""

from __future__ import annotations

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

# While a source is read for the first time no card is raised over its cases (`supervision.cards.raising`): nothing of
# them may change after their stream is through, so that nobody else would ask for them before the night.
_READ = """
CREATE FUNCTION supervision.touch_source() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO supervision.touched (case_id)
    SELECT o.case_id FROM core.case_overview AS o JOIN core.approval_case AS c ON c.record_id = o.case_id
    WHERE c.source_system_id = NEW.source_system_id AND o.closed_at IS NULL
      AND NOT EXISTS (SELECT FROM ledger.stream AS s
                      WHERE s.source_system_id = NEW.source_system_id AND s.last_success_at IS NULL);
    IF FOUND THEN
        PERFORM pg_notify('hub_touched', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER supervision_read AFTER UPDATE OF last_success_at ON ledger.stream
    FOR EACH ROW WHEN (OLD.last_success_at IS NULL AND NEW.last_success_at IS NOT NULL)
    EXECUTE FUNCTION supervision.touch_source();
"""


def upgrade() -> None:
    op.execute(_READ)


def downgrade() -> None:
    op.execute("DROP TRIGGER supervision_read ON ledger.stream")
    op.execute("DROP FUNCTION supervision.touch_source")
