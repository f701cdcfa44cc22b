"""E-supervision's cards: rules and their runs, cards with their deeds, withdrawals and orders, and who is on duty."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from sharedrepo.models.base import column, instant, metadata

SCHEMA = "supervision"
LEVELS = ("warning", "yellow", "red")
"""预警, 黄牌, 红牌: how grave a card is, in rising order."""
KINDS = ("time", "process", "content", "fee", "item", "statistical")
"""时限, 流程, 内容, 收费, 事项, 统计: what a rule looks at."""
SCOPES = ("case", "stage", "month", "card")
"""What a rule judges: a whole case, one round of a stage, a month of an organ, or a card that came before."""
CARD_STATES = ("held", "sent", "answered", "appealed", "upheld", "withdrawn", "lapsed")
"""暂缓, 已发出, 已反馈, 申诉中, 维持, 已摘牌, 已失效: where a card stands in its life."""
ROLES = ("handler", "division_head", "discipline_officer", "leader_in_charge", "deputy")
"""承办人, 处室负责人, 纪检监察人员, 分管领导, 代理人: the duties that cards are sent to."""
CAUSES = ("corrected", "objective", "late_feed", "data_error")
"""已整改, 客观原因, 数据报送迟延, 数据差错: why a card is taken down; all but the first need a second person."""


def _one_of(name: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{name} IN ({', '.join(repr(one) for one in words)})", name=name)


rule = sa.Table(
    "rule",
    metadata,
    column("code", sa.Text(), primary_key=True, privacy="public"),
    column("version", sa.Integer(), primary_key=True, autoincrement=False, privacy="public"),
    column("kind", sa.Text(), nullable=False, privacy="public"),
    column("level", sa.Text(), nullable=False, privacy="public"),
    column("scope", sa.Text(), nullable=False, privacy="public"),
    column("basis", JSONB(), nullable=False, privacy="public"),
    column("recipients", ARRAY(sa.Text()), nullable=False, privacy="public"),
    column("feedback_days", sa.Integer(), nullable=False, privacy="public"),
    column("repeat_days", sa.Integer(), privacy="public"),
    column("since", sa.Date(), privacy="public"),
    column("enabled", sa.Boolean(), nullable=False, privacy="public"),
    column("holds_from", sa.Date(), privacy="public"),
    column("title_zh", sa.Text(), nullable=False, privacy="public"),
    column("title_en", sa.Text(), nullable=False, privacy="public"),
    column("source_zh", sa.Text(), nullable=False, privacy="public"),
    column("source_en", sa.Text(), nullable=False, privacy="public"),
    column("actor", sa.Text(), nullable=False),
    column("reason", sa.Text(), nullable=False),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    _one_of("kind", KINDS),
    _one_of("level", LEVELS),
    _one_of("scope", SCOPES),
    sa.CheckConstraint("feedback_days BETWEEN 1 AND 250", name="feedback_days"),
    sa.CheckConstraint("repeat_days BETWEEN 1 AND 250", name="repeat_days"),
    sa.CheckConstraint("reason <> ''", name="reason"),
    schema=SCHEMA,
    comment="监察规则: each version of each rule; the highest one holds, none changes. Rows are only added.",
)

rule_run = sa.Table(
    "rule_run",
    metadata,
    column("rule_run_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("run", sa.BigInteger(), nullable=False, index=True),
    column("code", sa.Text(), nullable=False, privacy="public"),
    column("version", sa.Integer(), nullable=False, privacy="public"),
    instant("as_of", nullable=False),
    column("scope", sa.Text(), nullable=False),
    column("cases", sa.BigInteger(), nullable=False),
    column("found", sa.BigInteger(), nullable=False),
    column("past", sa.BigInteger(), nullable=False, server_default="0"),
    column("raised", sa.BigInteger(), nullable=False),
    column("held", sa.BigInteger(), nullable=False),
    column("milliseconds", sa.Integer(), nullable=False),
    instant("at", nullable=False, server_default=sa.text("clock_timestamp()")),
    _one_of("scope", ("full", "touched")),
    sa.Index("ix_rule_run_code", "code", "at"),
    schema=SCHEMA,
    comment="规则运行: each time that a rule was judged: over how many cases, what it found and raised. Only added.",
)

told_stage = sa.Table(
    "told_stage",
    metadata,
    column("source_system_id", sa.SmallInteger(), primary_key=True, autoincrement=False),
    column("stage", sa.Text(), primary_key=True, privacy="public"),
    schema=SCHEMA,
    comment="Which stages each source reports of its cases: a stage is missing only where it is reported for others.",
)

beginning = sa.Table(
    "beginning",
    metadata,
    column("beginning_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("day", sa.Date(), nullable=False, privacy="public"),
    column("actor", sa.Text(), nullable=False),
    column("reason", sa.Text(), nullable=False),
    instant("at", nullable=False, server_default=sa.text("now()")),
    sa.CheckConstraint("reason <> ''", name="reason"),
    schema=SCHEMA,
    comment="监察起始日: on which day supervision began here; the newest row holds. Rows are only added.",
)

card = sa.Table(
    "card",
    metadata,
    column("card_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("number", sa.Text(), nullable=False, unique=True),
    column("subject", sa.Text(), nullable=False),
    column("clock", sa.Text(), nullable=False),
    column("level", sa.Text(), nullable=False),
    column("kind", sa.Text(), nullable=False),
    column("rule", sa.Text(), nullable=False),
    column("rule_version", sa.Integer(), nullable=False),
    column("case_id", sa.BigInteger()),
    column("organ", sa.Text(), privacy="public"),
    column("region", sa.Text(), privacy="public"),
    column("item_code", sa.Text(), privacy="public"),
    column("stage", sa.Text(), privacy="public"),
    column("round", sa.Integer()),
    column("state", sa.Text(), nullable=False),
    instant("raised_at", nullable=False),
    instant("moment"),
    instant("sent_at"),
    instant("due_at"),
    instant("ended_at"),
    instant("contradicted_at"),
    column("escalated_from", sa.BigInteger()),
    column("evidence", JSONB(), nullable=False),
    column("seal", sa.Text()),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    _one_of("level", LEVELS),
    _one_of("kind", KINDS),
    _one_of("state", CARD_STATES),
    sa.CheckConstraint("(state IN ('held', 'lapsed')) = (sent_at IS NULL)", name="sent"),
    sa.CheckConstraint("(state IN ('upheld', 'withdrawn', 'lapsed')) = (ended_at IS NOT NULL)", name="ended"),
    sa.Index("uq_card_once", "subject", "clock", "level", unique=True, postgresql_where=sa.text("state <> 'lapsed'")),
    sa.Index("ix_card_open", "organ", "level", postgresql_where=sa.text("ended_at IS NULL")),
    sa.Index("ix_card_case", "case_id"),
    sa.Index("ix_card_raised_at", "raised_at"),
    sa.Index("ix_card_held", "case_id", postgresql_where=sa.text("state = 'held'")),
    sa.Index("ix_card_unsealed", "card_id", postgresql_where=sa.text("seal IS NULL")),
    schema=SCHEMA,
    comment="监察牌: a warning, yellow or red card on one clock of a case, or a month of an organ; sealed evidence.",
)  # fmt: skip

card_deed = sa.Table(
    "card_deed",
    metadata,
    column("deed_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("card_id", sa.BigInteger(), sa.ForeignKey(card.c.card_id), nullable=False, index=True),
    instant("at", nullable=False),
    column("actor", sa.Text(), nullable=False),
    column("what", sa.Text(), nullable=False),
    column("reason", sa.Text()),
    column("ground", sa.Text()),
    column("detail", JSONB(), nullable=False, server_default=sa.text("'{}'")),
    sa.Index("uq_card_deed_ground", "card_id", "ground", unique=True, postgresql_where=sa.text("ground IS NOT NULL")),
    schema=SCHEMA,
    comment="监察牌留痕: each deed on a card: who, when, what and why. Rows are only added.",
)  # fmt: skip

card_recipient = sa.Table(
    "card_recipient",
    metadata,
    column("recipient_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("card_id", sa.BigInteger(), sa.ForeignKey(card.c.card_id), nullable=False),
    column("duty_id", sa.BigInteger(), nullable=False),
    column("why", sa.Text(), nullable=False),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("role", sa.Text(), nullable=False),
    column("staff", sa.Text(), nullable=False),
    column("name_mask", sa.Text()),
    column("phone_mask", sa.Text()),
    instant("at", nullable=False),
    _one_of("why", ("duty", "deputy", "feed_owner")),
    sa.UniqueConstraint("card_id", "duty_id", name="uq_card_recipient_once"),
    schema=SCHEMA,
    comment="收牌人: who held which duty on the day that a card was sent, or keeps the feed that a held one waits for.",
)

untold = sa.Table(
    "untold",
    metadata,
    column("recipient_id", sa.BigInteger(), primary_key=True, autoincrement=False),
    instant("at", nullable=False, server_default=sa.text("now()")),
    schema=SCHEMA,
    comment="Recipients of cards whose text was not queued yet: a run that has the keys does it, and takes them away.",
)

card_series = sa.Table(
    "card_series",
    metadata,
    column("prefix", sa.Text(), primary_key=True),
    column("year", sa.Integer(), primary_key=True, autoincrement=False),
    column("last", sa.BigInteger(), nullable=False),
    schema=SCHEMA,
    comment="编号: the last number of each series of cards and orders in a year.",
)

withdrawal = sa.Table(
    "withdrawal",
    metadata,
    column("withdrawal_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("card_id", sa.BigInteger(), sa.ForeignKey(card.c.card_id), nullable=False, index=True),
    column("cause", sa.Text(), nullable=False),
    column("reason", sa.Text(), nullable=False),
    column("state", sa.Text(), nullable=False, server_default="asked"),
    column("asked_by", sa.Text(), nullable=False),
    instant("asked_at", nullable=False),
    column("answered_by", sa.Text()),
    instant("answered_at"),
    column("answer", sa.Text()),
    _one_of("cause", CAUSES),
    _one_of("state", ("asked", "granted", "refused")),
    sa.CheckConstraint("reason <> ''", name="reason"),
    sa.CheckConstraint(
        "state = 'asked' OR (answered_by IS NOT NULL AND (answered_by <> asked_by OR cause = 'corrected'))",
        name="four_eyes",
    ),
    sa.Index("uq_withdrawal_asked", "card_id", unique=True, postgresql_where=sa.text("state = 'asked'")),
    schema=SCHEMA,
    comment="摘牌: that a card is to be taken down, why, and what a second person said of it.",
)

card_order = sa.Table(
    "card_order",
    metadata,
    column("order_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("number", sa.Text(), nullable=False, unique=True),
    column("card_id", sa.BigInteger(), sa.ForeignKey(card.c.card_id), nullable=False, index=True),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("opinion", sa.Text(), nullable=False),
    column("limit_days", sa.Integer(), nullable=False),
    column("issued_by", sa.Text(), nullable=False),
    instant("issued_at", nullable=False),
    instant("due_at", nullable=False),
    column("state", sa.Text(), nullable=False, server_default="open"),
    column("answer", sa.Text()),
    column("answered_by", sa.Text()),
    instant("answered_at"),
    column("verdict", sa.Text()),
    column("closed_by", sa.Text()),
    instant("closed_at"),
    _one_of("state", ("open", "answered", "closed")),
    sa.CheckConstraint("opinion <> ''", name="opinion"),
    sa.CheckConstraint("limit_days BETWEEN 1 AND 250", name="limit_days"),
    sa.CheckConstraint("(state = 'open') = (answered_at IS NULL)", name="answered"),
    sa.CheckConstraint("state <> 'closed' OR (closed_by IS NOT NULL AND closed_by <> answered_by)", name="four_eyes"),
    schema=SCHEMA,
    comment="督办: an order of the supervisors over a card, with its own limit, the opinion, the answer and its end.",
)

duty = sa.Table(
    "duty",
    metadata,
    column("duty_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("unit", sa.Text(), nullable=False, server_default="", privacy="public"),
    column("role", sa.Text(), nullable=False),
    column("staff", sa.Text(), nullable=False),
    column("name_hash", BYTEA(), privacy="personal", info={"hash": "name"}),
    column("name_mask", sa.Text(), info={"protects": "name"}),
    column("phone_hash", BYTEA(), privacy="personal", info={"hash": "phone"}),
    column("phone_mask", sa.Text(), info={"protects": "phone"}),
    column("sealed", BYTEA(), privacy="sensitive", info={"sealed": True}),
    column("valid_from", sa.Date(), nullable=False),
    column("valid_to", sa.Date()),
    column("deputy_of", sa.Text(), nullable=False, server_default=""),
    column("content_hash", BYTEA(), nullable=False),
    _one_of("role", ROLES),
    sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="days"),
    sa.CheckConstraint("(role = 'deputy') = (deputy_of <> '')", name="deputy_of"),
    sa.UniqueConstraint("organ", "unit", "role", "staff", "deputy_of", "valid_from", name="uq_duty_once"),
    sa.Index("ix_duty_days", "organ", "role", "valid_from"),
    schema=SCHEMA,
    comment="值守名册: who holds which duty of an organ from which day to which; names and phones are protected.",
)

duty_touched = sa.Table(
    "duty_touched",
    metadata,
    column("organ", sa.Text(), primary_key=True, privacy="public"),
    instant("at", nullable=False, server_default=sa.text("now()")),
    schema=SCHEMA,
    comment="Organs whose duty register changed since the cards that reach nobody were last looked at.",
)

duty_deed = sa.Table(
    "duty_deed",
    metadata,
    column("deed_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    instant("at", nullable=False, server_default=sa.text("now()")),
    column("duty_id", sa.BigInteger(), nullable=False, index=True),
    column("actor", sa.Text(), nullable=False),
    column("what", sa.Text(), nullable=False),
    column("reason", sa.Text(), nullable=False),
    column("detail", JSONB(), nullable=False),
    _one_of("what", ("entered", "changed", "ended")),
    schema=SCHEMA,
    comment="名册留痕: each change of the duty register, with masks only. Rows are only added.",
)
