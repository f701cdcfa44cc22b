"""What is wrong with the data: one row a finding."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from sharedrepo.models.base import column, metadata

finding = sa.Table(
    "finding",
    metadata,
    column("finding_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("stream_id", sa.Integer(), nullable=False),
    column("record_id", sa.BigInteger()),
    column("case_id", sa.BigInteger()),
    column("unit", sa.Text()),
    column("row", sa.Integer()),
    column("rule", sa.Text(), nullable=False),
    column("effect", sa.Text(), nullable=False),
    column("field", sa.Text()),
    column("pointer", sa.Text()),
    column("shown", sa.Text()),
    column("sealed", BYTEA(), privacy="sensitive", info={"sealed": True}),
    column("detail", JSONB(), nullable=False, server_default=sa.text("'{}'")),
    column("waits", sa.Boolean(), nullable=False, server_default=sa.false()),
    column("state", sa.Text(), nullable=False, server_default="open"),
    column("batch_id", sa.BigInteger(), nullable=False),
    column("closed_by", sa.BigInteger()),
    column("seen", sa.BigInteger()),
    column("last_batch_id", sa.BigInteger()),
    sa.CheckConstraint("effect IN ('refuse', 'flag')", name="effect"),
    sa.CheckConstraint("state IN ('open', 'closed')", name="state"),
    sa.Index("ix_finding_record", "record_id", postgresql_where=sa.text("state = 'open'")),
    sa.Index("ix_finding_case", "case_id", postgresql_where=sa.text("state = 'open' AND case_id IS NOT NULL")),
    sa.Index("ix_finding_rule", "stream_id", "rule"),
    schema="quality",
    comment="One breach of one rule at one place. Raw values are sealed; only values of no person are shown.",
)
