"""The one derived table: what is known of a case at a glance, kept for touched cases inside the batch's transaction."""

from __future__ import annotations

import sqlalchemy as sa

from sharedrepo.models.base import column, instant, metadata

STAGES = ("accept", "undertake", "review", "approve", "complete")
"""The five stages of e-supervision, in their order: 受理 承办 审核 批准 办结."""

case_overview = sa.Table(
    "case_overview",
    metadata,
    column("case_id", sa.BigInteger(), primary_key=True, autoincrement=False),
    column("state", sa.Text(), nullable=False, privacy="public"),
    column("events", sa.Integer(), nullable=False),
    instant("applied_at"),
    instant("accepted_at"),
    instant("due_at"),
    *(instant(f"{stage}_first") for stage in STAGES),
    instant("closed_at"),
    column("closing_outcome", sa.Text(), privacy="public"),
    column("pauses_open", sa.Integer(), nullable=False),
    instant("last_reported_at"),
    sa.CheckConstraint(
        "state IN ('applied', 'not_accepted', 'accepted', 'in_progress', 'suspended', 'closed')", name="state"
    ),
    schema="core",
    comment="办件概览: the present state of a case, derived from the rows of the case family.",
)
