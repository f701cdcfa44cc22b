"""Verification: what may be shared and with whom, which feeds speak of what, and the log of every check."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

from sharedrepo.models.base import column, instant, metadata

SHARED_KINDS = ("credential_type", "item")
"""What a sharing class is given to, and what a grant speaks of."""
SHARING_CLASSES = ("unconditional", "conditional", "none")
"""无条件共享, 有条件共享, 不予共享. What has no class is not shared."""
GRANT_STATES = ("asked", "granted", "refused", "ended")
"""Where a grant stands: a department asked for it, it holds, it was turned down, it was taken back."""

TOPICS = ("recall", "credential", "card", "case")
"""What is subscribed to: recalls of own checks, changes of credentials of a type, own cards, cases of an item."""
VERDICTS = ("explained", "misuse")
"""What the personal-data officer found of a check whose case was never found."""
DELIVERY_STATES = ("waiting", "delivered", "given_up", "withheld")
"""A notice is to be sent, was taken, was not taken within a day, or may no longer be sent."""


def _one_of(name: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{name} IN ({', '.join(repr(one) for one in words)})", name=name)


sharing = sa.Table(
    "sharing",
    metadata,
    column("sharing_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("kind", sa.Text(), nullable=False, privacy="public"),
    column("code", sa.Text(), nullable=False, privacy="public"),
    column("class", sa.Text(), nullable=False, privacy="public"),
    column("legal_ground", sa.Text(), nullable=False, privacy="public"),
    column("fresh_hours", sa.Integer(), nullable=False, server_default="24", privacy="public"),
    column("stale_allowed", sa.Boolean(), nullable=False, server_default=sa.false(), privacy="public"),
    column("set_by", sa.Text(), nullable=False),
    instant("set_at", nullable=False, server_default=sa.text("now()")),
    instant("ended_at"),
    _one_of("kind", SHARED_KINDS),
    sa.CheckConstraint(f"class IN ({', '.join(repr(one) for one in SHARING_CLASSES)})", name="class"),
    sa.CheckConstraint("fresh_hours > 0", name="fresh"),
    sa.Index(
        "ix_sharing_present", "kind", "code", unique=True, postgresql_where=sa.text("ended_at IS NULL")
    ),
    schema="access",
    comment="共享属性: the sharing class of a credential type or item, with its legal ground; rows end, none changes.",
)  # fmt: skip

grant = sa.Table(
    "grant",
    metadata,
    column("grant_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("kind", sa.Text(), nullable=False, privacy="public"),
    column("code", sa.Text(), nullable=False, privacy="public"),
    column("purpose", sa.Text(), nullable=False, privacy="public"),
    column("legal_basis", sa.Text(), nullable=False, privacy="public"),
    column("valid_from", sa.Date(), nullable=False, privacy="public"),
    column("valid_to", sa.Date(), privacy="public"),
    column("stale_allowed", sa.Boolean(), nullable=False, server_default=sa.false(), privacy="public"),
    column("state", sa.Text(), nullable=False, server_default="asked", privacy="public"),
    column("asked_by", sa.Text(), nullable=False),
    instant("asked_at", nullable=False, server_default=sa.text("now()")),
    column("answer_due", sa.Date()),
    column("answered_by", sa.Text()),
    instant("answered_at"),
    column("reason", sa.Text()),
    _one_of("kind", SHARED_KINDS),
    _one_of("state", GRANT_STATES),
    sa.CheckConstraint("valid_to IS NULL OR valid_from <= valid_to", name="days"),
    sa.CheckConstraint("state = 'asked' OR (answered_by IS NOT NULL AND answered_by <> asked_by)", name="four_eyes"),
    sa.Index("ix_grant_present", "organ", "kind", "code", "purpose", postgresql_where=sa.text("state = 'granted'")),
    schema="access",
    comment="授权: which organ may check which credential type or item, for what purpose, on what basis, and when.",
)

feed = sa.Table(
    "feed",
    metadata,
    column("kind", sa.Text(), primary_key=True, privacy="public"),
    column("code", sa.Text(), primary_key=True, privacy="public"),
    column("issuer", sa.Text(), primary_key=True, privacy="public"),
    column("stream_id", sa.Integer(), primary_key=True, autoincrement=False),
    _one_of("kind", SHARED_KINDS),
    schema="access",
    comment="Which streams have brought credentials of a type, or decisions on an item, from which organ.",
)

signing_key = sa.Table(
    "signing_key",
    metadata,
    column("kid", sa.Text(), primary_key=True, privacy="public"),
    column("algorithm", sa.Text(), nullable=False, privacy="public"),
    column("jwk", JSONB(), nullable=False, privacy="public"),
    instant("made_at", nullable=False, server_default=sa.text("now()"), privacy="public"),
    instant("ended_at", privacy="public"),
    schema="audit",
    comment="签名公钥: each public key that receipts and heads were ever signed with, kept for ever.",
)

entry = sa.Table(
    "entry",
    metadata,
    column("entry_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    instant("recorded_at", nullable=False, primary_key=True),
    column("tx", sa.BigInteger(), nullable=False, server_default=sa.text("((pg_current_xact_id())::text)::bigint")),
    column("check_id", UUID(as_uuid=False)),
    column("kind", sa.Text(), nullable=False),
    column("client_id", sa.Integer()),
    column("organ", sa.Text(), privacy="public"),
    column("grant_id", sa.BigInteger()),
    column("purpose", sa.Text()),
    column("confirmed", sa.Text()),
    column("outcome", sa.Text(), nullable=False),
    column("answer", sa.Text()),
    column("receipt", sa.Text()),
    column("personal", BYTEA(), privacy="sensitive"),
    column("subject_hash", BYTEA(), privacy="personal"),
    column("relied", ARRAY(sa.BigInteger())),
    sa.Index("ix_entry_relied", "relied", postgresql_using="gin"),
    sa.Index("ix_entry_tx", "tx"),
    sa.Index("ix_entry_check_id", "check_id"),
    sa.Index("ix_entry_subject_hash", "subject_hash", postgresql_where=sa.text("subject_hash IS NOT NULL")),
    schema="audit",
    postgresql_partition_by="RANGE (recorded_at)",
    comment="核验日志: every check, refusal and reading of the log. Rows are only added; personal parts may be erased.",
)

seal = sa.Table(
    "seal",
    metadata,
    column("number", sa.BigInteger(), primary_key=True, autoincrement=False, privacy="public"),
    instant("sealed_at", nullable=False, privacy="public"),
    column("through_tx", sa.BigInteger(), nullable=False, privacy="public"),
    column("entries", sa.Integer(), nullable=False, privacy="public"),
    column("total", sa.BigInteger(), nullable=False, privacy="public"),
    column("root", BYTEA(), nullable=False, privacy="public"),
    column("head", BYTEA(), nullable=False, privacy="public"),
    column("signature", sa.Text(), nullable=False, privacy="public"),
    sa.Index("ix_seal_sealed_at", "sealed_at"),
    schema="audit",
    comment="封存: signed Merkle heads, each chained to the one before; a head binds every entry before it.",
)

answer_key = sa.Table(
    "answer_key",
    metadata,
    column("client_id", sa.Integer(), primary_key=True, autoincrement=False),
    column("key_hash", BYTEA(), primary_key=True),
    column("body_hash", BYTEA(), nullable=False),
    column("check_id", UUID(as_uuid=False), nullable=False),
    instant("recorded_at", nullable=False, server_default=sa.text("now()")),
    column("sealed", BYTEA(), nullable=False, privacy="sensitive"),
    sa.Index("ix_answer_key_recorded_at", "recorded_at"),
    schema="audit",
    comment="Checks under an idempotency key and what they were answered: written with the log, told again for days.",
)

waiting_check = sa.Table(
    "waiting_check",
    metadata,
    column("check_id", UUID(as_uuid=False), primary_key=True),
    column("client_id", sa.Integer(), nullable=False),
    column("state", sa.Text(), nullable=False, server_default="waiting"),
    column("question", BYTEA(), privacy="sensitive"),
    instant("since", nullable=False, server_default=sa.text("now()")),
    instant("until", nullable=False),
    _one_of("state", ("waiting", "answered", "lapsed")),
    sa.Index("ix_waiting_check_open", "since", postgresql_where=sa.text("state = 'waiting'")),
    schema="audit",
    comment="Checks that wait for a feed: asked again until it has come far enough, or their time is over.",
)

confirmation = sa.Table(
    "confirmation",
    metadata,
    column("check_id", UUID(as_uuid=False), primary_key=True),
    column("state", sa.Text(), nullable=False),
    instant("decided_at", nullable=False, server_default=sa.text("now()")),
    column("verdict", sa.Text()),
    column("reason", sa.Text()),
    column("settled_by", sa.Text()),
    instant("settled_at"),
    _one_of("state", ("confirmed", "no_such_case", "not_a_party")),
    _one_of("verdict", VERDICTS),
    sa.CheckConstraint(
        "(verdict IS NULL) = (settled_at IS NULL) AND (verdict IS NULL OR state <> 'confirmed')", name="settled"
    ),
    schema="audit",
    comment="用途核实: what was found later of the asker's own case; what is not confirmed goes to the data officer.",
)

recall = sa.Table(
    "recall",
    metadata,
    column("recall_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("check_id", UUID(as_uuid=False), nullable=False),
    column("record_id", sa.BigInteger(), nullable=False),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("status", sa.Text(), nullable=False),
    column("since", sa.Date()),
    instant("told_at", nullable=False, server_default=sa.text("now()")),
    sa.UniqueConstraint(
        "check_id", "record_id", "status", "since", name="uq_recall_once", postgresql_nulls_not_distinct=True
    ),
    sa.Index("ix_recall_organ", "organ", "recall_id"),
    sa.Index("ix_recall_told_at", "told_at"),
    schema="audit",
    comment="召回: a record that a check relied on no longer holds, or was corrected; told to the organ that asked.",
)

subscription = sa.Table(
    "subscription",
    metadata,
    column("subscription_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("client_id", sa.Integer(), nullable=False),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("topic", sa.Text(), nullable=False),
    column("code", sa.Text(), privacy="public"),
    column("purpose", sa.Text(), privacy="public"),
    column("url", sa.Text(), nullable=False),
    column("made_by", sa.Text(), nullable=False),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    column("ended_by", sa.Text()),
    instant("ended_at"),
    _one_of("topic", TOPICS),
    sa.CheckConstraint("topic IN ('recall', 'card') OR (code IS NOT NULL AND purpose IS NOT NULL)", name="named"),
    schema="access",
    comment="订阅: to which address notices for a client go; rows end, none changes.",
)

change = sa.Table(
    "change",
    metadata,
    column("change_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("record_id", sa.BigInteger(), nullable=False),
    column("credential_type", sa.Text(), nullable=False, privacy="public"),
    column("issuer", sa.Text(), privacy="public"),
    column("status", sa.Text(), nullable=False),
    column("since", sa.Date()),
    instant("changed_at", nullable=False),
    instant("noted_at", nullable=False, server_default=sa.text("now()")),
    sa.UniqueConstraint("record_id", "changed_at", name="uq_change_once"),
    sa.Index("ix_change_noted_at", "noted_at"),
    schema="audit",
    comment="证照变更: how a credential stands after its record changed, where somebody subscribed to its type.",
)

case_change = sa.Table(
    "case_change",
    metadata,
    column("change_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("case_id", sa.BigInteger(), nullable=False),
    column("item_code", sa.Text(), nullable=False, privacy="public"),
    column("organ", sa.Text(), privacy="public"),
    column("state", sa.Text(), nullable=False, privacy="public"),
    column("stage", sa.Text(), nullable=False, privacy="public"),
    instant("noted_at", nullable=False, server_default=sa.text("now()")),
    sa.Index("ix_case_change_case_id", "case_id", "change_id"),
    sa.Index("ix_case_change_noted_at", "noted_at"),
    schema="audit",
    comment="办件变更: how a case of a subscribed item stood, each time that it was found to stand otherwise.",
)

delivery = sa.Table(
    "delivery",
    metadata,
    column("delivery_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("subscription_id", sa.BigInteger(), nullable=False),
    column("topic", sa.Text(), nullable=False),
    column("subject_id", sa.BigInteger(), nullable=False),
    column("jti", UUID(as_uuid=False), nullable=False, server_default=sa.text("gen_random_uuid()")),
    column("state", sa.Text(), nullable=False, server_default="waiting"),
    column("attempts", sa.Integer(), nullable=False, server_default="0"),
    instant("made_at", nullable=False),
    instant("next_at", nullable=False),
    column("fault", sa.Text()),
    instant("ended_at"),
    sa.UniqueConstraint("subscription_id", "topic", "subject_id", name="uq_delivery_once"),
    _one_of("topic", TOPICS),
    _one_of("state", DELIVERY_STATES),
    sa.Index(
        "ix_delivery_waiting", "subscription_id", "next_at", postgresql_where=sa.text("state = 'waiting'")
    ),
    schema="audit",
    comment="投递: notices that are to go out, went out, or were given up after a day; their words are made when sent.",
)  # fmt: skip

disclosure_delay = sa.Table(
    "disclosure_delay",
    metadata,
    column("delay_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("organ", sa.Text(), nullable=False),
    column("purpose", sa.Text(), nullable=False),
    instant("begins_at", nullable=False),
    instant("ends_at"),
    instant("hidden_until", nullable=False),
    column("legal_basis", sa.Text(), nullable=False),
    column("state", sa.Text(), nullable=False, server_default="asked"),
    column("asked_by", sa.Text(), nullable=False),
    instant("asked_at", nullable=False, server_default=sa.text("now()")),
    column("answered_by", sa.Text()),
    instant("answered_at"),
    column("reason", sa.Text()),
    _one_of("state", ("asked", "granted", "refused", "ended")),
    sa.CheckConstraint("begins_at < hidden_until AND (ends_at IS NULL OR begins_at < ends_at)", name="days"),
    sa.CheckConstraint(
        "state = 'asked' OR (answered_by IS NOT NULL AND answered_by <> asked_by)", name="four_eyes"
    ),
    sa.Index("ix_disclosure_delay_organ", "organ", "purpose"),
    schema="access",
    comment="延迟告知: checks of an investigation that their subject sees later; each has an end and a legal basis.",
)  # fmt: skip

organ_key = sa.Table(
    "organ_key",
    metadata,
    column("kid", sa.Text(), primary_key=True, privacy="public"),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("jwk", JSONB(), nullable=False, privacy="public"),
    column("set_by", sa.Text(), nullable=False),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    instant("ended_at"),
    sa.Index("ix_organ_key_organ", "organ"),
    schema="access",
    comment="机构公钥: by which organs countersign the daily balance of the log; kept for ever, ended ones too.",
)

countersignature = sa.Table(
    "countersignature",
    metadata,
    column("countersignature_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("day", sa.Date(), nullable=False, privacy="public"),
    column("head_number", sa.BigInteger(), nullable=False, privacy="public"),
    column("verdict", sa.Text(), nullable=False, privacy="public"),
    column("jws", sa.Text(), nullable=False, privacy="public"),
    instant("received_at", nullable=False, server_default=sa.text("now()")),
    _one_of("verdict", ("agrees", "differs")),
    sa.UniqueConstraint("organ", "day", "jws", name="uq_countersignature_once"),
    schema="audit",
    comment="会签: what organs said of the log's balance of a day, signed by their own keys; rows are only added.",
)
