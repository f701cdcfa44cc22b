"""An open pause moves the law's own limit, too, beside the promised one.

Revision ID: 0043
"""

from __future__ import annotations

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_COLUMNS = """
ALTER TABLE supervision.clock ADD COLUMN legal_stop_unit TEXT,
    ADD COLUMN legal_stop_from TIMESTAMP WITH TIME ZONE, ADD COLUMN legal_stop_end TIMESTAMP WITH TIME ZONE,
    ADD COLUMN legal_then_value INTEGER, ADD COLUMN legal_then_unit TEXT;
INSERT INTO supervision.touched (case_id)
    SELECT k.case_id FROM supervision.clock AS k JOIN core.case_overview AS o USING (case_id)
    WHERE k.closed_at IS NULL AND o.pauses_open > 0;
"""


def upgrade() -> None:
    op.execute(_COLUMNS)


def downgrade() -> None:
    op.execute("DROP VIEW IF EXISTS supervision.clock_now CASCADE")
    op.execute("""ALTER TABLE supervision.clock DROP COLUMN legal_stop_unit, DROP COLUMN legal_stop_from,
        DROP COLUMN legal_stop_end, DROP COLUMN legal_then_value, DROP COLUMN legal_then_unit""")
