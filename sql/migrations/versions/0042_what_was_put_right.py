"""Readers by SQL see which fields of a record the hub put right, of the records that they may see.

Revision ID: 0042
"""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_MENDED = """
CREATE FUNCTION out.mended() RETURNS TABLE (record_id BIGINT, fields TEXT[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
    SELECT f.record_id, array_agg(DISTINCT f.pointer ORDER BY f.pointer)
    FROM quality.finding AS f
    WHERE f.rule = 'value_mended' AND f.state = 'open' AND (
        EXISTS (SELECT FROM core.credential AS c WHERE c.record_id = f.record_id AND (
            c.issuer = out.organ() OR c.credential_type IN (SELECT out.readable('credential_type'))))
        OR EXISTS (SELECT FROM core.approval_case AS a WHERE a.record_id = f.record_id AND (
            out.organ() IN (a.handling_organ, a.reporting_organ) OR a.item_code IN (SELECT out.readable('item'))))
        OR EXISTS (SELECT FROM core.decision AS d
            LEFT JOIN core.approval_case AS a
                ON a.source_system_id = d.source_system_id AND a.case_number = d.case_number
            WHERE d.record_id = f.record_id AND (
                out.organ() IN (d.organ, a.handling_organ, a.reporting_organ)
                OR a.item_code IN (SELECT out.readable('item')))))
    GROUP BY f.record_id
$$;
COMMENT ON FUNCTION out.mended() IS
    'The fields that the hub put right in records that the reader may see: what stands there is not what was sent.';
"""


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_finding_mended ON quality.finding (record_id) WHERE state = 'open' AND rule = 'value_mended'"
    )
    op.execute(_MENDED)


def downgrade() -> None:
    op.execute("DROP FUNCTION out.mended() CASCADE")  # the views are made anew by the next upgrade
    op.execute("DROP INDEX quality.ix_finding_mended")
