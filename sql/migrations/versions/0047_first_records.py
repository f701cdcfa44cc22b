"""The first load of a source begins with its first records: pulls before them say nothing of what they hold.

Revision ID: 0047
"""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

# A department whose first deliveries are refused whole, or empty, has pulls that went through before it brought a
# record. Its streams have been read once when each went through since the pull that brought the first.
_READ = """
CREATE FUNCTION supervision.touch_source() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz := (
        SELECT b.read_at FROM ledger.batch AS b
        WHERE b.source_system_id = NEW.source_system_id AND b.kind = 'pull' AND b.new > 0 ORDER BY b.seq LIMIT 1);
BEGIN
    IF began IS NULL OR NEW.last_success_at < began OR OLD.last_success_at >= began THEN
        RETURN NULL;
    END IF;
    INSERT INTO supervision.touched (case_id)
    SELECT o.case_id FROM core.case_overview AS o JOIN core.approval_case AS c ON c.record_id = o.case_id
    WHERE c.source_system_id = NEW.source_system_id AND o.closed_at IS NULL
      AND NOT EXISTS (SELECT FROM ledger.stream AS s WHERE s.source_system_id = NEW.source_system_id
                      AND (s.last_success_at IS NULL OR s.last_success_at < began));
    IF FOUND THEN
        PERFORM pg_notify('hub_touched', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER supervision_read AFTER UPDATE OF last_success_at ON ledger.stream
    FOR EACH ROW WHEN (NEW.last_success_at IS NOT NULL) EXECUTE FUNCTION supervision.touch_source();
"""

_BEFORE = """
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
    _drop()
    op.execute(_READ)


def downgrade() -> None:
    _drop()
    op.execute(_BEFORE)


def _drop() -> None:
    op.execute("DROP TRIGGER supervision_read ON ledger.stream")
    op.execute("DROP FUNCTION supervision.touch_source")
