"""What supervision tells people: the outbox of notices, and what became of each."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from sharedrepo.models.base import column, instant, metadata

NOTICE_STATES = (
    "waiting", "sending", "doubtful", "sent", "delivered", "undelivered", "given_up", "withheld",
)  # fmt: skip
NOTICE_CHANNELS = ("sms", "mail", "group")
NOTICE_DEEDS = (
    "queued", "sending", "not_taken", "doubtful", "sent", "delivered", "undelivered", "given_up", "withheld",
    "again", "settled", "forgotten",
)  # fmt: skip


def _one_of(name: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{name} IN ({', '.join(map(repr, values))})", name=name)


notice = sa.Table(
    "notice",
    metadata,
    column("notice_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("message", UUID(as_uuid=False), nullable=False, server_default=sa.text("gen_random_uuid()")),
    column("subject", sa.Text(), nullable=False),
    column("card_id", sa.BigInteger()),
    column("recipient", sa.Text(), nullable=False),
    column("organ", sa.Text(), privacy="public"),
    column("level", sa.Text(), nullable=False),
    column("channel", sa.Text(), nullable=False),
    column("words", sa.Text(), nullable=False),
    column("language", sa.Text(), nullable=False),
    column("said", sa.Text(), nullable=False),
    column("name_mask", sa.Text()),
    column("phone_mask", sa.Text()),
    column("phone_hash", BYTEA(), privacy="personal", info={"hash": "phone"}),
    column("sealed", BYTEA(), privacy="sensitive", info={"sealed": True}),
    column("state", sa.Text(), nullable=False, server_default="waiting"),
    column("tries", sa.Integer(), nullable=False, server_default="0"),
    instant("made_at", nullable=False),
    instant("until", nullable=False),
    instant("next_at"),
    instant("sent_at"),
    instant("ended_at"),
    column("gateway", sa.Text()),
    column("gateway_number", sa.Text()),
    column("fault", sa.Text()),
    _one_of("state", NOTICE_STATES),
    _one_of("channel", NOTICE_CHANNELS),
    _one_of("language", ("zh", "en")),
    sa.CheckConstraint("channel <> 'sms' OR state NOT IN ('waiting', 'sending') OR sealed IS NOT NULL", name="phone"),
    sa.UniqueConstraint("message", name="uq_notice_message"),
    sa.UniqueConstraint("subject", "recipient", name="uq_notice_once"),
    sa.Index(
        "uq_notice_phone", "subject", "phone_hash", unique=True, postgresql_where=sa.text("phone_hash IS NOT NULL")
    ),
    sa.Index(
        "ix_notice_due", "next_at", postgresql_where=sa.text("state IN ('waiting', 'sending', 'doubtful', 'sent')")
    ),
    sa.Index("ix_notice_card", "card_id", postgresql_where=sa.text("card_id IS NOT NULL")),
    sa.Index("ix_notice_gateway_number", "gateway", "gateway_number", postgresql_where=sa.text(
        "gateway_number IS NOT NULL"
    )),
    schema="supervision",
    comment="短信通知: what is to be told to whom, one text a subject and recipient; `message` is its key there.",
)  # fmt: skip

notice_deed = sa.Table(
    "notice_deed",
    metadata,
    column("deed_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    column("notice_id", sa.BigInteger(), nullable=False),
    instant("at", nullable=False),
    column("what", sa.Text(), nullable=False),
    column("detail", sa.Text()),
    column("who", sa.Text()),
    _one_of("what", NOTICE_DEEDS),
    sa.Index("ix_notice_deed_notice_id", "notice_id"),
    schema="supervision",
    comment="通知日志: each try, answer and receipt of a notice; rows are only added, and hold no text of a gateway.",
)
