"""Files of very many checks: a row a file, a row a part of it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from sharedrepo.models.base import column, instant, metadata

STATES = ("waiting", "done", "stopped")
"""Parts wait still, all are answered, or the rest may no longer be answered."""

check_job = sa.Table(
    "check_job",
    metadata,
    column("job_id", UUID(as_uuid=False), primary_key=True),
    column("client_id", sa.Integer(), nullable=False),
    column("state", sa.Text(), nullable=False, server_default="waiting"),
    column("reason", sa.Text()),
    column("questions", sa.Integer(), nullable=False),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    instant("ended_at"),
    sa.CheckConstraint(f"state IN ({', '.join(repr(one) for one in STATES)})", name="state"),
    sa.Index("ix_check_job_waiting", "made_at", postgresql_where=sa.text("state = 'waiting'")),
    schema="audit",
    comment="批量核验: a file of checks that a client sent, and how far it is answered; goes some days after its end.",
)

check_job_part = sa.Table(
    "check_job_part",
    metadata,
    column("job_id", UUID(as_uuid=False), sa.ForeignKey(check_job.c.job_id, ondelete="CASCADE"), primary_key=True),
    column("part", sa.Integer(), primary_key=True, autoincrement=False),
    column("size", sa.Integer(), nullable=False),
    column("questions", BYTEA(), privacy="sensitive"),
    column("answers", BYTEA(), privacy="sensitive"),
    instant("leased_until", nullable=False, server_default=sa.text("'-infinity'")),
    instant("answered_at"),
    schema="audit",
    comment="Up to a thousand questions of a file, locked; when they are answered, the answers stand in their place.",
)
