"""How an open pause moves a due moment stands once, for cases and for stages.

Revision ID: 0035
"""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

# A function that returns a row and is called in FROM is put into the query in place of its call, so that it costs what
# its text would.
_STANDING = """
CREATE FUNCTION supervision.standing(
    calendar TEXT, unit TEXT, ended BOOLEAN, due TIMESTAMP WITH TIME ZONE, due_ordinal INTEGER,
    paused_since TIMESTAMP WITH TIME ZONE, paused_ordinal INTEGER, started_ordinal INTEGER, paused_days INTEGER,
    today DATE, ordinal INTEGER, at TIMESTAMP WITH TIME ZONE
) RETURNS TABLE (due_at TIMESTAMP WITH TIME ZONE, used INTEGER) LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT
        CASE
            WHEN standing.paused_since IS NULL OR standing.ended THEN standing.due
            WHEN standing.unit = 'hour' THEN standing.due + (standing.at - standing.paused_since)
            WHEN standing.unit = 'working_day' THEN (
                SELECT (s.day + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai' FROM supervision.day AS s
                WHERE s.calendar = standing.calendar AND s.works
                  AND s.ordinal = standing.due_ordinal + greatest(standing.ordinal - standing.paused_ordinal, 0))
            ELSE (
                SELECT (s.day + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai' FROM supervision.day AS s
                WHERE s.calendar = standing.calendar AND s.works
                  AND s.day >= (standing.due AT TIME ZONE 'Asia/Shanghai')::date
                      + greatest(standing.today - (standing.paused_since AT TIME ZONE 'Asia/Shanghai')::date, 0)
                ORDER BY s.day LIMIT 1)
        END,
        greatest(
            coalesce(standing.paused_ordinal, standing.ordinal) - standing.started_ordinal - standing.paused_days, 0)
$$;
"""


def upgrade() -> None:
    op.execute(_STANDING)


def downgrade() -> None:
    op.execute("DROP FUNCTION supervision.standing CASCADE")
