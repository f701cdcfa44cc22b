"""What issuing departments are asked of what no feed can tell: their officers, and their systems."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from sharedrepo.models.base import column, instant, metadata

INQUIRY_STATES = ("asked", "answered", "overtaken", "withdrawn")
"""Nobody answered yet, an officer did, a feed was first, or the asker may no longer be told."""
INQUIRY_ANSWERS = ("yes", "no", "not_ours")
"""Whether all that is shown is right and holds on the day; `not_ours`: the department issues no such thing."""

inquiry = sa.Table(
    "inquiry",
    metadata,
    column("inquiry_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("check_id", UUID(as_uuid=False), nullable=False),
    column("client_id", sa.Integer(), nullable=False),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("issuer", sa.Text(), nullable=False, privacy="public"),
    column("credential_type", sa.Text(), privacy="public"),
    column("item", sa.Text(), privacy="public"),
    column("group_place", sa.Integer()),
    column("option_place", sa.Integer()),
    column("item_version", sa.Integer(), privacy="public"),
    column("asked_on", sa.Date()),
    column("held_on", sa.Date()),
    column("purpose", sa.Text(), nullable=False),
    column("state", sa.Text(), nullable=False, server_default="asked"),
    instant("asked_at", nullable=False, server_default=sa.text("now()")),
    column("due", sa.Date(), nullable=False),
    column("answer", sa.Text()),
    column("reason", sa.Text()),
    column("answered_by", sa.Text()),
    instant("ended_at"),
    sa.CheckConstraint(f"state IN ({', '.join(repr(one) for one in INQUIRY_STATES)})", name="state"),
    sa.CheckConstraint(f"answer IN ({', '.join(repr(one) for one in INQUIRY_ANSWERS)})", name="answer"),
    sa.CheckConstraint(
        "(state = 'asked') = (ended_at IS NULL) AND (state = 'answered') = (answer IS NOT NULL) "
        "AND (answer IS NULL) = (answered_by IS NULL) AND (answer IS NULL OR reason IS NOT NULL)",
        name="ended",
    ),
    sa.CheckConstraint(
        "num_nonnulls(credential_type, item) = 1 "
        "AND num_nonnulls(group_place, option_place, item_version, asked_on, held_on) "
        "= CASE WHEN group_place IS NULL THEN 0 ELSE 5 END "
        "AND (item IS NULL OR group_place IS NOT NULL) AND (group_place >= 0 AND option_place >= 0) IS NOT FALSE",
        name="about",
    ),
    sa.Index(
        "ix_inquiry_open",
        "check_id",
        "group_place",
        "option_place",
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("state = 'asked'"),
    ),
    sa.Index("ix_inquiry_check_id", "check_id", "inquiry_id"),
    sa.Index("ix_inquiry_issuer", "issuer", "state", "inquiry_id"),
    schema="audit",
    comment="协查核实: what an officer of the issuing department is asked where no feed can tell, and what was said.",
)

live_asked = sa.Table(
    "live_asked",
    metadata,
    column("source", sa.Text(), primary_key=True, privacy="public"),
    instant("minute", nullable=False),
    column("asked", sa.Integer(), nullable=False),
    schema="audit",
    comment="实时询问: how often each source was asked live for one record in the newest minute in which it was.",
)
