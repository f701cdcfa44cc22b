"""An open pause moves the end of the limit, or of the extension, in which it began, each by its own unit.

Revision ID: 0041
"""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_COLUMNS = """
ALTER TABLE supervision.clock ADD COLUMN stop_unit TEXT, ADD COLUMN stop_from TIMESTAMP WITH TIME ZONE,
    ADD COLUMN stop_end TIMESTAMP WITH TIME ZONE, ADD COLUMN then_value INTEGER, ADD COLUMN then_unit TEXT;
ALTER TABLE supervision.clock_stage ADD COLUMN stop_end TIMESTAMP WITH TIME ZONE;
INSERT INTO supervision.touched (case_id)
    SELECT case_id FROM supervision.clock WHERE paused_since IS NOT NULL
    UNION SELECT case_id FROM supervision.clock_stage WHERE paused_since IS NOT NULL;
"""

# Where a term ends that a pause has stopped so far, and where what follows it ends: few cases have both.
_MOVED = """
CREATE FUNCTION supervision.moved(
    calendar TEXT, unit TEXT, from_at TIMESTAMP WITH TIME ZONE, end_at TIMESTAMP WITH TIME ZONE,
    today DATE, ordinal INTEGER, at TIMESTAMP WITH TIME ZONE
) RETURNS TIMESTAMP WITH TIME ZONE LANGUAGE sql STABLE AS $$
    SELECT CASE moved.unit
        WHEN 'hour' THEN moved.end_at + greatest(moved.at - moved.from_at, INTERVAL '0')
        WHEN 'working_day' THEN (
            SELECT (s.day + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai'
            FROM supervision.day AS f, supervision.day AS e, supervision.day AS s
            WHERE f.calendar = moved.calendar AND f.day = (moved.from_at AT TIME ZONE 'Asia/Shanghai')::date
              AND e.calendar = moved.calendar AND e.day = (moved.end_at AT TIME ZONE 'Asia/Shanghai')::date
              AND s.calendar = moved.calendar AND s.works
              AND s.ordinal = e.ordinal + greatest(moved.ordinal - f.ordinal, 0))
        ELSE (
            SELECT (s.day + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai' FROM supervision.day AS s
            WHERE s.calendar = moved.calendar AND s.works
              AND s.day >= (moved.end_at AT TIME ZONE 'Asia/Shanghai')::date
                  + greatest(moved.today - (moved.from_at AT TIME ZONE 'Asia/Shanghai')::date, 0)
            ORDER BY s.day LIMIT 1)
    END
$$;
CREATE FUNCTION supervision.after(calendar TEXT, start_at TIMESTAMP WITH TIME ZONE, value INTEGER, unit TEXT)
RETURNS TIMESTAMP WITH TIME ZONE LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN after.unit = 'hour' THEN after.start_at + make_interval(hours => after.value)
        ELSE (
            SELECT (s.day + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai'
            FROM supervision.day AS b, supervision.day AS s
            WHERE b.calendar = after.calendar AND b.day = (after.start_at AT TIME ZONE 'Asia/Shanghai')::date
              AND s.calendar = after.calendar AND s.works AND CASE after.unit
                  WHEN 'working_day' THEN s.ordinal = b.ordinal + after.value
                  ELSE s.day >= CASE after.unit WHEN 'calendar_day' THEN b.day + after.value
                      WHEN 'month' THEN (b.day + make_interval(months => after.value))::date
                      WHEN 'year' THEN (b.day + make_interval(years => after.value))::date END END
            ORDER BY s.day LIMIT 1)
    END
$$;
"""

