"""Officers are asked about single options of prerequisites, too: which one a row is about, and for which day.

Revision ID: 0045
"""

from __future__ import annotations

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_COLUMNS = """
ALTER TABLE audit.inquiry
    ALTER COLUMN credential_type DROP NOT NULL,
    ADD COLUMN item TEXT,
    ADD COLUMN group_place INTEGER,
    ADD COLUMN option_place INTEGER,
    ADD COLUMN item_version INTEGER,
    ADD COLUMN asked_on DATE,
    ADD COLUMN held_on DATE,
    ADD CONSTRAINT ck_inquiry_about CHECK (
        num_nonnulls(credential_type, item) = 1
        AND num_nonnulls(group_place, option_place, item_version, asked_on, held_on)
            = CASE WHEN group_place IS NULL THEN 0 ELSE 5 END
        AND (item IS NULL OR group_place IS NOT NULL)
        AND (group_place >= 0 AND option_place >= 0) IS NOT FALSE);
DROP INDEX audit.ix_inquiry_open;
CREATE UNIQUE INDEX ix_inquiry_open ON audit.inquiry (check_id, group_place, option_place) NULLS NOT DISTINCT
    WHERE state = 'asked';
"""


def upgrade() -> None:
    op.execute(_COLUMNS)


_BEFORE = """
DELETE FROM audit.inquiry WHERE group_place IS NOT NULL;
DROP INDEX audit.ix_inquiry_open;
CREATE UNIQUE INDEX ix_inquiry_open ON audit.inquiry (check_id) WHERE state = 'asked';
ALTER TABLE audit.inquiry DROP CONSTRAINT ck_inquiry_about, ALTER COLUMN credential_type SET NOT NULL,
    DROP COLUMN item, DROP COLUMN group_place, DROP COLUMN option_place, DROP COLUMN item_version,
    DROP COLUMN asked_on, DROP COLUMN held_on;
"""
"""What was asked of options has no place in the older table; the answers stand as receipts in the log."""


def downgrade() -> None:
    op.execute(_BEFORE)
