"""The shared repository: canonical tables, their history twins, the ledger and the findings.

Revision ID: 0001
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)  # the driver itself: the script holds percent signs


def downgrade() -> None:
    for schema in ("out", "quality", "ledger", "core_history", "core"):
        op.execute(f"DROP SCHEMA {schema} CASCADE")
