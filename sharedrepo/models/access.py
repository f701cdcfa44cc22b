"""Who may use the hub: a row a client program of a department, a row a person, and what persons did."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from sharedrepo.models.base import column, instant, metadata

client = sa.Table(
    "client",
    metadata,
    column("client_id", sa.Integer(), sa.Identity(), primary_key=True),
    column("code", sa.Text(), nullable=False, unique=True),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("rights", ARRAY(sa.Text()), nullable=False),
    column("token_hash", BYTEA(), nullable=False, unique=True, privacy="sensitive"),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    instant("expires_at", nullable=False),
    instant("revoked_at"),
    schema="access",
    comment="接入客户端: a program of an organ that may use the API. Its token is kept only as a keyed hash.",
)

account = sa.Table(
    "account",
    metadata,
    column("account_id", sa.Integer(), sa.Identity(), primary_key=True),
    column("code", sa.Text(), nullable=False, unique=True),
    column("name", sa.Text(), nullable=False, privacy="personal"),
    column("roles", ARRAY(sa.Text()), nullable=False),
    column("organ", sa.Text(), privacy="public"),
    column("region", sa.Text(), privacy="public"),
    column("password_hash", sa.Text(), privacy="sensitive"),
    column("issuer", sa.Text()),
    column("subject", sa.Text(), privacy="personal"),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    instant("disabled_at"),
    sa.CheckConstraint("cardinality(roles) > 0", name="roles"),
    sa.CheckConstraint("(roles && ARRAY['department_steward', 'issuing_officer']) = (organ IS NOT NULL)", name="organ"),
    sa.CheckConstraint("region IS NOT NULL OR NOT ('regional_supervisor' = ANY (roles))", name="region"),
    sa.CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="subject"),
    sa.UniqueConstraint("issuer", "subject"),
    schema="access",
    comment="账号: a person who may use the pages, by a password of the hub or by an OpenID provider.",
)

session = sa.Table(
    "session",
    metadata,
    column("session_hash", BYTEA(), primary_key=True, privacy="sensitive"),
    column("account_id", sa.Integer(), sa.ForeignKey(account.c.account_id), nullable=False, index=True),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    instant("seen_at", nullable=False, server_default=sa.text("now()")),
    instant("ends_at", nullable=False),
    schema="access",
    comment="会话: a browser that is signed in. Its number is kept only as a keyed hash.",
)

sign_in_pause = sa.Table(
    "sign_in_pause",
    metadata,
    column("key", BYTEA(), primary_key=True),
    column("failures", sa.Integer(), nullable=False),
    instant("last_at", nullable=False),
    instant("until", nullable=False),
    schema="access",
    comment="How often sign-in failed for an account, an address or both (keyed hashes), and until when it pauses.",
)

account_event = sa.Table(
    "account_event",
    metadata,
    column("event_id", sa.BigInteger(), sa.Identity(), primary_key=True),
    instant("at", nullable=False, server_default=sa.text("now()")),
    column("actor", sa.Text(), nullable=False),
    column("what", sa.Text(), nullable=False),
    column("account", sa.Text()),
    column("detail", JSONB(), nullable=False, server_default=sa.text("'{}'")),
    sa.Index("ix_account_event_at", "at"),
    schema="access",
    comment="账号日志: sign-ins and changes of accounts. Rows are only added.",
)

reader = sa.Table(
    "reader",
    metadata,
    column("role", sa.Text(), primary_key=True),
    column("organ", sa.Text(), nullable=False, privacy="public"),
    column("purpose", sa.Text(), nullable=False, privacy="public"),
    column("made_by", sa.Text(), nullable=False),
    instant("made_at", nullable=False, server_default=sa.text("now()")),
    column("ended_by", sa.Text()),
    instant("ended_at"),
    schema="access",
    comment="数据库读者: the role by which an organ reads the views in out, for one purpose; rows end, none changes.",
)
