"""What runs over changed cases need is noted: mended registers, recipients to be told, stages that sources report.

Revision ID: 0039
"""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE supervision.duty_touched (
    organ TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_duty_touched PRIMARY KEY (organ)
);
COMMENT ON TABLE supervision.duty_touched IS
    'Organs whose duty register changed since the cards that reach nobody were last looked at.';

CREATE TABLE supervision.untold (
    recipient_id BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_untold PRIMARY KEY (recipient_id)
);
COMMENT ON TABLE supervision.untold IS
    'Recipients of cards whose text was not queued yet: a run that has the keys does it, and takes them away.';

CREATE TABLE supervision.told_stage (
    source_system_id SMALLINT NOT NULL,
    stage TEXT NOT NULL,
    CONSTRAINT pk_told_stage PRIMARY KEY (source_system_id, stage)
);
COMMENT ON TABLE supervision.told_stage IS
    'Which stages each source reports of its cases: a stage is missing only where it is reported for others.';
INSERT INTO supervision.told_stage
    SELECT DISTINCT c.source_system_id, t.stage
    FROM core.case_overview AS o JOIN core.approval_case AS c ON c.record_id = o.case_id
    CROSS JOIN LATERAL (VALUES
        ('accept', o.accept_first IS NOT NULL OR o.accepted_at IS NOT NULL),
        ('undertake', o.undertake_first IS NOT NULL), ('review', o.review_first IS NOT NULL),
        ('approve', o.approve_first IS NOT NULL), ('complete', o.complete_first IS NOT NULL)) AS t (stage, told)
    WHERE t.told;

CREATE INDEX ix_card_held ON supervision.card (case_id) WHERE state = 'held';
CREATE INDEX ix_card_unsealed ON supervision.card (card_id) WHERE seal IS NULL;
"""

# Who writes these rows never fails by it: what the notes are read by does not rest on their being there once.
_TRIGGERS = """
CREATE FUNCTION supervision.note_duty() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO supervision.duty_touched (organ) SELECT DISTINCT organ FROM changed ORDER BY 1 ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER note_entered AFTER INSERT ON supervision.duty REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION supervision.note_duty();
CREATE TRIGGER note_changed AFTER UPDATE ON supervision.duty REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION supervision.note_duty();
CREATE TRIGGER note_gone AFTER DELETE ON supervision.duty REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION supervision.note_duty();

CREATE FUNCTION supervision.note_recipient() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO supervision.untold (recipient_id) SELECT recipient_id FROM added ORDER BY 1;
    RETURN NULL;
END $$;
CREATE TRIGGER note_untold AFTER INSERT ON supervision.card_recipient REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION supervision.note_recipient();
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_TRIGGERS)
    # What stands is looked at by the first run after this.
    op.execute("INSERT INTO supervision.duty_touched (organ) SELECT DISTINCT organ FROM supervision.duty")
    op.execute("INSERT INTO supervision.untold (recipient_id) SELECT recipient_id FROM supervision.card_recipient")


def downgrade() -> None:
    op.execute("DROP TRIGGER note_untold ON supervision.card_recipient")
    op.execute("DROP FUNCTION supervision.note_recipient")
    op.execute("DROP TRIGGER note_entered ON supervision.duty")
    op.execute("DROP TRIGGER note_changed ON supervision.duty")
    op.execute("DROP TRIGGER note_gone ON supervision.duty")
    op.execute("DROP FUNCTION supervision.note_duty")
    op.execute("DROP INDEX supervision.ix_card_unsealed")
    op.execute("DROP INDEX supervision.ix_card_held")
    op.execute("DROP TABLE supervision.told_stage, supervision.untold, supervision.duty_touched")