# A function that returns a row and is called in FROM is put into the query in place of its call, so that it costs what
# its text would. Where nothing follows what is stopped, almost always, no other function is called; a pause in an
# extension of working days, which may take effect later than it began, is followed by none of them.
_STANDING = """
DROP FUNCTION supervision.standing CASCADE;
CREATE FUNCTION supervision.standing(
    calendar TEXT, ended BOOLEAN, due TIMESTAMP WITH TIME ZONE, due_ordinal INTEGER,
    paused_ordinal INTEGER, started_ordinal INTEGER, paused_days INTEGER,
    stop_unit TEXT, stop_from TIMESTAMP WITH TIME ZONE, stop_end TIMESTAMP WITH TIME ZONE,
    then_value INTEGER, then_unit TEXT, today DATE, ordinal INTEGER, at TIMESTAMP WITH TIME ZONE
) RETURNS TABLE (due_at TIMESTAMP WITH TIME ZONE, due_ordinal INTEGER, used INTEGER) LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT m.due_at,
        CASE
            WHEN standing.stop_end IS NULL OR standing.ended THEN standing.due_ordinal
            WHEN standing.stop_unit = 'working_day' AND standing.then_value IS NULL THEN
                standing.due_ordinal + greatest(standing.ordinal - standing.paused_ordinal, 0)
            ELSE (
                SELECT s.ordinal FROM supervision.day AS s WHERE s.calendar = standing.calendar
                  AND s.day = (m.due_at AT TIME ZONE 'Asia/Shanghai')::date)
        END,
        greatest(
            coalesce(standing.paused_ordinal, standing.ordinal) - standing.started_ordinal - standing.paused_days, 0)
    FROM (
        SELECT CASE
            WHEN standing.stop_end IS NULL OR standing.ended THEN standing.due
            WHEN standing.then_value IS NOT NULL THEN supervision.after(standing.calendar, supervision.moved(
                standing.calendar, standing.stop_unit, standing.stop_from, standing.stop_end, standing.today,
                standing.ordinal, standing.at), standing.then_value, standing.then_unit)
            WHEN standing.stop_unit = 'hour' THEN
                standing.stop_end + greatest(standing.at - standing.stop_from, INTERVAL '0')
            WHEN standing.stop_unit = 'working_day' THEN (
                SELECT (s.day + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai' FROM supervision.day AS s
                WHERE s.calendar = standing.calendar AND s.works
                  AND s.ordinal = standing.due_ordinal + greatest(standing.ordinal - standing.paused_ordinal, 0))
            ELSE (
                SELECT (s.day + TIME '23:59:59') AT TIME ZONE 'Asia/Shanghai' FROM supervision.day AS s
                WHERE s.calendar = standing.calendar AND s.works
                  AND s.day >= (standing.stop_end AT TIME ZONE 'Asia/Shanghai')::date
                      + greatest(standing.today - (standing.stop_from AT TIME ZONE 'Asia/Shanghai')::date, 0)
                ORDER BY s.day LIMIT 1)
        END AS due_at
    ) AS m
$$;
"""

_BEFORE = """
DROP FUNCTION supervision.standing CASCADE;
DROP FUNCTION supervision.after;
DROP FUNCTION supervision.moved;
CREATE FUNCTION supervision.standing(
    calendar TEXT, unit TEXT, ended BOOLEAN, due TIMESTAMP WITH TIME ZONE, due_ordinal INTEGER,
    paused_since TIMESTAMP WITH TIME ZONE, paused_ordinal INTEGER, started_ordinal INTEGER, paused_days INTEGER,
    today DATE, ordinal INTEGER, at TIMESTAMP WITH TIME ZONE
) RETURNS TABLE (due_at TIMESTAMP WITH TIME ZONE, used INTEGER) LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT standing.due, greatest(
        coalesce(standing.paused_ordinal, standing.ordinal) - standing.started_ordinal - standing.paused_days, 0)
$$;
ALTER TABLE supervision.clock_stage DROP COLUMN stop_end;
ALTER TABLE supervision.clock DROP COLUMN stop_unit, DROP COLUMN stop_from, DROP COLUMN stop_end,
    DROP COLUMN then_value, DROP COLUMN then_unit;
"""


def upgrade() -> None:
    op.execute(_COLUMNS)
    op.execute(_MOVED)
    op.execute(_STANDING)


def downgrade() -> None:
    op.execute(_BEFORE)
