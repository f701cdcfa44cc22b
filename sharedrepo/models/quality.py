"""What is wrong with the data: a row a breach, a row a fault with its life, what sets show, and scores a day."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from sharedrepo.models.base import column, instant, metadata

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
    sa.Index("ix_finding_mended", "record_id", postgresql_where=sa.text("state = 'open' AND rule = 'value_mended'")),
    schema="quality",
    comment="One breach of one rule at one place. Raw values are sealed; only values of no person are shown.",
)

NO_STREAM = 0
"""The stream of an issue that no stream shows: supervision found it."""

STATUSES = ("new", "acknowledged", "waiting", "fixed", "accepted", "snoozed")
"""Where the work on an issue stands: unseen, taken up, with the department, gone, borne with a reason, put off."""

issue = sa.Table(
    "issue",
    metadata,
    column("issue_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("code", sa.Text(), nullable=False, unique=True, privacy="public"),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("stream_id", sa.Integer(), nullable=False),
    column("rule", sa.Text(), nullable=False, privacy="public"),
    column("field", sa.Text(), nullable=False, server_default="", privacy="public"),
    column("status", sa.Text(), nullable=False, server_default="new"),
    column("severity", sa.Text(), nullable=False),
    column("records", sa.BigInteger(), nullable=False),
    column("of_records", sa.BigInteger(), nullable=False),
    instant("first_seen", nullable=False),
    instant("last_seen", nullable=False),
    column("owner", sa.Text(), nullable=False),
    column("assignee", sa.Text()),
    column("due_on", sa.Date()),
    column("snoozed_until", sa.Date()),
    column("reason", sa.Text()),
    column("level", sa.SmallInteger(), nullable=False, server_default="0"),
    instant("alerted_at"),
    instant("closed_at"),
    column("accepted_records", sa.BigInteger()),
    column("due_provisional", sa.Boolean(), nullable=False, server_default=sa.false()),
    column("climbs_on", sa.Date()),
    sa.CheckConstraint(f"status IN ({', '.join(repr(one) for one in STATUSES)})", name="status"),
    sa.CheckConstraint("severity IN ('high', 'medium', 'low')", name="severity"),
    sa.UniqueConstraint("organ", "stream_id", "rule", "field"),
    sa.Index("ix_issue_open", "organ", postgresql_where=sa.text("closed_at IS NULL")),
    schema="quality",
    comment="问题单: one fault of one department's stream, however many records show it, with its life.",
)

issue_event = sa.Table(
    "issue_event",
    metadata,
    column("event_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("issue_id", sa.BigInteger(), sa.ForeignKey(issue.c.issue_id), nullable=False, index=True),
    instant("at", nullable=False, server_default=sa.text("now()")),
    column("actor", sa.Text(), nullable=False),
    column("what", sa.Text(), nullable=False),
    column("reason", sa.Text()),
    column("detail", JSONB(), nullable=False, server_default=sa.text("'{}'")),
    schema="quality",
    comment="Each step in the life of an issue: who did what, when and why. Rows are only added.",
)

set_result = sa.Table(
    "set_result",
    metadata,
    column("result_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("run_id", sa.BigInteger(), nullable=False, index=True),
    instant("at", nullable=False),
    column("suite", sa.Text(), nullable=False),
    column("expectation", sa.Text(), nullable=False),
    column("rule", sa.Text(), nullable=False),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("stream_id", sa.Integer(), nullable=False),
    column("field", sa.Text(), nullable=False, server_default=""),
    column("success", sa.Boolean(), nullable=False),
    column("unexpected", sa.BigInteger(), nullable=False),
    column("elements", sa.BigInteger(), nullable=False),
    column("detail", JSONB(), nullable=False, server_default=sa.text("'{}'")),
    column("latest", sa.Boolean(), nullable=False, server_default=sa.true()),
    sa.Index("ix_set_result_latest", "organ", "stream_id", postgresql_where=sa.text("latest")),
    schema="quality",
    comment="What each expectation on a set of an organ's records found; `latest` marks its suite's last run.",
)

handed_fault = sa.Table(
    "handed_fault",
    metadata,
    column("rule", sa.Text(), primary_key=True, privacy="public"),
    column("organ", sa.Text(), primary_key=True, privacy="public"),
    column("records", sa.BigInteger(), nullable=False),
    column("of_records", sa.BigInteger(), nullable=False),
    instant("since", nullable=False),
    column("places", JSONB(), nullable=False, server_default=sa.text("'[]'")),
    sa.CheckConstraint("records BETWEEN 1 AND of_records", name="records"),
    schema="quality",
    comment="What a part above the findings found wrong when it looked last: a row a rule and organ, with some places.",
)

handed_look = sa.Table(
    "handed_look",
    metadata,
    column("rule", sa.Text(), primary_key=True, privacy="public"),
    instant("at", nullable=False),
    schema="quality",
    comment="When a part above the findings looked last for what breaks a rule: what is gone since then is mended.",
)

daily = sa.Table(
    "daily",
    metadata,
    column("organ", sa.Text(), primary_key=True, privacy="public"),
    column("day", sa.Date(), primary_key=True),
    column("stream_id", sa.Integer(), primary_key=True, autoincrement=False),
    column("rule", sa.Text(), primary_key=True),
    column("field", sa.Text(), primary_key=True, server_default=""),
    column("records", sa.BigInteger(), nullable=False),
    sa.Index("ix_daily_day", "day"),
    schema="quality",
    comment="How many records showed each fault at the end of each day.",
)

score = sa.Table(
    "score",
    metadata,
    column("organ", sa.Text(), primary_key=True, privacy="public"),
    column("day", sa.Date(), primary_key=True),
    column("stream_id", sa.Integer(), primary_key=True, autoincrement=False),
    column("document", sa.Text(), primary_key=True, server_default=""),
    column("dimension", sa.Text(), primary_key=True, server_default=""),
    column("clean", sa.BigInteger(), nullable=False),
    column("records", sa.BigInteger(), nullable=False),
    sa.CheckConstraint("clean BETWEEN 0 AND records", name="clean"),
    sa.Index("ix_score_day", "day"),
    schema="quality",
    comment="质量得分: clean ÷ records of a day; document and dimension are empty where all of them are meant.",
)

bound = sa.Table(
    "bound",
    metadata,
    column("bound_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("source", sa.Text(), nullable=False),
    column("stream", sa.Text(), nullable=False),
    column("measure", sa.Text(), nullable=False, server_default="rows"),
    column("least", sa.Numeric()),
    column("most", sa.Numeric()),
    column("reason", sa.Text(), nullable=False),
    column("actor", sa.Text(), nullable=False),
    instant("at", nullable=False, server_default=sa.text("now()")),
    column("latest", sa.Boolean(), nullable=False, server_default=sa.true()),
    sa.CheckConstraint("reason <> ''", name="reason"),
    sa.CheckConstraint("least <= most", name="order"),
    sa.Index("ix_bound_latest", "source", "stream", "measure", unique=True, postgresql_where=sa.text("latest")),
    schema="quality",
    comment="Bounds that people set over those of source.yml, each with its reason; `latest` marks the one that holds.",
)

alert = sa.Table(
    "alert",
    metadata,
    column("alert_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    instant("at", nullable=False, server_default=sa.text("now()")),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("gateway", sa.Text(), nullable=False),
    column("issues", ARRAY(sa.Text()), nullable=False),
    column("delivered", sa.Boolean(), nullable=False),
    sa.Index("ix_alert_at", "at"),
    schema="quality",
    comment="What was sent to whom: one row a message and gateway, tried again where it was not delivered.",
)
