"""The work list: corrections of records, proposed and decided on, and the log of who did what."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from sharedrepo.models.base import column, instant, metadata

CORRECTION_STATUSES = ("proposed", "rejected", "applied", "lapsed")
"""Where a correction stands: a second person must decide, turned down, in force, overtaken by the source's own word."""

correction = sa.Table(
    "correction",
    metadata,
    column("correction_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("stream_id", sa.Integer(), nullable=False),
    column("record_id", sa.BigInteger(), nullable=False),
    column("waiting_id", sa.BigInteger()),
    column("received_hash", BYTEA(), nullable=False),
    column("base_hash", BYTEA(), nullable=False),
    column("fields", ARRAY(sa.Text()), nullable=False),
    column("sealed", BYTEA(), privacy="sensitive"),
    column("reason", sa.Text(), nullable=False),
    column("status", sa.Text(), nullable=False, server_default="proposed"),
    column("proposed_by", sa.Text(), nullable=False),
    instant("proposed_at", nullable=False),
    column("decided_by", sa.Text()),
    instant("decided_at"),
    column("decision", sa.Text()),
    column("batch_id", sa.BigInteger()),
    column("lapsed_by", sa.BigInteger()),
    sa.CheckConstraint(f"status IN ({', '.join(repr(one) for one in CORRECTION_STATUSES)})", name="status"),
    sa.CheckConstraint("decided_by <> proposed_by OR status = 'rejected'", name="four_eyes"),
    sa.Index("ix_correction_record", "record_id", postgresql_where=sa.text("status IN ('proposed', 'applied')")),
    sa.Index("ix_correction_waiting", "waiting_id"),
    schema="quality",
    comment="更正: changed raw fields of one record, proposed by one and decided on by another; the values are locked.",
)

work_log = sa.Table(
    "work_log",
    metadata,
    column("work_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    instant("at", nullable=False, server_default=sa.text("now()")),
    column("actor", sa.Text(), nullable=False),
    column("what", sa.Text(), nullable=False),
    column("stream_id", sa.Integer()),
    column("waiting_id", sa.BigInteger()),
    column("record_id", sa.BigInteger()),
    column("correction_id", sa.BigInteger()),
    column("reason", sa.Text()),
    column("detail", JSONB(), nullable=False, server_default=sa.text("'{}'")),
    sa.Index("ix_work_log_record", "record_id"),
    sa.Index("ix_work_log_at", "at"),
    schema="quality",
    comment="处理日志: who revealed, proposed, approved, rejected, waived or returned what, and when.",
)
